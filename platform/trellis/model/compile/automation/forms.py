"""Public forms: what strangers may fill in, and what of a form is checked before anybody sees it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from trellis.config.phrase import phrase
from trellis.formula.types import ANY, Type
from trellis.model.automation.triggers import OnForm
from trellis.model.compile.automation.fillings import fillings
from trellis.model.compile.context import humanize
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names

# the kinds of fields that a page without a person behind it can ask for
OPEN_TYPES = frozenset(
    "text name email phone url barcode long_text integer decimal percent money rating duration date datetime time "
    "choice choices boolean file image".split()
)


def compile_form(names: Names, workflow: str, form: Item) -> tuple[OnForm, Mapping[str, Type]] | None:
    """A form, and the name `form` for where it came from; None when its entity is unknown (a problem says so)."""
    ctx, entity = names.ctx, names.entity(form.get("entity"))
    if entity is None:
        return None
    known, asked = ctx.drafts[entity].fields, form.words("fields")
    for word in ("fields", "required"):
        listed = form.get(word)
        for each in listed.each() if listed is not None else ():
            if each.text not in known:
                ctx.unknown("field", each, known, "E304")
            elif word == "required" and each.text not in asked:
                ctx.problem("E325", phrase("'{name}' is required, and not among the fields", name=each.text), each)
            elif known[each.text].is_derived or known[each.text].system:
                ctx.problem("E325", phrase("'{name}' is computed: nobody can fill it in", name=each.text), each)
            elif (kind := known[each.text].type_name) not in OPEN_TYPES:
                hint = "leave it out, or fill it by `set:`"
                ctx.problem(
                    "E325",
                    phrase(
                        "'{name}' is a field of type {kind}, which strangers cannot fill in", name=each.text, kind=kind
                    ),
                    each,
                    hint,
                )
    labels = form.get("labels")
    for name, each in labels.entries() if labels is not None else ():
        if name not in asked:
            ctx.problem("E325", phrase("'{name}' is not among the fields", name=name), each, at_key=True)
    confirm = form.get("confirm")
    address = known.get(confirm.text) if confirm is not None and confirm.text in asked else None
    if confirm is not None and (address is None or address.type_name != "email"):
        ctx.problem(
            "E325",
            phrase("'{name}' is no e-mail field of the form", name=confirm.text),
            confirm,
            "name one of its fields",
        )
    return (
        OnForm(
            entity=entity,
            key=form.word("key", workflow),
            fields=asked,
            required=frozenset(form.words("required")) | {form.word("confirm")} - {""},
            values=fillings(names, form.get("set"), entity, names.types.scope(None, form=ANY)),
            label=ctx.text(form, "label", humanize(entity)),
            intro=ctx.text(form, "intro"),
            thanks=ctx.text(form, "thanks"),
            button=ctx.text(form, "button"),
            redirect=form.word("redirect"),
            confirm=form.word("confirm"),
            embed=_origins(names, form.get("embed")),
            labels={name: ctx.text(labels, name) for name, _ in labels.entries()} if labels is not None else {},
        ),
        {"form": ANY},
    )


def _origins(names: Names, item: Item | None) -> tuple[str, ...]:
    """The sites, each as a browser names it: scheme, host, port."""
    found = []
    for each in item.each() if item is not None else ():
        parts = urlsplit(each.text)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
            names.ctx.problem(
                "E219", phrase("'{name}' is no site", name=each.text), each, "write https://www.example.com"
            )
            continue
        found.append(f"{parts.scheme}://{parts.netloc.lower()}")
    return tuple(found)
