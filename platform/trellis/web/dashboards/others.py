"""Texts, pages of other sites, and what waits for the reader."""

from __future__ import annotations

from functools import partial

from flask import request
from markupsafe import Markup

from trellis.model.markup import render_markdown
from trellis.web.dashboards.framing import framing_of
from trellis.web.dashboards.looking import Looking, Values, drawer
from trellis.web.lists.todo import to_do
from trellis.web.navigation import readable_entities


@drawer("text")
def text(looking: Looking) -> Values:
    """Markdown, sanitised."""
    written = looking.widget.text.in_language(looking.store.principal.reader.language)
    return {"html": Markup(render_markdown(written))}


@drawer("page")
def page(looking: Looking) -> Values:
    """The address of the frame, and what becomes of it: asked after the database has been let go."""
    return {"url": looking.widget.url, "framing": partial(framing_of, looking.widget.url, request.host_url)}


@drawer("work")
def work(looking: Looking) -> Values:
    """What is due, what comes, what was looked at last."""
    from trellis.web.pages.home import coming_up, recently

    about, store = looking.widget.about, looking.store
    todo = to_do(store, readable_entities())
    return {
        "about": about,
        "todo": todo if about == "today" else None,
        "coming": coming_up(todo.ids) if about == "coming" else [],
        "recent": recently() if about == "recent" else [],
    }
