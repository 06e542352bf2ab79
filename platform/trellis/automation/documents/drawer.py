"""The process that fills a template in and draws it: it has no database, no network and no file but the fonts.

It is started anew for every paper. What it needs it asks its parent for, one line of JSON each way; the last line that
it writes is the paper, or what was wrong with the template. It reads nothing else of Trellis: it starts quickly.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trellis.automation.documents.shown import (
    Choice,
    Day,
    Moment,
    Money,
    Number,
    Parts,
    Picture,
    Record,
    Records,
    Shown,
    amount_of,
)

MEMORY = 1_500_000_000
SECONDS = 20  # of work; the parent stops what only waits
LONGEST_HTML = 5_000_000
LONGEST_PAPER = 500  # pages
BODY = "document"  # the name of the template itself
MARGINS = ("name", "header", "footer")  # short texts, which are templates too


class Channel:
    """Lines of JSON to the parent and back."""

    def __init__(self) -> None:
        # whatever a library prints goes where errors go, and not between the lines
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._in = sys.stdin

    def ask(self, **question: Any) -> Any:
        """The answer to a question."""
        self.say(**question)
        line = self._in.readline()
        if not line:
            raise SystemExit(1)
        return json.loads(line)

    def say(self, **what: Any) -> None:
        """A line without an answer."""
        self._out.write(json.dumps(what) + "\n")
        self._out.flush()

    def first(self) -> Any:
        """What the parent begins with."""
        return json.loads(self._in.readline())


class Drawer:
    """One paper in the making."""

    def __init__(self, channel: Channel, given: Mapping[str, Any]) -> None:
        self.channel, self.given = channel, given
        self.language = str(given["language"])

    def value(self, value: Any) -> Any:
        """A value as templates see it."""
        if not isinstance(value, dict):
            return value
        kind, shown = value["t"], value.get("s", "")
        return _MAKERS[kind](self, value, shown)

    def texts(self) -> dict[str, str]:
        """Every template of the paper, filled in: its body, what it is called, what stands above and below."""
        from jinja2 import DictLoader, StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        templates: Mapping[str, str] = self.given["templates"]
        environment = ImmutableSandboxedEnvironment(
            loader=DictLoader(dict(templates)),
            autoescape=lambda name: name in (None, BODY) or "/" in str(name) or "." in str(name),
            undefined=StrictUndefined,
            finalize=self._written,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"money": self._money, "number": self._number, "day": self._day, "lines": _lines}
        given = self.given
        record = Record(self, given["entity"], given["id"], given["title"], given["record"])
        labels, texts = given["labels"], given["texts"]
        names = {
            **{name: self.value(value) for name, value in (given["record"] | given["values"]).items()},
            "record": record,
            "label": lambda path: labels.get(path, path),
            "text": lambda key: texts.get(key, key),
            "language": self.language,
        }
        made = {}
        for name in (BODY, *(word for word in MARGINS if word in templates)):
            made[name] = environment.get_template(name).render(names)
            if len(made[name]) > LONGEST_HTML:
                raise ValueError("the paper is too long")
        return made

    def page(self, texts: Mapping[str, str]) -> str:
        """The whole page: the body between the style and the margins."""
        from html import escape

        body = texts[BODY]
        if self.given["markdown"]:
            from markdown_it import MarkdownIt

            body = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(body)
        style = self.given["style"]
        for word in ("header", "footer"):
            style = style.replace(f"{{{word}}}", _css_text(texts.get(word, "")))
        title = escape(texts.get("name", ""))
        head = f'<meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        return f'<!doctype html><html lang="{escape(self.language)}"><head>{head}</head><body>{body}</body></html>'

    def pdf(self, page: str, title: str) -> bytes:
        """The paper."""
        import plutoprint

        asked = self

        class Fetcher(plutoprint.ResourceFetcher):
            """Pictures of the record and of the layer; nothing else has an address."""

            def fetch_url(self, url: str) -> Any:
                found = asked.channel.ask(ask="picture", address=url)
                if found is None:
                    raise ValueError("not a picture of this paper")
                return plutoprint.ResourceData(base64.b64decode(found["content"]), mime_type=found["type"])

        book = plutoprint.Book(plutoprint.PAGE_SIZE_A4)
        book.custom_resource_fetcher = Fetcher()
        book.set_metadata(plutoprint.PDF_METADATA_TITLE, title)
        book.set_metadata(plutoprint.PDF_METADATA_AUTHOR, self.given["author"])
        book.set_metadata(plutoprint.PDF_METADATA_CREATOR, "Trellis")
        book.load_html(page)
        if book.get_page_count() > LONGEST_PAPER:
            raise ValueError("the paper is too long")
        stream = io.BytesIO()
        book.write_to_pdf_stream(stream)
        return stream.getvalue()

    def _written(self, value: Any) -> Any:
        """How a value is put into the page: nothing for none, words for yes and no, numbers by the language."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.given["yes"] if value else self.given["no"]
        if isinstance(value, Parts):
            return value
        if isinstance(value, Money) and not value.shown:
            return self._money(value)  # computed here
        if isinstance(value, (Choice, Number, Day, Moment, Shown)):
            return value.shown
        if isinstance(value, (Decimal, float)):
            return self._number(value)
        if isinstance(value, date):
            return self._day(value)
        return value

    def _locale(self) -> Any:
        from babel import Locale

        return Locale.parse(self.language.replace("-", "_"))

    def _money(self, value: Any, currency: str = "") -> str:
        """`total * 2 | money("EUR")`, `{{ sum | money(total.currency) }}`."""
        from babel.numbers import format_currency

        if value is None:
            return ""
        currency = currency or getattr(value, "currency", "")
        return str(format_currency(Decimal(amount_of(value)), currency, locale=self._locale()))

    def _number(self, value: Any, decimals: int | None = None) -> str:
        """`{{ quantity | number(2) }}`."""
        from babel.numbers import format_decimal

        if value is None:
            return ""
        pattern = "#,##0.######" if decimals is None else "#,##0." + "0" * max(0, min(decimals, 12))
        return str(format_decimal(Decimal(amount_of(value)), format=pattern.rstrip("."), locale=self._locale()))

    def _day(self, value: Any, style: str = "medium") -> str:
        """`{{ valid_to | day("long") }}`: short, medium, long, full."""
        from babel.dates import format_date

        return "" if value is None else str(format_date(value, style, locale=self._locale()))


