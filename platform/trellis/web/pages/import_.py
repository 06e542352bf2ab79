"""Importing a spreadsheet: upload, which column is which field, a trial that changes nothing, the import."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from itertools import islice
from typing import Any, Literal

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Response, abort, redirect, render_template, request, send_file
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from trellis.model.locales import babel_locale
from trellis.records.refusal import Fault, Forbidden
from trellis.records.transfer import BadMapping, ImportMap, RowOutcome, Unreadable, import_table
from trellis.records.transfer.importer import STATUSES, Importer
from trellis.records.transfer.mapping import FieldFinder, columns_of
from trellis.records.transfer.neutral import guard
from trellis.web.faults import fault_text
from trellis.web.guard import signed_in
from trellis.web.lists.desk import Desk, counted, open_desk
from trellis.web.lists.uploads import LARGEST, MOST_ROWS, Upload, find_upload, keep_upload
from trellis.web.pages.base import Page

SAMPLES = 3
SHOWN = 100  # failures on the page; the file has them all
NOT_FROM_CELLS = frozenset({"file", "image", "signature", "secret"})
OUTCOMES = {
    "created": _l("Created"),
    "updated": _l("Updated"),
    "skipped": _l("Left as they are"),
    "failed": _l("Refused"),
}
COLORS = {"created": "green", "updated": "blue", "skipped": "gray", "failed": "red"}


@dataclass(frozen=True)
class FileColumn:
    """A column of the file: some of what is in it, and the field that it fills."""

    at: int
    name: str
    samples: Sequence[str]
    target: str


class ImportView(Page):
    """`/e/<entity>/import`."""

    @expose("/e/<entity>/import", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def start(self, entity: str) -> Any:
        """Choosing the file."""
        desk = open_import(entity)
        if request.method == "GET":
            return render_template("import_.html", **desk.places, **first_step())
        sent = request.files.get("file")
        data = sent.read(LARGEST + 1) if sent else b""
        if sent is None or not data:
            return refuse_file(desk, _("Please choose a file that is not empty."))
        if len(data) > LARGEST:
            return refuse_file(desk, _("The file is larger than %(size)s MB.", size=LARGEST // 1_000_000))
        if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
            return refuse_file(desk, _("This is a workbook. Save it as CSV (UTF-8) in your spreadsheet program first."))
        upload = keep_upload(data, sent.filename or "", entity)
        try:
            rows = sum(1 for _row in islice(upload.table.rows(), MOST_ROWS + 1))
        except Unreadable as fault:
            return refuse_file(desk, unreadable(fault))
        if rows > MOST_ROWS:
            return refuse_file(desk, _("The file has more than %(count)s rows: divide it.", count=counted(MOST_ROWS)))
        if not rows:
            return refuse_file(desk, _("The file has a header, but no rows."))
        upload.note({"rows": rows})
        return redirect(f"{desk.base}/import/{upload.token}", code=303)

    @expose("/e/<entity>/import/<token>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def step(self, entity: str, token: str) -> Any:
        """Columns to fields; POST tries it (`check`) or does it (`import`)."""
        desk = open_import(entity)
        upload = find_upload(token, entity)
        if upload is None:
            return redirect(f"{desk.base}/import")
        is_done = bool((upload.about.get("result") or {}).get("done"))
        if request.method == "GET" or is_done:
            return draw(desk, upload)
        chosen = {name: request.form.get(f"column-{at}") or None for at, name in enumerate(upload.table.header) if name}
        existing: Literal["skip", "update"] = "skip" if request.form.get("existing") == "skip" else "update"
        language = desk.language if request.form.get("format") == "own" else None
        upload.note({"columns": chosen, "existing": existing, "format": request.form.get("format", "")})
        automation = "automation" in request.form
        upload.note({"automation": automation})
        given = ImportMap(columns=chosen, on_existing=existing, language=language, automation=automation)
        try:
            upload.note({"result": run(desk, upload, given, dry_run=request.form.get("do") != "import")})
        except BadMapping as wrong:
            upload.note({"result": {}})
            return Response(draw(desk, upload, errors=mapping_errors(desk, chosen, wrong)), 422)
        except Unreadable as fault:
            return Response(draw(desk, upload, errors=[unreadable(fault)]), 422)
        if upload.about["result"]["done"]:
            upload.finish()
        return redirect(f"{desk.base}/import/{token}", code=303)

    @expose("/e/<entity>/import/<token>/outcome.csv")  # type: ignore[untyped-decorator]
    @signed_in
    def outcome(self, entity: str, token: str) -> Response:
        """Each row's outcome as a file."""
        open_import(entity)
        upload = find_upload(token, entity)
        if upload is None or not upload.outcome.is_file():
            abort(404)
        name = f"{upload.about['name'].rpartition('.')[0] or upload.about['name']}.outcome.csv"
        return send_file(
            BytesIO(upload.outcome.read_bytes()), mimetype="text/csv", as_attachment=True, download_name=name
        )


