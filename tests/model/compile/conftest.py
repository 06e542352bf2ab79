"""`compile_yaml`: layers given as texts, compiled."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from trellis.config.layer import layer_from_files
from trellis.config.report import one_line
from trellis.model.compile import Compiled, compile_layers

Compile = Callable[..., Compiled]


@pytest.fixture
def compile_yaml() -> Compile:
    """Compile texts as layers on each other; further files by keyword (`i18n={"de": …}`)."""

    def run(*texts: str, i18n: dict[str, str] | None = None) -> Compiled:
        layers = []
        for index, text in enumerate(texts):
            files = {f"{'schemas/' if index else ''}a.yaml": textwrap.dedent(text)}
            if index == 0:
                files |= {f"i18n/{language}.yaml": textwrap.dedent(t) for language, t in (i18n or {}).items()}
            layers.append(layer_from_files(f"layer{index}", files, f"l{index}" if index else ""))
        return compile_layers(layers)

    return run


@pytest.fixture
def model_of(compile_yaml: Compile):
    """The model of texts that must have no errors."""

    def run(*texts: str, **more):
        compiled = compile_yaml(*texts, **more)
        assert [one_line(p) for p in compiled.problems if p.is_error] == []
        assert compiled.model is not None
        return compiled.model

    return run
