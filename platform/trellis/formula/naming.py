"""What names mean: fields, paths over links, `old`, `this`, `me`, settings, parameters, variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.config.phrase import phrase
from trellis.formula.env import Env
from trellis.formula.functions.registry import functions
from trellis.formula.hints import name_hint
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.chosen import place
from trellis.formula.nodes.links import Narrowed, RecordId
from trellis.formula.nodes.parts import PARTS, part
from trellis.formula.nodes.paths import JsonMember, Known, Member, Place, Root
from trellis.formula.syntax import MemberNode, NameNode, Node
from trellis.formula.types import BOOLEAN, Type, Value, of_any, record_of

if TYPE_CHECKING:
    from trellis.formula.checker import Checker

NAMESPACES = ("setting", "param")
TITLE = "{title}"  # ends a path that is read as a text: the record's title


@dataclass
class Frame:
    """Whose fields plain names are: the record's, and inside an aggregate a listed record's with its outer one."""

    entity: str | None
    outer: Frame | None = None
    via: tuple[str, str] | None = None  # the links field whose rows `via` stands for
    prefix: tuple[str, ...] = ()  # what the paths read in it begin with


_BUILT_IN: dict[str, tuple[Type, str, Callable[[Env], Value]]] = {
    "me": (record_of("user"), "me", lambda env: env.reader.me),
    "my_team": (record_of("team"), "me", lambda env: env.reader.my_team),
    "is_new": (BOOLEAN, "is_new", lambda env: env.is_new),
}


def _contact(env: Env) -> Value:
    """Who somebody from outside is among the contacts."""
    return env.reader.contact


class Naming:
    """Finds names for one check."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker

    # plain names

    def name(self, node: NameNode) -> Expr:
        """A plain name."""
        found = self._known(node)
        if found is not None:
            return found
        raise self._unknown(node)

    def _known(self, node: NameNode) -> Expr | None:
        name, scope, frame = node.name, self.checker.scope, self.checker.frame
        if frame.entity is not None and (frame.outer is not None or name not in scope.shadows):
            type_ = scope.member(record_of(frame.entity), name)
            if type_ is not None:
                self.checker.reads.add((*frame.prefix, name))
                root = Root(node.start, node.start, record_of(frame.entity), "record")
                if name == "id":
                    return RecordId(node.start, node.end, root)
                return Member(node.start, node.end, type_, root, name, (frame.entity,))
        if name in ("this", "old", "via"):
            return self._root(node)
        if name in _BUILT_IN:
            type_, use, get = _BUILT_IN[name]
            given = scope.name(name)
            if given is not None and name == "me" and given != type_:  # of a portal role, `me` is a contact
                get = _contact
            type_ = given or type_
            self.checker.uses.add(use)
            return Known(node.start, node.end, type_, get)
        if name in NAMESPACES:
            return None
        type_ = scope.name(name)
        if type_ is None or (frame.outer is not None and self._is_field(name)):
            return None
        return Known(node.start, node.end, type_, lambda env: env.variables.get(name))

    def _is_field(self, name: str) -> bool:
        """Is it a field of the outermost record, which inside an aggregate is not named plainly?"""
        entity = self.checker.scope.entity
        return entity is not None and self.checker.scope.member(record_of(entity), name) is not None

    def _root(self, node: NameNode) -> Expr | None:
        frame, scope = self.checker.frame, self.checker.scope
        self.checker.uses.add(node.name)
        if node.name == "via":
            if frame.via is None:
                return None
            return Root(node.start, node.end, record_of(frame.entity or ""), "via")
        if node.name == "this" and frame.outer is not None:
            assert frame.outer.entity is not None
            return Root(node.start, node.end, record_of(frame.outer.entity), "this", inside=True)
        type_ = scope.name(node.name)
        if type_ is None and node.name == "this" and frame.entity is not None and frame.outer is None:
            # where no other record is open, this is the record itself
            return Root(node.start, node.end, record_of(frame.entity), "record")
        return None if type_ is None else Root(node.start, node.end, type_, node.name)

    def _unknown(self, node: NameNode) -> Exception:
        frame, scope = self.checker.frame, self.checker.scope
        known = [*_BUILT_IN, *(n for n in scope.names() if "." not in n)]
        hint = ""
        if frame.outer is not None and frame.entity is not None:
            known = [*_BUILT_IN, *scope.members(record_of(frame.entity))]
            outer = frame.outer.entity
            if outer is not None and scope.member(record_of(outer), node.name) is not None:
                hint = phrase("the outer record's is this.{name}", name=node.name)
        elif frame.entity is not None:
            known += scope.members(record_of(frame.entity))
        if node.name in NAMESPACES:
            return self.checker.fault("E402", phrase("'{name}' needs a name after a dot", name=node.name), node)
        hint = hint or name_hint(node.name) or self.checker.suggest(node.name, known)
        if not hint and node.name in functions():
            hint = phrase("write {usage}", usage=functions()[node.name].usage)
        return self.checker.fault("E402", phrase("unknown name '{name}'", name=node.name), node, hint)

    # dotted names

    def member(self, node: MemberNode) -> Expr:
        """A name after a dot."""
        if isinstance(node.of, NameNode) and node.of.name in NAMESPACES and self._known(node.of) is None:
            return self._spaced(node, node.of.name)
        of = self.checker.check(node.of)
        type_ = of.type
        match type_.kind:
            case "record":
                chosen = place(of)
                assert isinstance(chosen, Place)
                return self._field(node, chosen)
            case "records":
                return self._spread(node, of)
            case "json" | "any":
                return JsonMember(node.start, node.end, of, node.name)
        if node.name in PARTS.get(type_.kind, {}):
            if type_.kind == "money" and node.name == "base":
                self.checker.uses.add("rates")
            return part(node, of)
        hint = self.checker.suggest(node.name, PARTS.get(type_.kind, {}))
        raise self._no_member(node, of.type, hint)

    def _no_member(self, node: MemberNode, type_: Type, hint: str) -> Exception:
        message = phrase("a {type} has no '{name}'", type=type_, name=node.name)
        return self.checker.fault("E402", message, node, hint, start=node.name_start)

    def _spaced(self, node: MemberNode, space: str) -> Expr:
        key, scope = node.name, self.checker.scope
        type_ = scope.name(f"{space}.{key}")
        if type_ is None:
            known = [n.partition(".")[2] for n in scope.names() if n.startswith(f"{space}.")]
            hint = self.checker.suggest(key, known)
            raise self.checker.fault(
                "E402", phrase("unknown {space} '{key}'", space=space, key=key), node, hint, start=node.name_start
            )
        self.checker.uses.add(space)
        if space == "setting":
            return Known(node.start, node.end, type_, lambda env: env.reader.settings.get(key))
        return Known(node.start, node.end, type_, lambda env: _param(env.variables.get("param"), key))

    def _field(self, node: MemberNode, of: Place) -> Expr:
        scope, name = self.checker.scope, node.name
        if isinstance(of, Root) and of.which == "via":
            return self._via(node, of)
        if name == "id":
            return RecordId(node.start, node.end, of)
        entities = of.type.entities
        if len(entities) != 1 and (
            name in entities or (not entities and scope.member(of.type, name) == record_of(name))
        ):
            return Narrowed(node.start, node.end, of, name)
        having = {e: t for e in entities if (t := scope.member(record_of(e), name)) is not None}
        if not having:
            open_type = scope.member(of.type, name) if not entities else None
            if open_type is None:
                raise self._no_member(node, of.type, self.checker.suggest(name, scope.members(of.type)))
            having = dict.fromkeys(entities, open_type)
            self._read(of, name)
            return Member(node.start, node.end, open_type, of, name, ())
        first, *others = having.values()
        if first.kind == "record":
            joined = dict.fromkeys(e for t in having.values() if t.kind == "record" for e in t.entities)
            having = {e: t for e, t in having.items() if t.kind == "record"}
            first = Type("record", tuple(joined))
        elif any(t != first for t in others):
            raise self.checker.fault(
                "E405",
                phrase("'{name}' has different types in {what}", name=name, what=list(having)),
                node,
                start=node.name_start,
            )
        else:
            first = of_any(having.values())
        self._read(of, name)
        return Member(node.start, node.end, first, of, name, tuple(having))

    def _via(self, node: MemberNode, of: Root) -> Expr:
        via = self.checker.frame.via
        assert via is not None
        columns = self.checker.scope.columns(*via)
        if node.name not in columns:
            hint = self.checker.suggest(node.name, columns)
            message = phrase("{what} has no column '{name}'", what=via[1], name=node.name)
            raise self.checker.fault("E402", message, node, hint, start=node.name_start)
        self.checker.reads.add((*self.checker.frame.prefix, "via", node.name))
        return Member(node.start, node.end, columns[node.name], of, node.name, of.type.entities)

    def _spread(self, node: MemberNode, of: Expr) -> Expr:
        """A field of listed records: only an aggregate takes it, which looks at the syntax itself."""
        hint = "use it in sum(…), count(…), first(…) or another aggregate"
        raise self.checker.fault("E405", phrase("'{name}' is of several records", name=node.name), node, hint)

    def _read(self, of: Place, name: str) -> None:
        path = self.path(of)
        if path is not None:
            self.checker.reads.add((*path, name))

    def read_title(self, of: Expr) -> None:
        """Note that a record is read as a text; `titles` is used where it is not known which one."""
        path = self.path(of)
        if path is None:
            self.checker.uses.add("titles")
        else:
            self.checker.reads.add((*path, TITLE))

    def path(self, of: Expr) -> tuple[str, ...] | None:
        """The dotted path of a place that begins at the record; None for others."""
        if isinstance(of, Root):
            frame = self.checker.frame
            if of.which == "record":
                return frame.prefix
            if of.which == "this" and of.is_outer:  # of the record whose form is open: `this.account`
                return ("this",)
            return frame.outer.prefix if of.which == "this" and frame.outer is not None else None
        if isinstance(of, Narrowed):
            return self.path(of.of)
        if isinstance(of, Member):
            before = self.path(of.of)
            return None if before is None else (*before, of.name)
        return None


def _param(params: Any, key: str) -> Value:
    return params.get(key) if isinstance(params, Mapping) else None


def names_of(node: Node) -> list[str] | None:
    """The names of a dotted path as written; None where it is no path."""
    if isinstance(node, NameNode):
        return [node.name]
    if isinstance(node, MemberNode):
        before = names_of(node.of)
        return None if before is None else [*before, node.name]
    return None
