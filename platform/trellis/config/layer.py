"""A layer: a folder of YAML, or the same held in memory by the editor or the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from functools import cached_property, lru_cache
from pathlib import Path

from trellis.config.phrase import phrase
from trellis.config.problem import Mark, Problem
from trellis.config.reader import MAX_BYTES, Content, Data, read_yaml
from trellis.config.source import Place, Source

FOLDERS = ("schemas", "workflows", "i18n", "tests", "documents")
ROOT_FILES = ("template.yaml", "tenant.yaml")
MAX_FILES = 2_000
MAX_LAYER_BYTES = 20_000_000


@dataclass(frozen=True)
class Document:
    """One document of a layer: `data` begins with `kind: key`; `place` says where everything in it stands."""

    kind: str
    key: str
    data: Mapping[str, Data]
    place: Place
    layer: str

    @property
    def name(self) -> str:
        """Kind and key as `without:` and i18n paths write them."""
        return f"{self.kind}.{self.key}"


@dataclass(frozen=True)
class Layer:
    """Files by their path within the layer.

    `folder` is what stands before the path in messages; `path` is where the layer was read, for its `data/`.
    """

    name: str
    files: Mapping[str, str | bytes]
    folder: str = ""
    problems: tuple[Problem, ...] = dc_field(default=(), repr=False)
    path: Path | None = None

    @cached_property
    def digest(self) -> str:
        """A hash of the content and of what messages say about it."""
        total = hashlib.sha256(f"{self.name}\0{self.folder}".encode())
        for path in sorted(self.files):
            content = self.files[path]
            data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
            total.update(f"\0{path}\0{len(data)}\0".encode("utf-8", "surrogatepass") + data)
        return total.hexdigest()

    def display(self, path: str) -> str:
        """A file's path as messages write it."""
        return f"{self.folder}/{path}" if self.folder else path

    def contents(self) -> Iterator[tuple[str, Content]]:
        """Every YAML file, read."""
        for path in sorted(self.files):
            if path.endswith((".yaml", ".yml")):
                yield path, _read(self.files[path], self.display(path), self.name)

    def text(self) -> dict[str, str]:
        """The files as text, as a revision stores them."""
        return {p: c if isinstance(c, str) else c.decode("utf-8", "replace") for p, c in self.files.items()}


@lru_cache(maxsize=4_000)
def _read(content: str | bytes, file: str, layer: str) -> Content:
    return read_yaml(content, file, layer)


def layer_from_files(name: str, files: Mapping[str, str | bytes], folder: str = "") -> Layer:
    """A layer from files in memory."""
    return Layer(name, dict(files), folder)


