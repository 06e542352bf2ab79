"""The YAML in the documentation is what it says it is.

The blocks of a page are one layer on top of the core, or of the template that a block names (`yaml templates/retail`),
and compile without a word. A block that shows a part of something is marked (`yaml fragment`) and must be readable at
least.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from trellis.config.layer import Layer, layer_from_files, read_layer
from trellis.config.reader import read_yaml
from trellis.config.report import one_line
from trellis.formula.functions.registry import reference
from trellis.model.compile import compile_layers

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"^```yaml([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDER = {"template": "", "tenant": "", "test": "tests/"}


def blocks(page: Path) -> Iterator[tuple[int, str, str]]:
    """The line, the mark and the text of each block of a page."""
    text = page.read_text("utf-8")
    for found in BLOCK.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[1].strip(), found[2]


PAGES = {page.name: list(blocks(page)) for page in sorted((ROOT / "docs").glob("*.md"))}
FRAGMENTS = {
    f"{name}:{line}": text for name, found in PAGES.items() for line, mark, text in found if mark == "fragment"
}


def layers_of(name: str) -> list[Layer]:
    """The core, the template that the page names or writes, and the page's own documents."""
    below = [read_layer(ROOT, "core", "")]
    own: dict[str, str] = {"documents/quote.html": "", "data/logo.svg": ""}
    for line, mark, text in PAGES[name]:
        kind = text.partition(":")[0]
        if mark == "fragment":
            continue
        if mark:
            below.append(read_layer(ROOT / mark, mark, mark))
        if kind == "template":
            below.append(layer_from_files("template", {"template.yaml": text}, f"{name}:{line}"))
        elif kind == "tenant":
            manifests = own.get("tenant.yaml", "")  # a page may show several: all but the last stand below it
            if manifests:
                below.append(layer_from_files("tenant", {"tenant.yaml": manifests}, f"{name}:{line}"))
            own["tenant.yaml"] = text
        else:
            own[f"{FOLDER.get(kind, 'schemas/')}line-{line}.yaml"] = text
    return [*below, layer_from_files("page", own, name)]


@pytest.mark.parametrize("name", [n for n, found in PAGES.items() if any(mark != "fragment" for _, mark, _ in found)])
def test_a_pages_documents_compile(name: str) -> None:
    problems = compile_layers(layers_of(name)).problems
    # the language says more than this version does, and the check tells of it
    assert [one_line(problem) for problem in problems if problem.code != "W613"] == []


@pytest.mark.parametrize("where", FRAGMENTS)
def test_fragments_can_be_read(where: str) -> None:
    content = read_yaml(FRAGMENTS[where].encode(), where)
    assert content.problems == []
    assert content.documents


def test_the_language_names_every_function_as_it_is() -> None:
    page = (ROOT / "docs" / "language.md").read_text("utf-8")
    for function in reference():
        assert f"| `{function.usage}` | {function.doc.replace('|', chr(92) + '|')} |" in page
