"""Stacks layers into one configuration, in which every value knows the layer that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field

from trellis.config.layer import Document, Layer, Reading, read_documents
from trellis.config.merge import merge, settle
from trellis.config.phrase import phrase
from trellis.config.problem import Mark, Problem, did_you_mean
from trellis.config.reader import Data
from trellis.config.source import Place, Source
from trellis.config.without import Lost, leave_out

MANIFESTS = ("template", "tenant")
DIRECTIVES = ("replace", "locked")


@dataclass
class Configuration:
    """Documents by kind and key, merged over the layers; translations; what was found on the way."""

    layers: tuple[Layer, ...]
    documents: dict[str, dict[str, Document]] = dc_field(default_factory=dict)
    tests: list[Document] = dc_field(default_factory=list)
    translations: dict[str, dict[str, tuple[str, Place]]] = dc_field(default_factory=dict)
    problems: list[Problem] = dc_field(default_factory=list)
    sources: dict[str, Source] = dc_field(default_factory=dict)
    lost: dict[str, dict[str, int]] = dc_field(default_factory=dict)  # entity → field that went by `without:` → layer

    def of(self, kind: str) -> Mapping[str, Document]:
        """The documents of a kind by key."""
        return self.documents.get(kind, {})

    def __iter__(self) -> Iterator[Document]:
        return (document for by_key in self.documents.values() for document in by_key.values())

    @property
    def manifest(self) -> Document | None:
        """tenant.yaml's document, else the topmost template.yaml's."""
        for kind in reversed(MANIFESTS):
            for document in reversed(list(self.of(kind).values())):
                return document
        return None


def stack(layers: Sequence[Layer]) -> Configuration:
    """Merge layers in order."""
    configuration = Configuration(tuple(layers))
    locks: dict[tuple[str, str], dict[str, str]] = {}
    for number, layer in enumerate(layers):
        reading = read_documents(layer)
        configuration.problems += reading.problems
        configuration.sources |= reading.sources
        configuration.tests += reading.tests
        _leave_out(configuration, reading, number)
        for document in reading.documents:
            _add(configuration, document, locks.setdefault((document.kind, document.key), {}))
        for language, texts in reading.translations.items():
            configuration.translations.setdefault(language, {}).update(texts)
    return configuration


def _leave_out(configuration: Configuration, reading: Reading, layer: int) -> None:
    for document in reading.documents:
        if document.kind not in MANIFESTS:
            continue
        if document.data.get("builds_on") == "nothing":
            for kind in [k for k in configuration.documents if k not in MANIFESTS]:
                del configuration.documents[kind]
        names = document.data.get("without")
        place = document.place.children.get("without")
        if not isinstance(names, list) or place is None:
            continue
        there = {f"{kind}.{key}" for kind, found in configuration.documents.items() for key in found}
        for index, name in enumerate(names):
            kind, _, key = str(name).partition(".")
            known = [d.name for d in configuration]
            lost: Lost = {}
            again = any(d.kind == kind and d.key == key for d in reading.documents)  # this layer writes it anew
            found = (
                configuration.documents.get(kind, {}).pop(key, None) is not None
                if again
                else leave_out(configuration.documents, kind, key, lost)
            )
            for entity, fields in lost.items():
                configuration.lost.setdefault(entity, {}).update(dict.fromkeys(fields, layer))
            if not found and str(name) not in there:  # else it went with another that was left out before it
                problem = Problem(
                    "E312",
                    phrase("no earlier layer has '{name}'", name=name),
                    place.children[index].mark,
                    f"without.{index}",
                    did_you_mean(str(name), known) if known else "",
                )
                configuration.problems.append(problem)


def _add(configuration: Configuration, document: Document, locks: dict[str, str]) -> None:
    def report(code: str, message: str, mark: Mark, path: str, hint: str = "") -> None:
        configuration.problems.append(Problem(code, message, mark, path, hint))

    known = configuration.documents.setdefault(document.kind, {})
    base = known.get(document.key)
    data = {k: v for k, v in document.data.items() if k not in DIRECTIVES}
    if base is not None:
        for path, owner in locks.items():
            place = _touched(document, path.split("."))
            if place is not None:
                report(
                    "E311",
                    phrase("'{path}' is locked by {layer}", path=path, layer=owner or phrase("an earlier layer")),
                    place.key_mark,
                    path,
                )
                return
    merged: Data
    if base is None or document.data.get("replace") is True:
        if base is None and "replace" in document.data:
            mark = document.place.children["replace"].key_mark
            report("W601", "there is nothing to replace in an earlier layer", mark, "replace")
        merged, place = settle(data, document.place, report)
    else:
        merged, place = merge(base.data, base.place, data, document.place, report)
        place.children[document.kind] = base.place.children[document.kind]
    known[document.key] = Document(document.kind, document.key, merged, place, document.layer)
    locked = document.data.get("locked")
    for path in locked if isinstance(locked, list) else [locked] if isinstance(locked, str) else []:
        locks[str(path)] = document.layer


def _touched(document: Document, path: list[str]) -> Place | None:
    """Where a later layer says something at, in or above a locked path."""
    if document.data.get("replace") is True:
        return document.place.children["replace"]
    data: Data = document.data
    place = document.place
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return None if isinstance(data, dict) else place
        data, place = data[key], place.children[key]
    return place
