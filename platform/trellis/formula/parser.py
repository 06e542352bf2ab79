"""Text to syntax tree: a Lark LALR parser that is built once, and a cache of what was parsed."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from trellis.config.phrase import phrase
from trellis.formula import limits
from trellis.formula.errors import FormulaError, FormulaFault
from trellis.formula.syntax import (
    BinaryNode,
    CallNode,
    ChainNode,
    ListNode,
    LiteralNode,
    MemberNode,
    NameNode,
    Node,
    UnaryNode,
)

_ESCAPES = {"n": "\n", "t": "\t"}
_ESCAPE = re.compile(r"\\(.)", re.S)
_HINTS = {
    "&&": "write 'and'",
    "||": "write 'or'",
    "!": "write 'not'",
    "^": "use power(x, y)",
    "[": "use parentheses: (a, b)",
    "{": "use parentheses: (a, b)",
    "?": "use if(condition, then, else)",
    '"': "the quote is not closed",
    "'": "the quote is not closed",
    ";": "separate arguments with commas",
    ":": "use if(condition, then, else)",
    "“": 'write plain quotes: "text"',
    "”": 'write plain quotes: "text"',
    "„": 'write plain quotes: "text"',
    "‘": "write plain quotes: 'text'",
    "’": "write plain quotes: 'text'",
    "，": "write a plain comma",
    "（": "write plain parentheses",
    "）": "write plain parentheses",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "×": "write *",
    "÷": "write /",
}

_BETWEEN_TEXTS = frozenset({"contains", "starts_with", "ends_with"})  # functions that other languages write between
_WORDS = ("and", "or", "not", "in", "between")


def _depth(nodes: tuple[Node, ...]) -> int:
    return 1 + max((n.depth for n in nodes), default=0)


def _size(nodes: tuple[Node, ...]) -> int:
    return 1 + sum(n.size for n in nodes)


class _Build(Transformer[Token, Node]):
    """Lark's callbacks. Keywords and brackets are kept (keep_all_tokens), for their places."""

    def start(self, c: list[Any]) -> Node:
        return c[0]  # type: ignore[no-any-return]

    def number(self, c: list[Any]) -> Node:
        return LiteralNode(c[0].start_pos, c[0].end_pos, 1, 1, Decimal(str(c[0])))

    def string(self, c: list[Any]) -> Node:
        text = _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), c[0][1:-1])
        return LiteralNode(c[0].start_pos, c[0].end_pos, 1, 1, text)

    def true(self, c: list[Any]) -> Node:
        return LiteralNode(c[0].start_pos, c[0].end_pos, 1, 1, True)

    def false(self, c: list[Any]) -> Node:
        return LiteralNode(c[0].start_pos, c[0].end_pos, 1, 1, False)

    def blank(self, c: list[Any]) -> Node:
        return LiteralNode(c[0].start_pos, c[0].end_pos, 1, 1, None)

    def name(self, c: list[Any]) -> Node:
        return NameNode(c[0].start_pos, c[0].end_pos, 1, 1, str(c[0]))

    def group(self, c: list[Any]) -> Node:
        return c[1]  # type: ignore[no-any-return]

    def values(self, c: list[Any]) -> Node:
        items = tuple(x for x in c if isinstance(x, Node))
        return ListNode(c[0].start_pos, c[-1].end_pos, _depth(items), _size(items), items)

    pair = values

    def call(self, c: list[Any]) -> Node:
        args = tuple(x for x in c if isinstance(x, Node))
        return CallNode(c[0].start_pos, c[-1].end_pos, _depth(args), _size(args), str(c[0]), args)

    def member(self, c: list[Any]) -> Node:
        of, _, name = c
        return MemberNode(of.start, name.end_pos, of.depth + 1, of.size + 1, of, str(name), name.start_pos)

    def sign(self, c: list[Any]) -> Node:
        return UnaryNode(c[0].start_pos, c[1].end, c[1].depth + 1, c[1].size + 1, str(c[0]), c[1])

    not_ = sign

    def _binary(self, op: str, left: Node, right: Node, at: int) -> Node:
        both = (left, right)
        return BinaryNode(left.start, right.end, _depth(both), _size(both), op, left, right, at)

    def binary(self, c: list[Any]) -> Node:
        return self._binary(str(c[1]), c[0], c[2], c[1].start_pos)

    def compare(self, c: list[Any]) -> Node:
        op = {"=": "==", "<>": "!="}.get(str(c[1]), str(c[1]))
        return self._binary(op, c[0], c[2], c[1].start_pos)

    def in_(self, c: list[Any]) -> Node:
        return self._binary("in", c[0], c[2], c[1].start_pos)

    def not_in(self, c: list[Any]) -> Node:
        return self._binary("not in", c[0], c[3], c[1].start_pos)

    def between(self, c: list[Any]) -> Node:
        return self._binary("between", c[0], c[2], c[1].start_pos)

    def not_between(self, c: list[Any]) -> Node:
        return self._binary("not between", c[0], c[3], c[1].start_pos)

    def _chain(self, op: str, c: list[Any]) -> Node:
        left, _, right = c
        items = (*left.items, right) if isinstance(left, ChainNode) and left.op == op else (left, right)
        return ChainNode(left.start, right.end, _depth(items), _size(items), op, items)

    def or_(self, c: list[Any]) -> Node:
        return self._chain("or", c)

    def and_(self, c: list[Any]) -> Node:
        return self._chain("and", c)

    def concat(self, c: list[Any]) -> Node:
        return self._chain("&", c)


