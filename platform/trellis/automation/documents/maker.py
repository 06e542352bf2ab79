"""Making a paper: the template's process is started, told what it asks for, and stopped when it takes too long."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Timer
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

import orjson

from trellis.automation.documents.fonts import font_settings
from trellis.automation.documents.style import style_of
from trellis.automation.documents.values import Values
from trellis.automation.mail.words import words
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation.document import DocumentTemplate
from trellis.model.locales import babel_locale
from trellis.records.graph import StoreGraph
from trellis.records.refusal import Fault, Missing, Refused
from trellis.records.writing.files import find_file

if TYPE_CHECKING:
    from trellis.records.store import Store

TIMEOUT = 30  # seconds for a whole paper
AT_ONCE = 4  # papers in the making in one process: whoever wants more waits
BODY = "document"
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
LARGEST_PICTURE = 8_000_000
_PLATFORM = Path(__file__).parents[3]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from trellis.automation.documents.drawer import main; main()"
_free = BoundedSemaphore(AT_ONCE)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


@dataclass(frozen=True)
class Paper:
    """A paper that was made."""

    name: str
    content: bytes
    language: str
    type: str = "application/pdf"


def offered(store: Store, entity: str, id: UUID | None = None) -> list[DocumentTemplate]:
    """The papers that this person may make of records of an entity; of one record, where their conditions hold."""
    roles = store.principal.roles
    mine = [
        one
        for one in store.tenant.model.documents.values()
        if one.entity == entity and (not one.roles or store.principal.is_system or roles & set(one.roles))
    ]
    if id is None or not mine:
        return mine
    with store.transaction():
        graph = StoreGraph(store.session)
        record = graph.follow(Ref(entity, id))
        env = Env(record, store.session.reader, graph, old=record)
        return [one for one in mine if one.when is None or (record is not None and one.when.evaluate(env) is True)]


def languages_of(store: Store) -> tuple[str, ...]:
    """The languages that a paper may be asked in."""
    return tuple(dict.fromkeys((store.tenant.profile.language, *store.tenant.model.languages)))


def language_of(store: Store, document: DocumentTemplate, id: UUID) -> str:
    """The language that the document says, the customer's usually; else the reader's."""
    with store.transaction():
        graph = StoreGraph(store.session)
        record = graph.follow(Ref(document.entity, id))
        said = document.language.evaluate(Env(record, store.session.reader, graph, old=record))
    known = {one.lower(): one for one in languages_of(store)}
    tag = str(said or "").lower()
    while tag:
        if tag in known:
            return known[tag]
        if tag in ("zh", "zh-cn"):
            tag = "zh-hans"
            continue
        tag = tag.rpartition("-")[0]
    return store.principal.reader.language


def make(store: Store, document: DocumentTemplate, id: UUID, *, files: Path | None, language: str = "") -> Paper:
    """The paper of a record, with what the store's principal may read. Raises Missing, and Refused with the fault."""
    with store.transaction():
        language = language or language_of(store, document, id)
        values = Values(store, language)
        record = values.record(document.entity, id)
        drawer = _Drawer(store, document, values, files)
        return drawer.draw(_given(store, document, values, id, record), language)


def _given(
    store: Store, document: DocumentTemplate, values: Values, id: UUID, record: Mapping[str, Any]
) -> dict[str, Any]:
    tenant, language, say = store.tenant, values.reader.language, words(values.reader.language)
    profile, me = tenant.profile, store.principal
    today = values.reader.today()
    templates = {
        **tenant.model.document_files,
        **{word: text for word in ("name", "header", "footer") if (text := getattr(document, word))},
        BODY: document.body,
    }
    logo = str(profile.theme.get("logo") or "")
    company = {
        "name": profile.label,
        "currency": profile.currency,
        "color": str(profile.theme.get("color") or "#374151"),
        "logo": logo if logo in tenant.model.document_files else None,
    }
    shown_today = _day(today.isoformat(), language)
    return {
        "language": language,
        "markdown": document.is_markdown,
        "templates": templates,
        "entity": document.entity,
        "id": str(id),
        "title": str(record.get("title") or ""),
        "record": record,
        "values": {
            "company": {"t": "values", "v": company, "s": profile.label},
            "today": {"t": "day", "v": today.isoformat(), "s": shown_today},
            "user": {"t": "values", "v": {"name": me.name}, "s": me.name or ""},
        },
        "labels": {path: _label(store, document.entity, path, language) for path in _labels(store, document)},
        "texts": {key: text.in_language(language) for key, text in document.texts.items()},
        "style": style_of(document, company["color"] or ""),
        "author": profile.label,
        "yes": say("Yes"),
        "no": say("No"),
    }


