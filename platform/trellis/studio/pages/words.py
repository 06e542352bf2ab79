"""What the editor completes from."""

from __future__ import annotations

from flask import Response, jsonify
from flask_appbuilder import expose

from trellis.studio.asking import my_draft
from trellis.studio.checking import check
from trellis.studio.vocabulary import vocabulary
from trellis.web.context import current_model
from trellis.web.guard import needs
from trellis.web.pages.base import Page


class WordsView(Page):
    """`/admin/configuration/words`."""

    @expose("/admin/configuration/words")  # type: ignore[untyped-decorator]
    @needs("admin")
    def words(self) -> Response:
        """Schemas and names; of the draft while it is sound, else of what is live."""
        draft = my_draft()
        compiled = check(draft.layers, draft.slug)[0]
        response: Response = jsonify(vocabulary(compiled.model or current_model(), compiled.configuration))
        return response
