"""What a draft will look like, before it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, request, url_for
from flask_appbuilder import expose

from trellis.identity.person import principal_for
from trellis.studio.asking import my_draft
from trellis.studio.checking import check, is_sound
from trellis.studio.preview.changed import changed_entities, same
from trellis.studio.preview.drawing import (
    board_pieces,
    field_changes,
    form_piece,
    list_piece,
    pieces_of,
    record_piece,
    views_of,
)
from trellis.studio.preview.samples import is_made_up
from trellis.studio.preview.store import SampleStore, draft_tenant
from trellis.studio.state import problem_json
from trellis.web.context import current_language, current_model, current_person, current_store, current_tenant
from trellis.web.guard import needs
from trellis.web.navigation import sidebar
from trellis.web.pages.base import Page

if TYPE_CHECKING:
    from trellis.model.entity import Entity

MENU = "menu"


class PreviewView(Page):
    """`/admin/configuration/preview`: nothing is saved, and nobody else sees it."""

    @expose("/admin/configuration/preview")  # type: ignore[untyped-decorator]
    @needs("admin")
    def preview(self) -> Any:
        """`?entity=…&show=form|record|view.<key>`, or the menu."""
        draft = my_draft()
        if draft.is_empty:
            return self.draw("studio/nothing.html", tenant=current_tenant())
        if draft.stale:
            return redirect(url_for("PublishView.merge"))
        compiled, problems = check(draft.layers, draft.slug)
        if compiled.model is None or not is_sound(problems):
            return self.draw("studio/broken.html", problems=[problem_json(p, draft) for p in problems if p.is_error])
        live, person = current_model(), current_person()
        assert person is not None
        tenant = draft_tenant(current_tenant(), compiled)
        store = SampleStore(tenant, principal_for(tenant, person, current_language()), current_store())
        entities = changed_entities(live, compiled.model)
        menu_changed = not same(live.menus, compiled.model.menus) or not same(live.modules, compiled.model.modules)
        wanted = request.args.get("entity", "")
        entity = next((one for one in entities if one.key == wanted), None)
        if entity is None and wanted != MENU and entities:
            entity = entities[0]
        values: dict[str, Any] = {
            "entities": entities,
            "entity": entity,
            "menu_changed": menu_changed,
            "menu": sidebar(store),
        }
        return self.draw("studio/preview.html", **values, **(_pieces(store, entity) if entity is not None else {}))


def _pieces(store: SampleStore, entity: Entity) -> dict[str, Any]:
    """What the page shows of an entity."""
    roles, show = store.principal.roles, request.args.get("show", "form")
    view = views_of(entity, roles).get(show.removeprefix("view."))
    values: dict[str, Any] = {
        "pieces": pieces_of(current_model(), entity, roles),
        "show": show if show == "record" or view is not None else "form",
        "is_made_up": is_made_up(store.live, store.tenant.model, entity),
        "view": view,
        "changes": field_changes(current_model(), store, entity),
    }
    if values["show"] == "form":
        values["form"] = form_piece(store, entity)
    elif values["show"] == "record":
        values["page"] = record_piece(store, entity)
    elif view is not None and view.type == "kanban":
        values["boards"] = board_pieces(store, entity, view)
    elif view is not None:
        values["list"] = list_piece(store, entity, view)
    return values
