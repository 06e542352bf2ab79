"""A Flask app as a hand writes it, with pages of the same content and of the same markup as ours."""

# ruff: noqa: E501 - markup is written as it goes out
from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask, abort, request, session
from jinja2 import DictLoader
from markupsafe import escape

from bench.handwritten.queries import MOST, PAGE, Conflict, Hand

COLORS = ("orange", "lime", "azure", "teal", "indigo", "purple", "pink", "cyan")
ROW = """<tr role="row" data-id="{{ r.id }}" data-v="{{ r.version }}" tabindex="-1"><td role="gridcell" class="is-pick">\
<input class="t-check" type="checkbox" tabindex="-1" aria-label="Select {{ r.title }}"></td>\
<td role="gridcell" class="is-title" data-f="name"><span class="t-cell"><a class="t-cut" href="/e/contact/{{ r.id }}" \
title="{{ r.title }}"><bdi>{{ r.title }}</bdi></a><span class="t-cell-go"><button class="btn btn-xs btn-icon" \
type="button" tabindex="-1" data-do="peek" aria-label="Peek at {{ r.title }}"><svg class="icon icon-sm" \
viewBox="0 0 24 24" aria-hidden="true"><path d="M4 6a2 2 0 0 1 2 -2h12a2 2 0 0 1 2 2v12a2 2 0 0 1 -2 2h-12a2 2 0 0 1 -2 \
-2l0 -12"/><path d="M15 4v16"/><path d="M10 10l-2 2l2 2"/></svg></button></span></span></td>\
<td role="gridcell" class="s-a" data-f="account">{% if r.account %}<a class="t-chiplink" href="/e/account/{{ r.account }}\
"><span class="t-av t-av-sq c-{{ color(r.account) }}" aria-hidden="true">{{ initials(r.account_name) }}</span>\
<bdi class="t-cut">{{ r.account_name }}</bdi></a>{% else %}{{ blank }}{% endif %}</td>\
<td role="gridcell" class="s-b" data-f="job_title">{% if r.job_title %}<bdi class="t-cut">{{ r.job_title }}</bdi>\
{% else %}{{ blank }}{% endif %}</td>\
<td role="gridcell" class="s-x" data-f="email">{% if r.email %}<a class="t-chiplink" href="mailto:{{ r.email }}">\
<bdi class="t-cut">{{ r.email }}</bdi></a>{% else %}{{ blank }}{% endif %}</td>\
<td role="gridcell" class="s-x" data-f="phone">{% if r.phone %}<a class="t-chiplink t-num" href="tel:{{ r.phone }}">\
<bdi class="t-cut">{{ phone(r.phone) }}</bdi></a>{% else %}{{ blank }}{% endif %}</td>\
<td role="gridcell" class="s-x" data-f="mobile">{% if r.mobile %}<a class="t-chiplink t-num" href="tel:{{ r.mobile }}">\
<bdi class="t-cut">{{ phone(r.mobile) }}</bdi></a>{% else %}{{ blank }}{% endif %}</td>\
<td role="gridcell" class="s-w" data-f="owner">{% if r.owner %}<span class="t-who"><span class="t-av \
c-{{ color(r.owner) }}" aria-hidden="true">{{ initials(r.owner_name) }}</span><bdi class="t-cut">{{ r.owner_name }}</bdi>\
</span>{% else %}{{ blank }}{% endif %}</td><td role="gridcell" class="k-fill"></td></tr>"""
NONE = '{% set blank %}<span class="t-3rd" aria-hidden="true">—</span>{% endset %}'


def list_template(ours: str) -> str:
    """Our list page with its rows and the count replaced by what a hand writes for them."""
    begins = ours.index("<tr", ours.index('<tbody id="rows">'))
    ends = ours.rindex('<tr class="t-more"')
    foot = re.sub(r"[\d,]+\+? contacts", "{{ count }} contacts", ours[ends:])
    return f"{NONE}{literal(ours[:begins])}{{% for r in rows %}}{ROW}{{% endfor %}}{foot}"


def record_template(ours: str, record: Mapping[str, Any]) -> str:
    """Our record page with every value of the record replaced by its place."""
    text = literal(ours)
    for name in ("title", "email", "account_name", "owner_name", "job_title", "department", "description"):
        if record.get(name):
            text = text.replace(str(escape(record[name])), f"{{{{ r.{name} }}}}")
    return text.replace(str(record["id"]), "{{ r.id }}").replace(str(record["account"]), "{{ r.account }}")


def literal(text: str) -> str:
    """Text that Jinja leaves alone."""
    return text.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #")


def create_hand_app(hand: Hand, templates: dict[str, str]) -> Flask:
    """The app: a list, a record, saving one field."""
    app = Flask("handwritten")
    app.secret_key = "bench"
    app.jinja_env.loader = DictLoader(templates)
    app.jinja_env.globals.update(color=color, initials=initials, phone=phone)

    def person() -> Any:
        found = hand.person(session.get("secret", ""))
        if found is None:
            abort(403)
        return found

    @app.get("/e/contact/")
    def contacts() -> str:
        person()
        q, decision = request.args.get("q"), request.args.get("decision") == "1"
        after = request.args.get("after")
        place = None
        if after:
            at, _, id = after.partition(",")
            place = (datetime.fromisoformat(at), UUID(id))
        by_name = request.args.get("sort") == "name"
        rows = hand.contacts(q=q, decision=decision, by_name=by_name, after=place)
        n = len(rows) if len(rows) <= PAGE else hand.count(q=q, decision=decision)
        count = f"{MOST:,}+" if n > MOST else f"{n:,}"
        return app.jinja_env.get_template("list.html").render(rows=rows[:PAGE], count=count)

    @app.get("/e/contact/<uuid:id>")
    def contact(id: UUID) -> str:
        person()
        return app.jinja_env.get_template("record.html").render(r=hand.contact(id))

    @app.post("/e/contact/<uuid:id>/job_title")
    def save(id: UUID) -> str:
        me = person()
        new = {"job_title": request.form["job_title"].strip()}
        try:
            hand.save(id, new, int(request.form["version"]), me.id, me.name)
        except Conflict:
            abort(409)
        return app.jinja_env.get_template("record.html").render(r=hand.contact(id))

    return app


def color(id: UUID) -> str:
    """The colour of somebody's letters."""
    return COLORS[id.int % len(COLORS)]


def initials(name: str | None) -> str:
    """Two letters for a name."""
    return "".join(word[0] for word in (name or "").split()[:2]).upper()


def phone(number: str) -> str:
    """A number as it is dialled at home."""
    return f"0{number[3:7]} {number[7:]}" if number.startswith("+49") else number
