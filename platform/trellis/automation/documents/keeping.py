"""Keeping a paper: it becomes a file in the field of the record that the document names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.automation.documents.maker import Paper
from trellis.model.automation.document import DocumentTemplate
from trellis.records.refusal import Fault, Refused
from trellis.records.writing.files import save_file

if TYPE_CHECKING:
    from trellis.records.store import Store


def may_keep(store: Store, document: DocumentTemplate, id: UUID) -> bool:
    """Whether the store's principal may keep the paper with the record."""
    entity = document.entity
    if not document.into or document.into not in store.writable_fields(entity):
        return False
    return store.may("update", entity, id)


def keep(
    store: Store, document: DocumentTemplate, id: UUID, paper: Paper, files: Path, *, means: str = "page"
) -> dict[str, Any]:
    """Put the paper beside those that the record has; its entry there. Raises Refused, Forbidden, Missing."""
    if not document.into:
        params = {"document": document.label.in_language(store.principal.reader.language)}
        raise Refused(
            [
                Fault(
                    "document",
                    "There is no field that keeps “{document}”: give the entity one with `type: file, multiple: true`.",
                    None,
                    params,
                )
            ]
        )
    field = store.tenant.model.entities[document.entity].fields[document.into]
    with store.transaction():
        record = store.read(document.entity, id, fields=[field.key])
        stored = save_file(store, files, io.BytesIO(paper.content), paper.name, document.entity, field)
        held: Any = record[field.key] or ()
        store.change(document.entity, id, {field.key: [*held, stored.as_value()]}, means=means)
    return stored.as_value()
