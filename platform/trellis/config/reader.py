"""Reads YAML strictly: plain data with a tree of places beside it, and problems in place of exceptions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import Any, NoReturn

import yaml

from trellis.config.phrase import phrase
from trellis.config.problem import Mark, Problem
from trellis.config.scalars import resolve_plain
from trellis.config.source import Place, Source
from trellis.config.unreadable import sentence_of

MAX_BYTES = 1_000_000
MAX_SCALAR = 100_000
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_DOCUMENTS = 1_000
MAX_PROBLEMS = 50

Data = Any
"""Plain data: None, bool, int, Decimal, str, list, dict with text keys."""


@dataclass
class Content:
    """What a file holds: its documents as (data, place), the problems that were found, and its text."""

    source: Source
    documents: list[tuple[Data, Place]] = dc_field(default_factory=list)
    problems: list[Problem] = dc_field(default_factory=list)


def read_yaml(text: str | bytes, file: str, layer: str = "") -> Content:
    """Read every document of a file. Whatever the bytes are, the answer is data and problems, never an exception."""
    if len(text) > MAX_BYTES:
        problem = Problem(
            "E109", phrase("the file is larger than {size} kB", size=MAX_BYTES // 1000), Mark(file, 1, 1, layer)
        )
        return Content(Source(file, "", layer), problems=[problem])
    if not isinstance(text, str):
        try:
            decoded = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = text[: error.start].decode("utf-8", "replace")
            source = Source(file, text.decode("utf-8", "replace"), layer)
            mark = source.mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
            return Content(source, problems=[Problem("E102", "the file is not UTF-8", mark, hint="save it as UTF-8")])
        return read_yaml(decoded, file, layer)
    text = text.removeprefix("\ufeff")
    content = Content(Source(file, text, layer))
    _Composer(content).run()
    return content


class _Stop(Exception):
    """Nothing after this can be trusted; the problem is noted."""


class _Frame:
    """A mapping or list that is being read."""

    __slots__ = ("anchor", "children", "data", "key", "nodes", "place", "seen")

    def __init__(self, data: Data, place: Place, anchor: str | None) -> None:
        self.data = data
        self.place = place
        self.anchor = anchor
        self.children = place.children
        self.key: tuple[str, int, int] | None = None
        self.nodes = 1
        self.seen: dict[str, int] = {}


class _Composer:
    """Builds data and places from the parser's events, with a stack of its own so that depth costs no recursion."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.source = content.source
        self.problems = content.problems
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Data, Place, int]] = {}
        self.nodes = 0

    def run(self) -> None:
        """Read to the end of the file, or to the first place that cannot be read."""
        try:
            for event in yaml.parse(self.source.text, Loader=yaml.CSafeLoader):
                self.take(event)
        except _Stop:
            pass
        except yaml.MarkedYAMLError as error:
            self.problems.append(self.syntax_problem(error))
        except yaml.reader.ReaderError as error:
            before = self.source.text[: error.position]
            mark = self.source.mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
            self.problems.append(Problem("E102", "the file holds a character that YAML does not allow", mark))
        except (yaml.YAMLError, ValueError, UnicodeError) as error:
            self.problems.append(
                Problem("E100", phrase("not readable as YAML: {error}", error=str(error)), self.source.mark(1, 1))
            )

    def take(self, event: yaml.Event) -> None:
        """Take one event of the parser."""
        match event:
            case yaml.ScalarEvent():
                self.scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                frame = self.stack.pop()
                if frame.anchor:
                    self.anchors[frame.anchor] = (frame.data, frame.place, frame.nodes)
                self.add(frame.data, frame.place, frame.nodes)
            case yaml.AliasEvent():
                self.alias(event)
            case yaml.DocumentStartEvent():
                self.anchors.clear()

    def scalar(self, event: yaml.ScalarEvent) -> None:
        line, column = self.spot(event)
        self.no_tag(event, line, column)
        raw: str = event.value
        if len(raw) > MAX_SCALAR:
            self.problem("E109", phrase("a text is longer than {size} kB", size=MAX_SCALAR // 1000), line, column)
            raw = ""
        style = event.style or ""
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.data, dict) and frame.key is None:
            self.key(frame, raw, line, column)
            return
        data = raw if style in ("'", '"', "|", ">") else resolve_plain(raw)
        place = Place(self.source, line, column, raw=raw, style=style)
        if event.anchor:
            self.anchors[event.anchor] = (data, place, 1)
        self.add(data, place, 1)

    def key(self, frame: _Frame, raw: str, line: int, column: int) -> None:
        if not raw:
            self.problem("E108", "a key is empty", line, column)
        elif raw in frame.seen:
            self.problem(
                "E101",
                phrase("key '{name}' is already set on line {line}", name=raw, line=frame.seen[raw]),
                line,
                column,
                path=self.path(raw),
            )
            frame.key = ("", line, column)  # what follows is read and left aside
            return
        frame.seen[raw] = line
        frame.key = (raw, line, column)

    def open(self, event: yaml.CollectionStartEvent) -> None:
        line, column = self.spot(event)
        self.no_tag(event, line, column)
        if len(self.stack) >= MAX_DEPTH:
            self.stop("E107", phrase("nested deeper than {most} levels", most=MAX_DEPTH), line, column)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.data, dict) and frame.key is None:
            self.stop(
                "E108",
                "a key must be a word, not a list or mapping",
                line,
                column,
                hint="quote text with braces or brackets",
            )
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        data: Data = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.stack.append(_Frame(data, Place(self.source, line, column), event.anchor))

    def alias(self, event: Any) -> None:
        line, column = self.spot(event)
        found = self.anchors.get(event.anchor)
        if found is None:
            within = any(f.anchor == event.anchor for f in self.stack)
            if within:
                self.stop("E106", phrase("anchor '{name}' is used inside itself", name=event.anchor), line, column)
            said = phrase("anchor '{name}' is not set before this line", name=event.anchor)
            self.stop("E106", said, line, column, hint="quote text that begins with *")
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.data, dict) and frame.key is None:
            self.stop("E108", "a key must be a word, not an alias", line, column, hint="quote text that begins with *")
        self.add(*found)

    def add(self, data: Data, place: Place, nodes: int) -> None:
        """Put a finished value where it belongs."""
        self.nodes += 1
        frame = self.stack[-1] if self.stack else None
        if frame is None:
            if not (data is None and place.raw == ""):
                self.content.documents.append((data, place))
            if len(self.content.documents) >= MAX_DOCUMENTS:
                self.stop(
                    "E107", phrase("more than {most} documents in a file", most=MAX_DOCUMENTS), place.line, place.column
                )
            return
        frame.nodes += nodes
        if frame.nodes > MAX_NODES or self.nodes > MAX_NODES:
            self.stop("E107", "too many values (aliases counted as often as they are used)", place.line, place.column)
        if isinstance(frame.data, list):
            frame.children[len(frame.data)] = place
            frame.data.append(data)
            return
        assert frame.key is not None
        key, line, column = frame.key
        frame.key = None
        if key == "<<" and isinstance(data, dict | list):
            self.merge(frame, data, place)
        elif key:
            frame.data[key] = data
            frame.children[key] = place.under(line, column)

    def merge(self, frame: _Frame, data: Data, place: Place) -> None:
        """`<<: *base`: what the mapping does not say itself."""
        for index, base in enumerate(data if isinstance(data, list) else [data]):
            children = place.children[index].children if isinstance(data, list) else place.children
            if isinstance(base, dict):
                for key, value in base.items():
                    if key not in frame.data:
                        frame.data[key] = value
                        frame.children[key] = children[key]

    def no_tag(self, event: Any, line: int, column: int) -> None:
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self.problem(
                "E105",
                phrase("YAML tags are not used here: {tag}", tag=tag),
                line,
                column,
                hint="quote text that begins with !",
            )

    def path(self, key: str) -> str:
        keys = [f.key[0] for f in self.stack[:-1] if f.key is not None]
        return ".".join([*keys, key])

    def spot(self, event: Any) -> tuple[int, int]:
        return event.start_mark.line + 1, event.start_mark.column + 1

    def problem(self, code: str, message: str, line: int, column: int, *, hint: str = "", path: str = "") -> None:
        self.problems.append(Problem(code, message, self.source.mark(line, column), path, hint))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop

    def stop(self, code: str, message: str, line: int, column: int, *, hint: str = "") -> NoReturn:
        self.problem(code, message, line, column, hint=hint)
        raise _Stop

    def syntax_problem(self, error: yaml.MarkedYAMLError) -> Problem:
        spot = error.problem_mark or error.context_mark
        if error.context_mark and "quoted scalar" in str(error.context):
            spot = error.context_mark  # where the quote opens, which is where one must look
        line, column = (spot.line + 1, spot.column + 1) if spot else (1, 1)
        problem, context = sentence_of(error.problem), sentence_of(error.context)
        told = (
            phrase("not readable as YAML: {context} {problem}", context=context, problem=problem)
            if context and problem
            else phrase("not readable as YAML: {error}", error=context or problem)
        )
        return Problem(
            "E100",
            told,
            self.source.mark(line, column),
            hint=self.advice(line),
        )

    def sticks_out(self, line: int) -> bool:
        """Whether a line is indented otherwise than the one above, which is complete by itself."""
        here, above = self.source.line(line), self.source.line(line - 1) if line > 1 else ""
        complete = re.fullmatch(r"\s*[\w-]+:\s+\S.*", above) is not None
        return complete and re.match(r"\s*[\w-]+:", here) is not None and _indent(here) > _indent(above)

    def advice(self, line: int) -> str:
        text = self.source.line(line)
        if (glued := re.match(r"\s*([\w-]+):[^\s:/]", text)) and not re.match(r"\s*(- )?[\w-]+:(\s|$)", text):
            return phrase("a space goes after '{name}:'", name=glued[1])
        if (above := re.match(r"\s*([\w-]+):[^\s:/]", self.source.line(line - 1) if line > 1 else "")) is not None:
            return phrase("a space goes after '{name}:' in the line above", name=above[1])
        if "\t" in text[: len(text) - len(text.lstrip())]:
            return "tabs do not indent; use spaces"
        if self.sticks_out(line):
            return "indent it like the lines beside it"
        if "\t" in text:
            return "use spaces, not tabs"
        if re.search(r"\{[^}]*[:,]\s*[^,}]*[\[({]", text):
            return "quote the formula"
        if re.search(r":\s*[@`%]", text):
            return "quote text that begins with @, ` or %"
        if re.search(r"^\s*[\w-]+:\s.*: ", text):
            return "quote text that holds ': '"
        return ""


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