@cache
def _lark() -> Lark:
    grammar = files("trellis.formula").joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", keep_all_tokens=True, maybe_placeholders=False, transformer=_Build())


def _syntax_fault(source: str, error: UnexpectedCharacters | UnexpectedToken | UnexpectedEOF) -> FormulaFault:
    at = error.pos_in_stream if error.pos_in_stream is not None else len(source)
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        token = str(error.token)
        if token == "," and "between" in source:
            return FormulaFault("E401", "unexpected ','", at, 1, "between takes two values: between (a, b)")
        hint = "a comparison takes two sides; join comparisons with 'and'" if error.token.type == "COMPARE" else ""
        if token == "&" and source[at - 1 : at] == "&":
            hint = "write 'and'"
        elif token != token.lower() and token.lower() in _WORDS:
            hint = phrase("write {what}", what=token.lower())
        elif token in _BETWEEN_TEXTS:
            hint = phrase("write {what}", what=f"{token}(text, part)")
        elif token == "," and re.search(r"\d,\d", source[max(at - 1, 0) : at + 2]):
            hint = "a decimal point is a point: 1.5"
        return FormulaFault("E401", phrase("unexpected '{what}'", what=token[:40]), at, max(len(token), 1), hint)
    if isinstance(error, UnexpectedCharacters):
        found = source[at : at + 2]
        hint = _HINTS.get(found) or _HINTS.get(found[:1], "")
        return FormulaFault("E401", phrase("unexpected '{what}'", what=found[:1]), at, 1, hint)
    end = len(source.rstrip())
    return FormulaFault("E401", "the formula ends too early", max(end - 1, 0), 1, "something is missing at the end")


def _limit_fault(source: str, message: str) -> FormulaError:
    return FormulaError([FormulaFault("E407", message, 0, max(len(source), 1))], source)


def _moved(source: str, skipped: int, error: FormulaError) -> FormulaError:
    moved = [FormulaFault(f.code, f.message, f.offset + skipped, f.length, f.hint) for f in error.faults]
    return FormulaError(moved, source)


@lru_cache(maxsize=8192)
def _parse(source: str) -> Node | FormulaError:
    if len(source) > limits.MAX_LENGTH:
        return _limit_fault(source[:1], phrase("a formula has at most {most} characters", most=limits.MAX_LENGTH))
    for at, character in enumerate(source):
        if character == "\x00" or "\ud800" <= character <= "\udfff":
            return FormulaError([FormulaFault("E401", "a character that no text can hold", at)], source)
    # a leading = does no harm: blanked, so that the places stay true
    text = re.sub(r"^(\s*)=(?!=)", r"\1 ", source)
    if not text.strip():
        return FormulaError([FormulaFault("E401", "the formula is empty", 0, 1)], source)
    try:
        node: Any = _lark().parse(text)
    except (UnexpectedCharacters, UnexpectedToken, UnexpectedEOF) as error:
        return FormulaError([_syntax_fault(source, error)], source)
    if node.depth > limits.MAX_DEPTH:
        return _limit_fault(source, phrase("the formula nests more than {most} levels deep", most=limits.MAX_DEPTH))
    if node.size > limits.MAX_NODES:
        return _limit_fault(source, phrase("the formula has more than {most} parts", most=limits.MAX_NODES))
    return node  # type: ignore[no-any-return]


def parse(source: str) -> Node:
    """The syntax tree of a formula; raises FormulaError with the place of the fault."""
    result = _parse(source)
    if isinstance(result, FormulaError):
        raise FormulaError(result.faults, source)
    return result
