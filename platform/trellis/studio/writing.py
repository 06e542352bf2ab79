"""Changes of YAML that people wrote: only the lines that a change is about are touched; comments and layout stay.

ruamel.yaml reads where each value stands and writes the new ones; what is written is read again by the strict reader
and compared with what was meant, so that an edit is right or is not made at all.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from trellis.config.layer import Layer, read_documents
from trellis.config.reader import read_yaml
from trellis.studio.own import MANIFEST

REMOVE = object()
WIDEST = 110  # a mapping that is longer than this on one line goes over several
LARGEST = 200_000  # letters: forms are for files that people write
PLAIN_FOLDERS = ("schemas/", "workflows/")
LATER_KINDS = frozenset({"workflow", "report", "dashboard", "email", "document", "sla", "calendar", "assignment"})


class CannotWrite(Exception):
    """The change cannot be made without touching more than it is about; `message` is a msgid."""

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message % params if params else message)
        self.message, self.params = message, params


@dataclass(frozen=True)
class Edit:
    """A value to be set, or taken out (`REMOVE`), in the document `kind: key` at the path of mappings' keys."""

    kind: str
    key: str
    path: tuple[str, ...]
    value: Any


def apply_edits(files: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """The files with the edits made; a document that is not there yet is begun. Raises CannotWrite."""
    changed = dict(files)
    for edit in edits:
        path = file_of(changed, edit.kind, edit.key)
        if path is None:
            if edit.value is REMOVE:
                continue
            path = _home(changed, edit)
            changed[path] = _with_document(changed.get(path, ""), edit)
        else:
            changed[path] = edit_text(changed[path], edit)
    return changed


def file_of(files: Mapping[str, str], kind: str, key: str) -> str | None:
    """The file that a document of the layer stands in."""
    for path in files:
        if path == MANIFEST or path.startswith(PLAIN_FOLDERS):
            for document in read_documents(Layer("", {path: files[path]})).documents:
                if (document.kind, document.key) == (kind, key):
                    return path
    return None


def own_value(files: Mapping[str, str], kind: str, key: str, path: Sequence[str]) -> Any:
    """What the layer itself says at a path of a document; None where it says nothing."""
    file = file_of(files, kind, key)
    for document in read_documents(Layer("", {file: files[file]})).documents if file is not None else ():
        if (document.kind, document.key) == (kind, key):
            data: Any = document.data
            for step in path:
                data = data.get(step) if isinstance(data, dict) else None
            return data
    return None


def extended(own: Any, new: Sequence[Any]) -> Any:
    """A list of an earlier layer with more items: `own` is what this layer says of it so far."""
    if isinstance(own, list):
        return [*own, *new]
    edit = dict(own) if isinstance(own, dict) else {}
    added = edit.get("add", [])
    return {**edit, "add": [*(added if isinstance(added, list) else [added]), *new]}


def line_of(files: Mapping[str, str], kind: str, key: str, path: Sequence[str]) -> tuple[str, int, int]:
    """File, line and column of a value; of its document where the value itself has none."""
    file = file_of(files, kind, key) or MANIFEST
    for document in read_documents(Layer("", {file: files.get(file, "")})).documents:
        if (document.kind, document.key) == (kind, key):
            place = document.place
            for step in path:
                if step not in place.children:
                    break
                place = place.children[step]
            return file, place.line, place.column
    return file, 1, 1


def set_translation(files: Mapping[str, str], language: str, path: str, text: str | None) -> dict[str, str]:
    """The files with one text of i18n/<language>.yaml set, or taken out (None)."""
    file = f"i18n/{language}.yaml"
    before = files.get(file, "")
    if text is None and path not in _translations(before):
        return dict(files)
    if text is None and len(_translations(before)) == 1:
        return {k: v for k, v in files.items() if k != file}
    return {**files, file: _spliced(before, [path], REMOVE if text is None else text, None)}


def _translations(text: str) -> Mapping[str, Any]:
    content = read_yaml(text, "i18n")
    return {k: v for data, _place in content.documents if isinstance(data, dict) for k, v in data.items()}


def _home(files: Mapping[str, str], edit: Edit) -> str:
    """The file for a document that is not there yet: the only one of its folder, else one named for it."""
    folder = "workflows" if edit.kind in LATER_KINDS else "schemas"
    there = [path for path in files if path.startswith(f"{folder}/")]
    return there[0] if len(there) == 1 else f"{folder}/{edit.key.replace('_', '-')}.yaml"


def _with_document(text: str, edit: Edit) -> str:
    """The text with one more document below."""
    data = {edit.kind: edit.key, **nested(edit.path, edit.value)}
    above = text.rstrip("\n")
    has_documents = bool(read_yaml(text, "").documents)
    between = f"{above}\n---\n" if has_documents else f"{above}\n" if above else ""
    return between + block(data)


def nested(path: Sequence[str], value: Any) -> Any:
    """A value below the keys of a path: a.b → {a: {b: value}}."""
    for key in reversed(path):
        value = {key: value}
    return value


def edit_text(text: str, edit: Edit) -> str:
    """One file's text with an edit made."""
    return _spliced(text, edit.path, edit.value, (edit.kind, edit.key))


def _spliced(text: str, path: Sequence[str], value: Any, document: tuple[str, str] | None) -> str:
    if len(text) > LARGEST:
        raise CannotWrite("This file is too long for a form: change it in the editor.")
    text = text.replace("\r\n", "\n")
    meant = _expected(text, path, value, document)
    try:
        after = _splice(text, path, value, document)
    except YAMLError as error:
        raise CannotWrite("The file cannot be read as YAML: mend it in the editor first.") from error
    if _read(after) != meant:
        raise CannotWrite("This is written in a way that a form cannot change: change it in the editor.")
    return after


def _splice(text: str, path: Sequence[str], value: Any, document: tuple[str, str] | None) -> str:
    roots = [node for node in YAML().compose_all(io.StringIO(text)) if isinstance(node, MappingNode)]
    root = next((node for node in roots if document is None or _names(node, document)), None)
    if root is None:
        if value is REMOVE:
            return text
        return f"{text.rstrip()}\n{block(nested(path, value))}" if text.strip() else block(nested(path, value))
    container: Node = root
    trail: list[tuple[MappingNode, int]] = []
    for depth, step in enumerate(path):
        at = _position(container, step)
        if at is None:
            return (
                text if value is REMOVE else _inserted(text, container, step, nested(path[depth + 1 :], value), trail)
            )
        assert isinstance(container, MappingNode)
        trail.append((container, at))
        container = container.value[at][1]
    if value is REMOVE:
        return _removed(text, trail)
    return _replaced(text, trail[-1], container, value)


def _names(node: MappingNode, document: tuple[str, str]) -> bool:
    if not node.value:
        return False
    key, value = node.value[0]
    return key.value == document[0] and isinstance(value, ScalarNode) and value.value.strip() == document[1]


def _position(node: Node, step: str) -> int | None:
    if not isinstance(node, MappingNode):
        return None
    return next((n for n, (key, _v) in enumerate(node.value) if key.value == step), None)


def _end(node: Node) -> int:
    """Where a value ends: ruamel's mark of a block lies at whatever comes next."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        if isinstance(last, tuple):
            return max(_end(last[1]), int(last[0].end_mark.index) + 1)
        return _end(last)
    return int(node.end_mark.index)


def _trimmed(text: str, end: int) -> int:
    """The end without the blank lines that a block text takes along."""
    return len(text[:end].rstrip()) if end and text[end - 1 : end] in ("\n", " ", "") else end


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _inserted(text: str, container: Node, step: str, value: Any, trail: list[tuple[MappingNode, int]]) -> str:
    if isinstance(container, MappingNode) and container.flow_style:
        end = container.end_mark.index - 1
        inner = text[container.start_mark.index + 1 : end]
        comma = "" if not inner.strip() or inner.rstrip().endswith(",") else ", "
        kept = len(text[:end].rstrip())
        return f"{text[:kept]}{comma}{flow_pair(step, value)}{text[end:]}"
    if isinstance(container, MappingNode) and container.value:
        indent = container.value[0][0].start_mark.column
        at = _line_end(text, _trimmed(text, _end(container)))
        return f"{text[:at]}\n{indented(pair(step, value), indent)}{text[at:]}"
    if isinstance(container, ScalarNode) and trail:  # a key with nothing below it, or a short form such as `won: Won`
        parent, at = trail[-1]
        return _replaced(text, (parent, at), container, {**_short_form(container), step: value})
    raise CannotWrite("This is written in a way that a form cannot change: change it in the editor.")


def _short_form(node: ScalarNode) -> dict[str, Any]:
    """`won: Won` is `won: {label: Won}`."""
    return {"label": node.value} if node.value else {}


def _replaced(text: str, held: tuple[MappingNode, int], old: Node, value: Any) -> str:
    parent, at = held
    key = parent.value[at][0]
    is_inside = bool(parent.flow_style)
    start = int(key.end_mark.index)
    start += text[start:].index(":") + 1
    end = _trimmed(text, max(_end(old), start))
    if is_inside or not isinstance(value, dict) or len(flow(value)) + key.end_mark.column < WIDEST:
        return f"{text[:start]} {flow(value)}{text[end:]}"
    return f"{text[:start]}\n{indented(block(value).rstrip(), key.start_mark.column + 2)}{text[end:]}"


def _removed(text: str, trail: list[tuple[MappingNode, int]]) -> str:
    while len(trail) > 1 and len(trail[-1][0].value) == 1:
        trail = trail[:-1]  # a mapping of which nothing is left goes too
    parent, at = trail[-1]
    key, value = parent.value[at]
    start, end = int(key.start_mark.index), max(_trimmed(text, _end(value)), int(key.end_mark.index) + 1)
    if parent.flow_style:
        after = text[end:].lstrip()
        if after.startswith(","):
            return text[:start] + after[1:].lstrip()
        return text[:start].rstrip().removesuffix(",").rstrip() + text[end:]
    first = text.rfind("\n", 0, start) + 1
    return text[:first] + text[min(_line_end(text, end) + 1, len(text)) :]


def _read(text: str) -> list[Any]:
    return [_own(data) for data, _place in read_yaml(text, "").documents]


def _own(data: Any) -> Any:
    """The data with a copy wherever an alias stands, so that what is changed in one place is changed there only."""
    if isinstance(data, dict):
        return {k: _own(v) for k, v in data.items()}
    return [_own(v) for v in data] if isinstance(data, list) else data


def _expected(text: str, path: Sequence[str], value: Any, document: tuple[str, str] | None) -> list[Any]:
    """What the file's documents are to say afterwards."""
    documents = _read(text)
    found = None
    for data in documents:
        if isinstance(data, dict) and (document is None or next(iter(data.items()), None) == document):
            found = data
            break
    new = _read(flow(value))[0] if value is not REMOVE else REMOVE
    if found is None:
        return documents if new is REMOVE else [*documents, nested(path, new)]
    _put(found, list(path), new)
    return documents


def _put(data: dict[str, Any], path: list[str], value: Any) -> None:
    step, rest = path[0], path[1:]
    if rest:
        below = data.get(step)
        if value is REMOVE and not isinstance(below, dict):
            return
        if not isinstance(below, dict):
            below = {"label": below} if isinstance(below, str) and below else {}
        data[step] = below
        _put(below, rest, value)
        if not below:
            del data[step]
    elif value is REMOVE:
        data.pop(step, None)
    else:
        data[step] = value


# writing values


def _dumped(value: Any, *, is_flow: bool) -> str:
    yaml = YAML()
    yaml.default_flow_style = is_flow
    yaml.width = 100_000
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.allow_unicode = True
    out = io.StringIO()
    yaml.dump(value, out)
    return out.getvalue()


def flow(value: Any) -> str:
    """A value on one line: `{type: text, required: true}`."""
    return _dumped([plain(value)], is_flow=True).strip().removeprefix("[").removesuffix("]")


def flow_pair(key: str, value: Any) -> str:
    """A key and its value within braces."""
    return flow({key: value}).removeprefix("{").removesuffix("}")


def pair(key: str, value: Any) -> str:
    """A key and its value as lines of a block: on one line where they fit."""
    if isinstance(value, dict) and value and len(flow(value)) + len(key) > WIDEST:
        return f"{flow(key)}:\n{indented(block(value).rstrip(), 2)}"
    return f"{flow(key)}: {flow(value)}"


def block(data: Mapping[str, Any]) -> str:
    """A document's lines; what stands in its sections stands on a line each."""
    lines = []
    for key, value in data.items():
        sections = isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values())
        if sections:
            lines.append(f"{flow(key)}:")
            lines += [indented(pair(k, v), 2) for k, v in value.items()]
        else:
            lines.append(pair(key, value))
    return "\n".join(lines) + "\n"


def indented(text: str, by: int) -> str:
    """The lines further to the right."""
    return "\n".join(" " * by + line if line else line for line in text.split("\n"))


def plain(value: Any) -> Any:
    """A value that ruamel.yaml writes as people do: exact numbers as numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value