def _labels(store: Store, document: DocumentTemplate) -> list[str]:
    return [*document.labels, ""]


def _day(day: str, language: str) -> str:
    from datetime import date

    from babel.dates import format_date

    return str(format_date(date.fromisoformat(day), "medium", locale=babel_locale(language)))


def _label(store: Store, entity: str, path: str, language: str) -> str:
    """What the field at the end of a path is called; with no path, the entity itself."""
    entities = store.tenant.model.entities
    current, text = entities[entity], entities[entity].label
    for name in path.split(".") if path else ():
        field, inverse = current.fields.get(name), current.inverses.get(name)
        if field is None and inverse is None:
            return name
        if field is not None:
            text, type = field.label, field.type.formula_type()
            targets = type.entities
        elif inverse is not None:
            text, targets = inverse.label, (inverse.entity,)
        if len(targets) == 1 and targets[0] in entities:
            current = entities[targets[0]]
    return text.in_language(language)


class _Drawer:
    """The template's process, seen from here."""

    def __init__(self, store: Store, document: DocumentTemplate, values: Values, files: Path | None) -> None:
        self.store, self.document, self.values, self.files = store, document, values, files

    def draw(self, given: Mapping[str, Any], language: str) -> Paper:
        """Start it, answer it, and take what it has made."""
        with _free:
            return self._draw(given, language)

    def _draw(self, given: Mapping[str, Any], language: str) -> Paper:
        kept = self.store.tenant.database.files
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, str(_PLATFORM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                "PATH": os.defpath,
                "LANG": "C.UTF-8",
                "PYTHONUTF8": "1",
                **font_settings(kept.parent if kept is not None else None),
            },
            close_fds=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        clock = Timer(TIMEOUT, process.kill)
        clock.start()
        try:
            said = self._converse(process.stdin, process.stdout, given)
        except (BrokenPipeError, EOFError):
            params = {"document": self._label}
            raise Refused(
                [Fault("document", "“{document}” cannot be made: it takes too long, or too much memory.", None, params)]
            ) from None
        finally:
            clock.cancel()
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        if "wrong" in said:
            where = self.document.key + (f":{said['line']}" if said.get("line") else "")
            params = {"document": self._label, "reason": said["wrong"], "where": where}
            raise Refused([Fault("document", "“{document}” cannot be made: {reason} ({where})", None, params)])
        name = _UNSAFE.sub(" ", said["name"]).strip(" .") or f"{self.document.key} {given['title']}".strip()
        return Paper(f"{name[:150]}.pdf", base64.b64decode(said["paper"]), language)

    def _converse(self, to: IO[bytes], out: IO[bytes], given: Mapping[str, Any]) -> dict[str, Any]:
        _say(to, given)
        while line := out.readline():
            asked: dict[str, Any] = orjson.loads(line)
            if "ask" not in asked:
                return asked
            _say(to, self._picture(asked["address"]) if asked["ask"] == "picture" else self.values.answer(asked))
        raise EOFError

    def _picture(self, address: str) -> dict[str, str] | None:
        """A picture of the record that the reader has been shown, or a drawing of the layer; nothing else."""
        kind, _, rest = address.partition(":")
        if kind == "record" and rest in self.values.files and self.files is not None:
            found = find_file(self.store, self.files, UUID(rest))
            if found is None or found.type not in PICTURES or found.size > LARGEST_PICTURE or not found.path.is_file():
                return None
            return {"type": found.type, "content": base64.b64encode(found.path.read_bytes()).decode()}
        drawn = kind == "layer" and rest.endswith(".svg")
        text = self.store.tenant.model.document_files.get(rest) if drawn else None
        if text is None:
            return None
        return {"type": "image/svg+xml", "content": base64.b64encode(text.encode()).decode()}

    @property
    def _label(self) -> str:
        return self.document.label.in_language(self.store.principal.reader.language)


def _say(to: IO[bytes], what: Any) -> None:
    to.write(orjson.dumps(what) + b"\n")
    to.flush()


def document_or_missing(store: Store, entity: str, id: UUID, key: str) -> DocumentTemplate:
    """A paper that this person is offered on a record. Raises Missing."""
    found = next((one for one in offered(store, entity, id) if one.key == key), None)
    if found is None:
        raise Missing(key)
    return found