def _lines(value: Any) -> Any:
    """A text with its line breaks."""
    from markupsafe import Markup, escape

    return Markup("<br>").join(escape(line) for line in str(value or "").splitlines())


def _css_text(text: str) -> str:
    """A text as a string of CSS has it."""
    plain = " ".join(text.split())
    return "".join(c if c.isalnum() or c in " .,:;·/-+()" or ord(c) > 0x7F else f"\\{ord(c):x} " for c in plain)


def _marked(kind: Any, shown: str, *given: Any) -> Any:
    made = kind(*given)
    made.shown = shown
    return made


def _day_of(self: Drawer, value: Mapping[str, Any], shown: str) -> Any:
    day = date.fromisoformat(value["v"])
    return _marked(Day, shown, day.year, day.month, day.day)


def _moment_of(self: Drawer, value: Mapping[str, Any], shown: str) -> Any:
    moment = datetime.fromisoformat(value["v"])
    made = Moment.fromtimestamp(moment.timestamp(), moment.tzinfo)
    made.shown = shown
    return made


def _html_of(self: Drawer, value: Mapping[str, Any], shown: str) -> Any:
    from markupsafe import Markup

    return Markup(value["v"])


_MAKERS: dict[str, Any] = {
    "choice": lambda self, value, shown: _marked(Choice, shown, value["v"]),
    "number": lambda self, value, shown: _marked(Number, shown, value["v"]),
    "money": lambda self, value, shown: Money(Decimal(value["v"]), value["c"], shown),
    "day": _day_of,
    "moment": _moment_of,
    "html": _html_of,
    "parts": lambda self, value, shown: Parts(value["v"], shown),
    "record": lambda self, value, shown: Record(self, value["entity"], value["id"], shown),
    "records": lambda self, value, shown: Records(self, value["v"]),
    "files": lambda self, value, shown: [Picture(each["id"], each["name"]) for each in value["v"]],
    "values": lambda self, value, shown: Parts({k: self.value(v) for k, v in value["v"].items()}, shown),
}


def _bound() -> None:
    try:
        import resource
    except ImportError:  # not on Windows; the parent's clock holds there too
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _line_of(error: BaseException) -> int | None:
    """Where in the template it happened."""
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>" or trace.tb_frame.f_globals.get("__jinja_template__"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line if isinstance(line, int) else None


def main() -> None:
    """Draw one paper."""
    channel = Channel()
    given = channel.first()
    _bound()
    drawer = Drawer(channel, given)
    from jinja2 import TemplateError
    from jinja2.exceptions import SecurityError

    try:
        texts = drawer.texts()
    except SecurityError:
        channel.say(wrong="it reaches for something that templates may not", line=None)
        return
    except (TemplateError, ValueError, TypeError, ArithmeticError, OverflowError, RecursionError, MemoryError) as error:
        channel.say(wrong=str(error)[:500] or type(error).__name__, line=_line_of(error))
        return
    name = " ".join(texts.get("name", "").split())
    paper = drawer.pdf(drawer.page(texts), name)
    channel.say(paper=base64.b64encode(paper).decode(), name=name)


if __name__ == "__main__":
    main()
