"""`document:` documents, resolved: the template is found, read, and its names are held against the record's fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jinja2 import Environment, TemplateSyntaxError, nodes

from trellis.config.phrase import phrase
from trellis.config.problem import Mark, did_you_mean
from trellis.model.automation.document import DocumentTemplate
from trellis.model.automation.steps import NOTHING
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import condition, given
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types
from trellis.model.fields.files import FileField

FOLDER = "documents/"
KNOWN = frozenset({"record", "company", "today", "user", "label", "text", "language", "loop", "caller", "varargs"})
_FILE = re.compile(r"[\w.-]+(/[\w.-]+)*\.(html|md|jinja|j2|txt)")
_MARGIN = re.compile(r"\d+(\.\d+)?\s*(mm|cm|in|pt)")
_SYNTAX = Environment()  # reads only: templates run in a sandbox


def files_of(ctx: Context) -> dict[str, str]:
    """What the layers have in their `documents/`, by name there; a later layer's file stands for an earlier one's."""
    found: dict[str, str] = {}
    for layer in ctx.configuration.layers:
        for path, content in layer.files.items():
            if path.startswith(FOLDER) and not path.endswith((".yaml", ".yml")):
                text = content if isinstance(content, str) else content.decode("utf-8", "replace")
                found[path.removeprefix(FOLDER)] = text
    return found


def compile_documents(ctx: Context, types: Types) -> dict[str, DocumentTemplate]:
    """The papers by key."""
    files = files_of(ctx)
    found = {}
    for key, document in ctx.configuration.of("document").items():
        item = Item(dict(document.data), document.place, "", document.name)
        if (made := _document(ctx, types, key, item, files)) is not None:
            found[key] = made
    return found


def _document(ctx: Context, types: Types, key: str, item: Item, files: Mapping[str, str]) -> DocumentTemplate | None:
    names = Names(ctx, types)
    entity = names.entity(item.get("entity"))
    body, style = item.get("body"), item.word("style")
    if entity is None or body is None:
        return None
    scope = names.scope(entity)
    is_file = _FILE.fullmatch(body.text.strip()) is not None
    source = files.get(body.text.strip()) if is_file else body.text
    if source is None:
        hint = did_you_mean(body.text, files) or "put it into the layer's documents/ folder"
        ctx.problem("E326", phrase("there is no file documents/{name}", name=body.text), body, hint)
        return None
    texts = {word: ctx.text(each, word) for each in [item.get("texts")] if each for word in (each.data or {})}
    labels: list[str] = []
    for place, text in (("body", source), *((w, item.word(w)) for w in ("name", "header", "footer"))):
        mark = _mark_in(ctx, body.text.strip()) if place == "body" and is_file else None
        written = body if place == "body" else item.get(place)
        if written is not None:
            labels += _check(_Checked(ctx, types, entity, written, mark, files, texts), text)
    for role in [item.get("roles")]:
        names.roles(role)
    language = item.get("language")
    label = ctx.text(item, "label", humanize(key))
    return DocumentTemplate(
        key=key,
        entity=entity,
        label=label,
        body=source,
        is_markdown=body.text.strip().endswith(".md") if is_file else not source.lstrip().startswith("<"),
        name=item.word("name"),
        header=item.word("header"),
        footer=item.word("footer"),
        style=files.get(style, style),
        paper=item.word("paper", "A4"),
        landscape=item.word("orientation") == "landscape",
        margins=_margins(ctx, item.get("margins")),
        language=given(ctx, language, scope) if language is not None else NOTHING,
        when=condition(ctx, item.get("when"), scope),
        roles=item.words("roles"),
        into=_into(ctx, types, entity, item),
        texts=texts,
        labels=tuple(dict.fromkeys(labels)),
    )


def _margins(ctx: Context, item: Item | None) -> dict[str, str]:
    if item is None:
        return {}
    sides = (
        dict(item.entries()) if isinstance(item.data, dict) else dict.fromkeys(("top", "right", "bottom", "left"), item)
    )
    for each in sides.values():
        if not _MARGIN.fullmatch(each.text.strip()):
            ctx.problem("E205", phrase("'{name}' is no width", name=each.text), each, "write it like 20 mm")
    return {side: each.text.strip().replace(" ", "") for side, each in sides.items()}


def _into(ctx: Context, types: Types, entity: str, item: Item) -> str:
    """The field that keeps papers: the one that is named, else the first that takes several PDFs."""
    fields = ctx.drafts[entity].fields
    named = item.get("into")
    if named is None:
        return next((key for key, field in fields.items() if _keeps_papers(types.type_of(field))), "")
    if named.text not in fields:
        ctx.unknown("field", named, fields, "E304")
    elif not _keeps_papers(types.type_of(fields[named.text])):
        ctx.problem(
            "E326",
            phrase("'{name}' does not take several PDF files", name=named.text),
            named,
            "a field with `type: file, multiple: true`",
        )
    return named.text


def _keeps_papers(type: object) -> bool:
    return isinstance(type, FileField) and type.multiple and type.accepts("a.pdf", "application/pdf")


def _mark_in(ctx: Context, name: str) -> Mark | None:
    """The beginning of a file of the layers."""
    for layer in reversed(ctx.configuration.layers):
        if FOLDER + name in layer.files:
            return Mark(layer.display(FOLDER + name), 1, 1, layer.name)
    return None


class _Checked:
    """One template, and what it may name."""

    def __init__(
        self,
        ctx: Context,
        types: Types,
        entity: str,
        item: Item,
        mark: Mark | None,
        files: Mapping[str, str],
        texts: Mapping[str, object],
    ) -> None:
        self.ctx, self.types, self.entity, self.item, self.mark = ctx, types, entity, item, mark
        self.files, self.texts = files, texts

        self._seen: set[str] = set()

    def included(self, name: str) -> Iterator[str]:
        """The same check of a file that the template takes in, in which the same names hold."""
        if name not in self._seen:
            self._seen.add(name)
            own, self.mark = self.mark, _mark_in(self.ctx, name)
            yield from _check(self, self.files[name])
            self.mark = own

    def problem(self, code: str, message: str, line: int, hint: str = "") -> None:
        """Note what is wrong, at its line of the template."""
        mark = Mark(self.mark.file, line, 1, self.mark.layer) if self.mark is not None else None
        self.ctx.problem(code, message, self.item, hint, mark=mark)


def _check(checked: _Checked, text: str) -> Iterator[str]:
    """Say what the template names and the record does not have; the paths that it wants labels of."""
    try:
        tree = _SYNTAX.parse(text)
    except TemplateSyntaxError as error:
        checked.problem("E326", phrase("the template cannot be read: {message}", message=error.message), error.lineno)
        return
    known: dict[str, str | None] = {"record": checked.entity}
    stored = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    stored |= {node.name for node in tree.find_all(nodes.Macro)}
    stored |= {node.target for node in tree.find_all(nodes.Import)}
    for taken in tree.find_all(nodes.FromImport):
        stored |= {name if isinstance(name, str) else name[1] for name in taken.names}
    # what is asked for with `is defined` may be missing: a file that several papers share
    stored |= {t.node.name for t in tree.find_all(nodes.Test) if t.name == "defined" and isinstance(t.node, nodes.Name)}
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.target, nodes.Name):
            known[loop.target.name] = _entity_of(checked, known, stored - {*known}, loop.iter)
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name not in stored | KNOWN and not _has(checked, checked.entity, node.name):
            hint = did_you_mean(node.name, _names(checked, checked.entity))
            checked.problem(
                "E304",
                phrase("{entity} has no field '{node}'", entity=checked.entity, node=node.name),
                node.lineno,
                hint,
            )
    for path in tree.find_all(nodes.Getattr):
        owner = _entity_of(checked, known, stored - {*known}, path.node)
        if owner is not None and not _has(checked, owner, path.attr):
            hint = did_you_mean(path.attr, _names(checked, owner))
            checked.problem(
                "E304", phrase("{owner} has no field '{attr}'", owner=owner, attr=path.attr), path.lineno, hint
            )
    for call in tree.find_all(nodes.Call):
        word = call.args[0].value if call.args and isinstance(call.args[0], nodes.Const) else None
        if isinstance(call.node, nodes.Name) and isinstance(word, str):
            if call.node.name == "label":
                yield word
            elif call.node.name == "text" and word not in checked.texts:
                checked.problem("E304", phrase("there is no text '{name}' under `texts:`", name=word), call.lineno)
    for part in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        template = getattr(part, "template", None)
        name = template.value if isinstance(template, nodes.Const) else None
        if name in checked.files:
            yield from checked.included(str(name))
        elif isinstance(name, str):
            checked.problem(
                "E326",
                phrase("there is no file documents/{name}", name=name),
                part.lineno,
                did_you_mean(name, checked.files),
            )


def _names(checked: _Checked, entity: str) -> list[str]:
    draft = checked.ctx.drafts[entity]
    return [*draft.fields, *draft.inverses]


def _has(checked: _Checked, entity: str, name: str) -> bool:
    return name in ("id", "title") or checked.types.of(entity, name) is not None


def _entity_of(checked: _Checked, known: Mapping[str, str | None], hidden: set[str], node: nodes.Node) -> str | None:
    """The entity of the record, or of the records of the list, that an expression gives, where that is certain."""
    if isinstance(node, nodes.Name):
        if node.name in known:
            return known[node.name]
        return None if node.name in hidden else _target(checked, checked.entity, node.name)
    if isinstance(node, nodes.Getattr):
        owner = _entity_of(checked, known, hidden, node.node)
        return _target(checked, owner, node.attr) if owner is not None else None
    return None


def _target(checked: _Checked, entity: str, name: str) -> str | None:
    type = checked.types.of(entity, name)
    if type is None or type.kind not in ("record", "records") or len(type.entities) != 1:
        return None
    return type.entities[0]
