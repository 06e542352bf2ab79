"""The configuration's first page: what is live, who made it so, what the tenant has changed, what is being changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.config.layer import Layer, read_documents
from trellis.identity.people import names_of
from trellis.model.compile import compile_layers
from trellis.studio.asking import me, my_draft, the_catalogue
from trellis.studio.draft import others
from trellis.studio.own import own_layer
from trellis.studio.publishing import Publishing, latest
from trellis.studio.words import problem_words, title_of
from trellis.web.context import current_tenant
from trellis.web.guard import needs
from trellis.web.pages.base import Page

if TYPE_CHECKING:
    from trellis.config.stack import Configuration

SHOWN_REVISIONS = 8
SHOWN_PROBLEMS = 50


@dataclass(frozen=True)
class OwnDocument:
    """A document of the tenant's own layer: new by itself, or on top of what the layers below say."""

    kind: str
    key: str
    label: str
    path: str
    line: int
    is_new: bool
    parts: str


class ConfigurationView(Page):
    """`/admin/configuration`."""

    @expose("/admin/configuration")  # type: ignore[untyped-decorator]
    @needs("admin")
    def overview(self) -> Response:
        """What is live."""
        tenant, catalogue, draft = current_tenant(), the_catalogue(), my_draft()
        live = draft.live
        compiled = compile_layers(list(live.layers))
        problems = [(p, title_of(p), *problem_words(p)) for p in compiled.problems[:SHOWN_PROBLEMS]]
        revisions = list(catalogue.revisions(tenant.slug))
        return self.draw(
            "studio/overview.html",
            tenant=tenant,
            live=live,
            built_on=template_of(compiled.configuration),
            layers=live.layers,
            draft=draft,
            colleagues=_colleagues(),
            documents=own_documents(live.layers, tenant.slug),
            problems=problems,
            revisions=revisions[:SHOWN_REVISIONS],
            more=max(0, len(revisions) - SHOWN_REVISIONS),
            counts=_counts(),
            publishing=_publishing(live.number),
        )


def _publishing(live: int) -> Publishing | None:
    """One that a worker does, or that has failed and that nobody has published after."""
    found = latest(current_tenant())
    if found is None or not (found.is_open or (found.state == "failed" and found.revision == live)):
        return None
    return found


def template_of(configuration: Configuration) -> tuple[str, str] | None:
    """The topmost template's label and version."""
    found = None
    for document in configuration.of("template").values():
        found = str(document.data.get("label", document.key)), str(document.data.get("version", ""))
    return found


def own_documents(layers: Sequence[Layer], slug: str) -> list[OwnDocument]:
    """What the tenant itself has written."""
    below = {d.name for layer in layers[:-1] for d in read_documents(layer).documents}
    own = own_layer(layers, slug)
    found = []
    for document in read_documents(own).documents:
        mark = document.place.children[document.kind].key_mark
        path = mark.file.removeprefix(f"{own.folder}/")
        parts = ", ".join(str(k) for k in list(document.data)[1:])
        label = str(document.data.get("label") or "")
        is_new = document.name not in below and document.kind != "tenant"
        found.append(OwnDocument(document.kind, document.key, label, path, mark.line, is_new, parts))
    return found


def _colleagues() -> list[dict[str, Any]]:
    """Who else is changing something at the moment."""
    found = others(current_tenant(), me())
    names = names_of(current_tenant(), [person for person, _files, _at in found])
    return [{"name": names.get(person, "—"), "files": files, "at": at} for person, files, at in found]


def _counts() -> list[tuple[str, int]]:
    model = current_tenant().model
    own = [[f for f in e.fields.values() if not f.system] for e in model.entities.values()]
    return [
        (_("Entities"), len(model.entities)),
        (_("Fields"), sum(map(len, own))),
        (_("Pipelines"), len(model.pipelines)),
        (_("Workflows"), len(model.workflows)),
        (_("Roles"), len(model.roles)),
    ]
