"""Named formats that layers declare, beside those of the platform."""

from __future__ import annotations

import re
from collections.abc import Callable

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.formats.registry import FORMATS, Format


def compile_formats(ctx: Context) -> dict[str, Format]:
    """Every `format:` document."""
    found: dict[str, Format] = {}
    for key, document in ctx.configuration.of("format").items():
        item = Item(dict(document.data), document.place, "", document.name)
        pattern = item.get("pattern")
        if pattern is None or not is_pattern(ctx, pattern):
            continue
        label = item.word("label", key.replace("-", " "))
        found[key] = Format(key, label, pattern.text, tidy=_tidy(item), message=ctx.text(item, "message") or None)
        example = item.get("example")
        if example is not None and found[key].check(found[key].tidy(example.text)) is not None:
            ctx.problem("E217", phrase("the example '{name}' does not match the pattern", name=example.text), example)
    ctx.formats = frozenset({*FORMATS, *ctx.configuration.of("format")})
    return found


def is_pattern(ctx: Context, item: Item) -> bool:
    """Whether a text is a regular expression; notes a problem if not."""
    try:
        re.compile(item.text)
    except (re.error, RecursionError, OverflowError) as error:
        ctx.problem("E216", phrase("not a regular expression: {error}", error=error), item)
        return False
    return True


def _tidy(item: Item) -> Callable[[str], str]:
    case, dropped = item.word("case"), item.word("strip")

    def tidy(text: str) -> str:
        text = "".join(c for c in text if c not in dropped).strip()
        return text.upper() if case == "upper" else text.lower() if case == "lower" else text

    return tidy
