"""Translations whose path leads to no text: advice, because a translation may outlive what it translated."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

from trellis.config.merge import item_key
from trellis.config.phrase import phrase
from trellis.config.problem import Problem, did_you_mean
from trellis.model.compile.context import Context
from trellis.model.kinds import KINDS


def check_translations(ctx: Context) -> None:
    """Note languages that do not exist, and texts of documents that are there but say no such thing."""
    documents = {d.name for d in ctx.configuration}
    layers = ctx.configuration.layers
    top = layers[-1].name if layers else ""
    for language, texts in ctx.configuration.translations.items():
        if texts and not _is_language(language):
            mark = next(iter(texts.values()))[1].source.mark(1, 1)
            ctx.problems.append(
                Problem(
                    "E218",
                    phrase("'{name}' is not a language", name=language),
                    mark,
                    "",
                    "a BCP 47 tag, such as zh-Hans",
                )
            )
        for path, (_, place) in texts.items():
            kind, _, rest = path.partition(".")
            if place.source.layer != top:
                continue  # a later layer may have removed what an earlier one translates
            if kind not in KINDS:
                if kind != "system":
                    hint = did_you_mean(kind, KINDS)
                    ctx.problems.append(
                        Problem("W604", phrase("unknown kind '{name}'", name=kind), place.key_mark, path, hint)
                    )
                continue
            key = rest.partition(".")[0]
            if f"{kind}.{key}" not in documents:
                continue  # left out by this tenant, or from a module that it does not have
            if not _leads_to_text(ctx, path) and path not in ctx.used_texts:
                ctx.problems.append(Problem("W604", "there is no such text", place.key_mark, path))


def _is_language(tag: str) -> bool:
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _leads_to_text(ctx: Context, path: str) -> bool:
    """Whether the path without its last step (`label`) leads to something; list items go by their key."""
    kind, key, *steps = path.split(".")
    data: object = dict(ctx.configuration.of(kind)[key].data)
    if kind == "entity" and key in ctx.drafts:
        data = ctx.drafts[key].item.data
        if len(steps) > 2 and steps[0] == "fields" and steps[1] in ctx.drafts[key].fields:
            return True
    for step in steps[:-1]:
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list):
            found = next((i for i in data if item_key(i) == step or (isinstance(i, dict) and step in i)), None)
            if found is None:
                return False
            data = found[step] if isinstance(found, dict) and step in found else found
        else:
            return False
    return True
