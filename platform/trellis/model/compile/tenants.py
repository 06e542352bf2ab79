"""The manifests: a template's settings, and a tenant's profile."""

from __future__ import annotations

from typing import Any

from trellis.config.phrase import phrase
from trellis.config.versions import satisfies
from trellis.formula.reader import Reader
from trellis.model.compile.bins import access_log, purge_after
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.item import Item
from trellis.model.compile.mail import compile_accounts, compile_mail
from trellis.model.compile.messages import compile_ways
from trellis.model.compile.origins import compile_origins
from trellis.model.compile.sign_in import compile_sign_in
from trellis.model.fields import FIELD_TYPES, make_type
from trellis.model.fields.base import Invalid, said_by
from trellis.model.known import known_choices
from trellis.model.model import Setting
from trellis.model.profile import TenantProfile


def compile_settings(ctx: Context) -> None:
    """The settings that templates declare."""
    for document in ctx.configuration.of("template").values():
        item = Item(dict(document.data), document.place, "", document.name)
        settings = item.get("settings")
        for key, setting in settings.entries() if settings is not None else ():
            name = setting.word("type", "text")
            default = setting.get("default")
            value = None if default is None else _value(ctx, name, default)
            ctx.settings[key] = Setting(key, name, value, ctx.text(setting, "label", humanize(key)))


def _value(ctx: Context, type_name: str, item: Item) -> Any:
    if type_name not in FIELD_TYPES:
        return item.data
    try:
        return make_type(type_name).parse(
            item.text if not isinstance(item.data, bool | dict | list) else item.data, Reader()
        )
    except (Invalid, TypeError, ValueError) as error:
        ctx.problem("E215", phrase("not a value of this setting: {error}", error=said_by(error)), item)
        return None


def given_settings(ctx: Context, given: Item | None) -> dict[str, Any]:
    """Settings that are given other values, each as its type reads it."""
    values = {}
    for key, value in given.entries() if given is not None else ():
        setting = ctx.settings.get(key)
        if setting is None:
            ctx.unknown("setting", value.key(key), ctx.settings, "E317")
        else:
            values[key] = _value(ctx, setting.type, value)
    return values


def languages(ctx: Context) -> tuple[str, ...]:
    """English first, what the templates say they have, and what i18n/ gives."""
    found = ["en"]
    for kind in ("template", "tenant"):
        for document in ctx.configuration.of(kind).values():
            found += Item(dict(document.data), document.place, "", document.name).words("languages")
    return tuple(dict.fromkeys([*found, *ctx.configuration.translations]))


def compile_profile(ctx: Context) -> TenantProfile | None:
    """The tenant's own settings; None when the layers hold no tenant."""
    documents = list(ctx.configuration.of("tenant").values())
    if not documents:
        return None
    document = documents[-1]
    item = Item(dict(document.data), document.place, "", document.name)
    values: dict[str, Any] = {key: s.default for key, s in ctx.settings.items()}
    values |= given_settings(ctx, item.get("settings"))
    check_template(ctx, item.get("template"))
    _known(ctx, item.get("time_zone"), "time_zones", noun="time zone")
    _known(ctx, item.get("currency"), "currencies", noun="currency")
    calendar = item.get("calendar")
    if calendar is not None and calendar.text not in ctx.configuration.of("calendar"):
        ctx.unknown("calendar", calendar, ctx.configuration.of("calendar"), "E316")
    modules = item.get("modules")
    for module in modules.each() if modules is not None else ():
        if module.text not in ctx.configuration.of("module"):
            ctx.unknown("module", module, ctx.configuration.of("module"), "E316")
    theme = item.get("theme")
    return TenantProfile(
        key=document.key,
        purge_after=purge_after(ctx, item.get("bin")),
        access_log=access_log(ctx, item.get("privacy")),
        label=item.word("label", humanize(document.key)),
        template=item.word("template").split(" ")[0] or None,
        language=item.word("language", "en"),
        time_zone=item.word("time_zone", "UTC"),
        currency=item.word("currency", "EUR"),
        calendar=item.word("calendar"),
        region=item.word("region") or _region(item.word("language", "en"), item.word("currency", "EUR")),
        modules=item.words("modules") if modules is not None else None,
        settings=values,
        theme=theme.data if theme is not None and isinstance(theme.data, dict) else {},
        sign_in=compile_sign_in(ctx, item.get("sign_in")),
        mail=compile_mail(ctx, item.get("mail")),
        mail_accounts=compile_accounts(ctx, item.get("mail")),
        messages=compile_ways(ctx, item.get("messages")),
        origins=compile_origins(ctx, item.get("api")),
    )


def check_template(ctx: Context, item: Item | None) -> None:
    """A tenant's template is there, in a version that it takes: `retail ^1.4`."""
    if item is None:
        return
    name, _, wanted = item.text.partition(" ")
    document = ctx.configuration.of("template").get(name)
    if document is None:
        ctx.unknown("template", item, ctx.configuration.of("template"), "E316", name=name)
        return
    version = document.place.children.get("version")
    found = version.raw if version is not None and version.raw else ""
    if wanted.strip() and not satisfies(found, wanted.strip()):
        ctx.problem(
            "E320",
            phrase(
                "template '{name}' is version {found}, which is not {wanted}",
                name=name,
                found=found or phrase("unknown"),
                wanted=wanted.strip(),
            ),
            item,
        )


_REGIONS = {
    "CNY": "CN",
    "USD": "US",
    "GBP": "GB",
    "JPY": "JP",
    "CHF": "CH",
    "INR": "IN",
    "TWD": "TW",
    "HKD": "HK",
    "SGD": "SG",
}


def _region(language: str, currency: str) -> str:
    return _REGIONS.get(currency, "DE" if language in ("en", "zh-Hans") else language[-2:].upper())


def _known(ctx: Context, item: Item | None, known: str, noun: str) -> None:
    if item is None:
        return
    keys = [c.key for c in known_choices(known)]
    if item.text not in keys:
        ctx.unknown(noun, item, keys, "E317")
