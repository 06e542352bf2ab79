"""What a new file begins with: a line that says what goes into such a file."""

from __future__ import annotations

STARTERS = {
    "schemas": "# entities, fields, pipelines, choices, roles, menus: one document or several, with --- between them\n",
    "workflows": "# workflows, emails, reports, dashboards: one document or several, with --- between them\n",
    "i18n": "# the path of a text: its translation\n# entity.deal.fields.amount.label: …\n",
    "tests": "# scenarios: what happens when somebody does something\n",
    "documents": "",
}


def starter(path: str) -> str:
    """The first lines of a new file."""
    return STARTERS.get(path.partition("/")[0], "")
