"""The tenant's own layer as files: downloaded as a ZIP, uploaded into the draft."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from trellis.studio import draft as drafts
from trellis.studio.archive import pack, unpack
from trellis.studio.asking import me, my_draft
from trellis.studio.draft import Outdated, replacing
from trellis.studio.own import BadPath
from trellis.web.context import current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page


class ArchiveView(Page):
    """`/admin/configuration/download` and `/admin/configuration/upload`."""

    @expose("/admin/configuration/download")  # type: ignore[untyped-decorator]
    @needs("admin")
    def download(self) -> Response:
        """The own layer as it is live, comments and all; `?draft=1`: as one has it."""
        draft = my_draft()
        files = draft.files if "draft" in request.args else draft.live_files
        response = Response(pack(files), mimetype="application/zip")
        name = f"{draft.slug}-revision-{draft.live.number}.zip"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @expose("/admin/configuration/upload", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def upload(self) -> Any:
        """Put a ZIP or YAML files into the draft; nothing is live before it is published."""
        draft = my_draft()
        try:
            files = unpack((f.filename or "", f.read()) for f in request.files.getlist("files") if f.filename)
            whole = request.form.get("whole") == "1"
            wanted = replacing(draft, files if whole else {**draft.files, **files})
            if not wanted:
                toast(_("These files are what the configuration has already."), kind="info")
                return redirect(url_for("ConfigurationView.overview"))
            drafts.save_all(current_tenant(), draft, me(), wanted)
        except BadPath as bad:
            return self.draw("studio/refused.html", status=422, message=_(str(bad)), text="")
        except Outdated:
            message = _("A file was changed in another window meanwhile. Look at it, then upload again.")
            return self.draw("studio/refused.html", status=422, message=message, text="")
        toast(ngettext("%(num)d file is in your draft.", "%(num)d files are in your draft.", len(wanted)))
        return redirect(url_for("EditorView.edit", file=next((p for p, t in wanted.items() if t is not None), None)))