def open_import(entity: str) -> Desk:
    """The desk of somebody who may import; Forbidden for others."""
    desk = open_desk(entity)
    if not desk.can_import:
        raise Forbidden(entity, "import")
    return desk


def first_step() -> dict[str, Any]:
    """What the page is given before there is a file."""
    return {"upload": None, "error": "", "largest": LARGEST // 1_000_000, "most": counted(MOST_ROWS)}


def refuse_file(desk: Desk, error: str) -> Response:
    """The first step again, with what is wrong with the file."""
    return Response(render_template("import_.html", **desk.places, **{**first_step(), "error": error}), 422)


def unreadable(fault: Unreadable) -> str:
    """Why a file is no table, in the reader's language."""
    return fault_text(Fault("unreadable", fault.message, None, fault.params))


def run(desk: Desk, upload: Upload, given: ImportMap, *, dry_run: bool) -> dict[str, Any]:
    """Try or do the import; what came of it, in the reader's language."""
    placed = columns_of(desk.store.session, desk.entity, upload.table.header, given)
    columns = {column.field: column.name for column in placed}
    failures: list[list[Any]] = []
    with upload.outcome.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([_("Row"), _("Outcome"), "id", _("Column"), _("Message")])

        def tell(outcome: RowOutcome) -> None:
            said = str(OUTCOMES[outcome.status])
            placed_faults = [(columns.get(f.field or "", ""), f) for f in outcome.faults or outcome.warnings]
            found = [(name, fault_text(f) if name else sentence(desk, f)) for name, f in placed_faults]
            names = "; ".join(dict.fromkeys(name for name, _text in found if name))
            text = " ".join(text for _name, text in found)
            writer.writerow([outcome.line, said, outcome.id or "", guard(names), guard(text)])
            if outcome.status == "failed" and len(failures) < SHOWN:
                failures.append([outcome.line, names, text])

        summary = import_table(desk.store, desk.entity.key, upload.table, given, dry_run=dry_run, on_outcome=tell)
    counts = {status: summary.counts[status] for status in STATUSES}
    batch = str(summary.batch) if summary.batch is not None else ""
    return {"done": not dry_run, "counts": counts, "failures": failures, "batch": batch}


def sentence(desk: Desk, fault: Fault) -> str:
    """A fault with its field, where no column of the file stands for it."""
    field = desk.entity.fields.get(fault.field or "")
    text = fault_text(fault)
    return f"{field.label.in_language(desk.language)}: {text}" if field else text


def mapping_errors(desk: Desk, chosen: Mapping[str, str | None], wrong: BadMapping) -> list[str]:
    """What is wrong with the columns, in the reader's words where they can be told."""
    taken: dict[str, list[str]] = {}
    for name, target in chosen.items():
        if target:
            taken.setdefault(target.partition(".")[0], []).append(name)
    found = []
    for key, names in taken.items():
        if len(names) > 1:
            label = desk.entity.fields[key].label.in_language(desk.language) if key in desk.entity.fields else key
            found.append(_("Two columns fill the field %(field)s: %(columns)s.", field=label, columns=", ".join(names)))
    return found or list(wrong.problems)


def draw(desk: Desk, upload: Upload, errors: Sequence[str] = ()) -> str:
    """The second step: the columns, and under them what came of the trial, or of the import."""
    result: dict[str, Any] = {"done": False, "counts": None, "failures": [], **(upload.about.get("result") or {})}
    columns: Sequence[FileColumn] = () if result["done"] else file_columns(desk, upload)
    count = int(upload.about.get("rows", 0))
    return render_template(
        "import_.html",
        **desk.places,
        upload=upload,
        columns=columns,
        existing=upload.about.get("existing", ""),
        format=upload.about.get("format", ""),
        automation=upload.about.get("automation", False),
        written=written_example(desk.language),
        targets=targets_of(desk, columns),
        result=result,
        errors=errors,
        known_by=known_words(desk, columns),
        outcomes=OUTCOMES,
        colors=COLORS,
        rows=ngettext("%(count)s row", "%(count)s rows", count, count=counted(count)),
        number=counted,
    )


def written_example(language: str) -> str:
    """A number and a date as a file in this language holds them."""
    locale = babel_locale(language)
    pattern = re.sub(r"y+", "yyyy", locale.date_formats["short"].pattern)
    number = format_decimal(Decimal("1234.56"), locale=locale)
    return f"{number}, {format_date(date(2026, 11, 30), pattern, locale=locale)}"


def file_columns(desk: Desk, upload: Upload) -> Sequence[FileColumn]:
    """The file's columns, each with the field that was chosen, or that its header names."""
    header = upload.table.header
    first = [cells for _line, cells in islice(upload.table.rows(), 50)]
    finder = FieldFinder(desk.store.session, desk.entity)
    chosen: Mapping[str, str | None] = upload.about.get("columns") or {}
    open_fields, taken, found = importable(desk), set[str](), []
    for at, name in enumerate(header):
        samples = [cells[at].strip() for cells in first if at < len(cells) and cells[at].strip()]
        if name in chosen:
            target = chosen[name] or ""
        else:
            place = finder.find(name) if name else None
            key = place[0] if place else ""
            target = f"{key}.{place[1]}" if place and place[1] else key
            target = target if key in open_fields and key not in taken else ""
            taken.add(key)
        found.append(FileColumn(at, name, list(dict.fromkeys(samples))[:SAMPLES], target))
    return found


def importable(desk: Desk) -> dict[str, str]:
    """The fields that a column may fill, with their labels; `id` finds a record that is there."""
    writable = desk.store.writable_fields(desk.entity.key)
    fields = [
        f
        for f in desk.entity.fields.values()
        if f.key in writable and f.stored and not f.is_derived and f.type.name not in NOT_FROM_CELLS
    ]
    return {"id": "ID", **{f.key: f.label.in_language(desk.language) for f in fields}}


def targets_of(desk: Desk, columns: Sequence[FileColumn]) -> dict[str, str]:
    """What a column may be, as the page offers it: fields, and the ways to name a linked record that are in use."""
    targets = importable(desk)
    model = desk.store.tenant.model
    for column in columns:
        key, _dot, via = column.target.partition(".")
        if via and key in targets:
            ends = desk.entity.fields[key].type.formula_type().entities
            end = model.entities.get(ends[0]) if ends else None
            label = end.fields[via].label.in_language(desk.language) if end and via in end.fields else via
            targets[column.target] = f"{targets[key]} › {label}"
    return targets


def known_words(desk: Desk, columns: Sequence[FileColumn]) -> str:
    """The fields by which records that are there are found, in words; empty when every row makes a new one."""

    class _Placed:
        def __init__(self, field: str) -> None:
            self.field = field

    placed: list[Any] = [_Placed(c.target.partition(".")[0]) for c in columns if c.target]
    if any(c.field == "id" for c in placed):
        return "ID"
    keys = Importer.own_key(desk.entity, placed)
    return ", ".join(desk.entity.fields[key].label.in_language(desk.language) for key in keys)
