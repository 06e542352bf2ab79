"""len upper lower trim left right mid contains starts_with ends_with replace similar split join format."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.config.phrase import phrase
from trellis.formula import exact, texts
from trellis.formula.checker import Checker
from trellis.formula.functions.registry import function, special
from trellis.formula.nodes.base import Expr, Literal
from trellis.formula.nodes.convert import AsText
from trellis.formula.patterns import Pattern
from trellis.formula.sql import texts as sqlt
from trellis.formula.syntax import CallNode
from trellis.formula.types import TEXT

FAMILY = "text"

len_ = function("len", "len(text)", "How many characters the text has, or items the list.", family=FAMILY)
len_("text -> number", lambda v: exact.decimal(len(v)), lambda s, v: sa.cast(sa.func.char_length(v), sa.Numeric()))
len_("list -> number", lambda v: exact.decimal(len(v)), lambda s, v: sa.cast(sa.func.cardinality(v), sa.Numeric()))

upper = function("upper", "upper(text)", "In capitals, letter for letter.", family=FAMILY)
upper("text -> text", texts.upper, lambda s, v: sqlt.upper(v))
lower = function("lower", "lower(text)", "In small letters, letter for letter.", family=FAMILY)
lower("text -> text", texts.lower, lambda s, v: sqlt.lower(v))
trim = function("trim", "trim(text)", "Without spaces at both ends.", family=FAMILY)
trim("text -> text", texts.trim, lambda s, v: sqlt.trim(v))

left = function("left", "left(text, n)", "The first n characters.", family=FAMILY)
left("text, number -> text", texts.left, lambda s, v, n: sa.func.left(v, sqlt.count(n), type_=sa.Text()))
right = function("right", "right(text, n)", "The last n characters.", family=FAMILY)
right("text, number -> text", texts.right, lambda s, v, n: sa.func.right(v, sqlt.count(n), type_=sa.Text()))
mid = function(
    "mid",
    "mid(text, start, n)",
    "n characters from the position `start`, which counts from 1; without n, all.",
    family=FAMILY,
)
mid("text, number, number? -> text", texts.mid, lambda s, v, start, n=None: sqlt.mid(v, start, n))

contains = function(
    "contains",
    "contains(text, part)",
    "Is the part in the text? Capitals count: compare lower(text) where they should not.",
    family=FAMILY,
)
contains("text, text -> boolean", lambda v, part: part in v, lambda s, v, part: sqlt.is_within(v, part))
starts_with = function("starts_with", "starts_with(text, part)", "Does the text begin with the part?", family=FAMILY)
starts_with("text, text -> boolean", str.startswith, lambda s, v, part: sqlt.starts_with(v, part))
ends_with = function("ends_with", "ends_with(text, part)", "Does the text end with the part?", family=FAMILY)
ends_with("text, text -> boolean", str.endswith, lambda s, v, part: sqlt.ends_with(v, part))

replace = function("replace", "replace(text, old, new)", "The text with every `old` replaced.", family=FAMILY)
replace("text, text, text -> text", texts.replace, lambda s, v, old, new: sqlt.replace(v, old, new), times=2)

similar = function(
    "similar",
    "similar(a, b, least)",
    "Are two texts alike? They are if they share 0.6, or `least`, of their pairs of letters; "
    "capitals and spaces do not count.",
    family=FAMILY,
    example="similar(name, this.name)",
)
similar(
    "text, text, number? -> boolean",
    texts.is_similar,
    lambda s, a, b, least=None: sqlt.is_similar(a, b, least),
    times=4,
)

split = function("split", "split(text, separator)", "The parts of a text as a list.", family=FAMILY)
split("text, text -> list", texts.split, lambda s, v, separator: sqlt.split(v, separator))
join = function("join", "join(list, separator)", "The items of a list in one text.", family=FAMILY)
join("list, text -> text", texts.join, lambda s, v, separator: sqlt.join(v, separator))


@special(
    "format",
    'format(x, "0.00")',
    "A number, money or date as text. Patterns: 0 a digit, # a digit if there is one, a comma for thousands; "
    "yyyy yy MM M dd d HH H mm ss. Without a pattern, as `&` writes it.",
    family=FAMILY,
    example='format(close_date, "dd.MM.yyyy")',
)
def _format(checker: Checker, node: CallNode) -> Expr:
    if len(node.args) not in (1, 2):
        raise checker.wrong_count(node)
    value, *rest = checker.all(node.args)
    if not rest:
        checker.text(value)
        return AsText(value, spread=True) if value.type != TEXT else value
    (pattern,) = rest
    if not isinstance(pattern, Literal) or pattern.type != TEXT:
        raise checker.fault("E405", "the pattern must be written as a text", pattern, 'such as "0.00" or "yyyy-MM-dd"')
    made = Pattern.of(value.type.kind, str(pattern.constant))
    if made is None:
        raise checker.fault(
            "E405",
            phrase("no pattern for a {type}: '{value}'", type=value.type, value=pattern.constant),
            pattern,
            'such as "#,##0.00" or "yyyy-MM-dd"',
        )
    return made.apply(node, value)