def read_layer(folder: Path, name: str, display: str | None = None) -> Layer:
    """A layer from a folder. `display` is what messages call the folder; its path from here if left out."""
    shown = _from_here(folder) if display is None else display
    files: dict[str, str | bytes] = {}
    problems: list[Problem] = []
    size = 0
    for path in _files_of(folder):
        relative = path.relative_to(folder).as_posix()
        where = Mark(f"{shown}/{relative}" if shown else relative, 1, 1, name)
        try:
            if path.stat().st_size > MAX_BYTES:
                problems.append(
                    Problem("E109", phrase("the file is larger than {size} kB", size=MAX_BYTES // 1000), where)
                )
                continue
            content = path.read_bytes()
        except OSError as error:
            problems.append(Problem("E100", phrase("not readable: {strerror}", strerror=error.strerror), where))
            continue
        size += len(content)
        if len(files) >= MAX_FILES or size > MAX_LAYER_BYTES:
            problems.append(
                Problem(
                    "E109",
                    phrase(
                        "the layer is larger than {max_files} files or {size} MB",
                        max_files=MAX_FILES,
                        size=MAX_LAYER_BYTES // 1_000_000,
                    ),
                    where,
                )
            )
            break
        files[relative] = content
    return Layer(name, files, shown, tuple(problems), folder.resolve())


def _files_of(folder: Path) -> Iterator[Path]:
    for name in ROOT_FILES:
        if (folder / name).is_file():
            yield folder / name
    for name in FOLDERS:
        for path in sorted(_scenarios(folder / name) if name == "tests" else (folder / name).rglob("*")):
            relevant = path.suffix in (".yaml", ".yml") or name == "documents"
            if relevant and path.is_file() and not any(part.startswith(".") for part in path.parts[-3:]):
                yield path


def _scenarios(folder: Path) -> Iterator[Path]:
    """Scenarios stand in tests/ itself or in tests/scenarios/: beside these there may be tests of another kind."""
    yield from folder.glob("*")
    yield from (folder / "scenarios").glob("*")


def _from_here(folder: Path) -> str:
    try:
        shown = folder.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        shown = folder.as_posix()
    return "" if shown == "." else shown


@dataclass
class Reading:
    """The documents of a layer, its translations by language, and what is wrong with them."""

    documents: list[Document] = dc_field(default_factory=list)
    tests: list[Document] = dc_field(default_factory=list)
    translations: dict[str, dict[str, tuple[str, Place]]] = dc_field(default_factory=dict)
    problems: list[Problem] = dc_field(default_factory=list)
    sources: dict[str, Source] = dc_field(default_factory=dict)


def read_documents(layer: Layer) -> Reading:
    """Read a layer's files into documents; the same document twice is a problem that names both places."""
    reading = Reading(problems=list(layer.problems))
    seen: dict[tuple[str, str], Document] = {}
    for path, content in layer.contents():
        reading.sources[content.source.file] = content.source
        reading.problems += content.problems
        top = path.partition("/")[0]
        if top == "i18n":
            _take_translations(reading, path, content)
            continue
        for data, place in content.documents:
            document = _document(reading, layer, data, place)
            if document is None:
                continue
            first = seen.setdefault((document.kind, document.key), document)
            if first is not document:
                where = first.place.children[first.kind]
                message = phrase(
                    "{kind} '{document}' is already written in {file}:{line}",
                    kind=document.kind,
                    document=document.key,
                    file=where.source.file,
                    line=where.line,
                )
                mark = document.place.children[document.kind].key_mark
                hint = "write both as one document"
                reading.problems.append(Problem("E110", message, mark, document.kind, hint))
                continue
            (reading.tests if top == "tests" else reading.documents).append(document)
    return reading


def _document(reading: Reading, layer: Layer, data: Data, place: Place) -> Document | None:
    if not isinstance(data, dict) or not data:
        message = "a document is a mapping whose first key is its kind, such as `entity: deal`"
        reading.problems.append(Problem("E111", message, place.mark))
        return None
    kind = next(iter(data))
    value = place.children[kind]
    if value.raw is None or not value.raw.strip():
        message = phrase("the key of this {kind} must be a word", kind=kind)
        reading.problems.append(Problem("E112", message, value.mark, kind))
        return None
    return Document(kind, value.raw.strip(), data, place, layer.name)


def _take_translations(reading: Reading, path: str, content: Content) -> None:
    language = path.rpartition("/")[2].rpartition(".")[0]
    texts = reading.translations.setdefault(language, {})
    for data, place in content.documents:
        if not isinstance(data, dict):
            message = "translations are a mapping from the path of a text to its translation"
            reading.problems.append(Problem("E111", message, place.mark))
            continue
        stack: list[tuple[str, Data, Place]] = [(k, v, place.children[k]) for k, v in data.items()]
        while stack:
            key, value, where = stack.pop()
            if isinstance(value, dict):
                stack += [(f"{key}.{k}", v, where.children[k]) for k, v in value.items()]
            elif where.raw is not None and value is not None:
                texts[key] = (where.raw, where)
            else:
                reading.problems.append(Problem("E200", "expected a text", where.mark, key))
