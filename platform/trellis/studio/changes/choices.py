"""What can be chosen: new choices in a shared list or in a field's own, and other labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from trellis.config.merge import item_key
from trellis.studio.changes.add_field import choices_of, editable
from trellis.studio.changes.answers import relabelled, text
from trellis.studio.changes.registry import Change, Mistaken, Written, change
from trellis.studio.writing import Edit, extended, own_value
from trellis.web.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.datastructures import MultiDict

    from trellis.model.choice import Choice


@change("choices")
class ChangeChoices(Change):
    """Add choices and rename them."""

    icon = "list-check"
    template = "choices"

    @classmethod
    def label(cls) -> str:
        """What it is called."""
        return str(_("Choices of a list"))

    @classmethod
    def about(cls) -> str:
        """What it is for."""
        return str(_("One more reason, source, industry or size to choose, or another name for one"))

    def ask(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """Every list, and the chosen one's choices."""
        lists = dict(self._lists())
        chosen = given.get("list", "") if given.get("list", "") in lists else next(iter(lists), "")
        return {"lists": [(k, label) for k, (label, _c) in lists.items()], "list": chosen, "choices": lists[chosen][1]}

    def _lists(self) -> Iterator[tuple[str, tuple[str, tuple[Choice, ...]]]]:
        """Shared lists, then fields with choices of their own: what names them, their label and choices."""
        shared = self.desk.configuration.of("choices")
        fields = [
            (e, f, tuple(getattr(f.type, "choices", ())))
            for e in editable(self.desk.model.entities.values())
            for f in e.fields.values()
            if getattr(f.type, "choices", None) and not f.system and f.key not in _staged(e)
        ]
        written = {(e.key, f.key): _written(self.desk.configuration, e.key, f.key) for e, f, _choices in fields}
        for key, document in sorted(shared.items()):
            used = next((c for e, f, c in fields if written[(e.key, f.key)] == key), None)
            if used:
                yield f"choices.{key}", (str(document.data.get("label") or key.replace("-", " ").capitalize()), used)
        for entity, field, choices in fields:
            if isinstance(written[(entity.key, field.key)], list):
                label = f"{say(entity.label)} · {say(field.label)}"
                yield f"entity.{entity.key}.{field.key}", (label, choices)

    def write(self, given: MultiDict[str, str]) -> Written:
        """`values: {…}` of a shared list; an edit of the list in a field's own."""
        lists = dict(self._lists())
        name = given.get("list", "")
        if name not in lists:
            raise Mistaken({"list": _("Choose a list.")})
        faults: dict[str, str] = {}
        known = lists[name][1]
        new = choices_of(given.get("new", ""), faults) if given.get("new", "").strip() else []
        taken = [key for item in new if (key := item_key(item)) in {c.key for c in known}]
        if taken:
            faults["choices"] = _("There is a “%(key)s” already: choose another name.", key=taken[0])
        if faults:
            raise Mistaken({"new": faults["choices"]})
        labels = [(c, text(given, f"{c.key}.label")) for c in known]
        if name.startswith("choices."):
            return self._shared(name.removeprefix("choices."), new, labels)
        _kind, entity, field = name.split(".", 2)
        return self._inline(entity, field, new, labels)

    def _shared(self, key: str, new: list[Any], labels: list[tuple[Choice, str]]) -> Written:
        written = Written()
        for choice, label in labels:
            edit = Edit("choices", key, ("values", choice.key, "label"), label)
            relabelled(self.desk, choice.label, label, f"choices.{key}.values.{choice.key}.label", edit, written)
        for item in new:
            name, label = next(iter(item.items()))
            written.edits.append(Edit("choices", key, ("values", name), label))
        return written

    def _inline(self, entity: str, field: str, new: list[Any], labels: list[tuple[Choice, str]]) -> Written:
        written = Written()
        path = ("fields", field, "choices")
        own = own_value(self.desk.draft.files, "entity", entity, path)
        renamed: dict[str, str] = {}
        for choice, label in labels:
            mine = Written()
            at = f"entity.{entity}.fields.{field}.choices.{choice.key}.label"
            relabelled(self.desk, choice.label, label, at, Edit("entity", entity, path, label), mine)
            written.texts += mine.texts
            if mine.edits:
                renamed[choice.key] = label
        if not new and not renamed:
            return written
        if isinstance(own, list):  # the list is the tenant's own: it is written anew
            value: Any = [_renamed(item, renamed) for item in own] + new
        else:
            edit = extended(own, new) if new else dict(own) if isinstance(own, dict) else {}
            if renamed:
                before = edit.get("edit")
                known: dict[str, Any] = before if isinstance(before, dict) else {}
                edit["edit"] = {**known, **{k: _labelled(known.get(k), label) for k, label in renamed.items()}}
            value = edit
        written.edits.append(Edit("entity", entity, path, value))
        return written


def _staged(entity: Any) -> set[str]:
    """The fields that pipelines give: their choices are stages."""
    return {p.field for p in entity.pipelines.values()}


def _written(configuration: Any, entity: str, field: str) -> Any:
    """What the merged configuration says of a field's choices: a list's name, or the choices."""
    document = configuration.of("entity").get(entity)
    fields = document.data.get("fields") if document is not None else None
    written = fields.get(field) if isinstance(fields, dict) else None
    return written.get("choices") if isinstance(written, dict) else None


def _renamed(item: Any, renamed: dict[str, str]) -> Any:
    key = item_key(item)
    if key not in renamed:
        return item
    return {key: _labelled(item.get(key) if isinstance(item, dict) else None, renamed[key])}


def _labelled(said: Any, label: str) -> Any:
    return {**said, "label": label} if isinstance(said, dict) else {"label": label}
