"""The configuration as it is merged, with where each value comes from; the layers' files; and changing it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.studio import draft as drafts
from trellis.studio.asking import me, my_draft
from trellis.studio.checking import check
from trellis.studio.draft import Outdated
from trellis.studio.own import BadPath, own_layer
from trellis.studio.provenance import at_path, search, values_of
from trellis.studio.writing import CannotWrite, Edit, apply_edits, line_of
from trellis.web.context import current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.config.stack import Configuration

FIRST_KINDS = ("entity", "pipeline", "choices", "role", "menu", "workflow", "report", "dashboard", "template", "tenant")


class ExploreView(Page):
    """`/admin/configuration/explore`."""

    @expose("/admin/configuration/explore")  # type: ignore[untyped-decorator]
    @needs("admin")
    def explore(self) -> Response:
        """`?document=entity.deal`, `?q=` to search, `?layer=0&file=` for a file of a layer."""
        draft = my_draft()
        if "layer" in request.args:
            return self._layer(draft.layers)
        configuration = check(draft.layers, draft.slug)[0].configuration
        wanted, name = request.args.get("q", "").strip(), request.args.get("document", "")
        kind, _dot, key = name.partition(".")
        document = configuration.of(kind).get(key)
        if name and document is None:
            abort(404)
        return self.draw(
            "studio/explore.html",
            kinds=_kinds(configuration),
            document=document,
            values=values_of(document) if document is not None else [],
            found=search(configuration, wanted) if wanted else [],
            wanted=wanted,
            layers=draft.layers,
            own=own_layer(draft.layers, draft.slug),
            place=lambda mark: _place(mark, draft.layers),
        )

    def _layer(self, layers: list[Layer]) -> Response:
        number = request.args.get("layer", type=int)
        if number is None or not 0 <= number < len(layers):
            abort(404)
        layer = layers[number]
        files = layer.text()
        path = request.args.get("file") or next(iter(files), "")
        if path not in files:
            abort(404)
        lines = files[path].splitlines()
        return self.draw("studio/source.html", layer=layer, number=number, files=sorted(files), path=path, lines=lines)

    @expose("/admin/configuration/overlay", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def overlay(self) -> Any:
        """“Change this here”: the value's lines are put into the tenant's own layer, where one goes on typing."""
        draft = my_draft()
        name, path = request.form.get("document", ""), request.form.get("path", "")
        kind, _dot, key = name.partition(".")
        document = check(draft.layers, draft.slug)[0].configuration.of(kind).get(key)
        if document is None or not path:
            abort(404)
        try:
            value = at_path(document, path)
        except (LookupError, StopIteration):
            abort(404)
        steps = tuple(path.split("."))
        try:
            files = apply_edits(draft.files, [Edit(kind, key, steps, value)])
            drafts.save_all(current_tenant(), draft, me(), {p: t for p, t in files.items() if draft.files.get(p) != t})
        except CannotWrite as error:
            return self.draw("studio/refused.html", status=422, message=_(error.message, **error.params), text="")
        except BadPath as bad:
            return self.draw("studio/refused.html", status=422, message=_(str(bad)), text="")
        except Outdated:
            message = _("A file was changed in another window meanwhile. Look at it, then try again.")
            return self.draw("studio/refused.html", status=422, message=message, text="")
        file, line, column = line_of(files, kind, key, steps)
        toast(_("These lines are yours now. What you write here wins over the layers below."), kind="info")
        return redirect(url_for("EditorView.edit", file=file, line=line, column=column))


def _kinds(configuration: Configuration) -> list[tuple[str, list[tuple[str, str]]]]:
    """The documents by kind: (key, label)."""
    order = {kind: n for n, kind in enumerate(FIRST_KINDS)}
    found = []
    for kind in sorted(configuration.documents, key=lambda k: (order.get(k, 99), k)):
        items = sorted((k, str(d.data.get("label") or k)) for k, d in configuration.of(kind).items())
        found.append((kind, items))
    return found


def _place(mark: Any, layers: list[Layer]) -> tuple[int, str] | None:
    """Which layer's which file a place is in; None for what Trellis itself brings."""
    for number, layer in enumerate(layers):
        if layer.name == mark.layer:
            path = mark.file.removeprefix(f"{layer.folder}/") if layer.folder else mark.file
            return (number, path) if path in layer.files else None
    return None
