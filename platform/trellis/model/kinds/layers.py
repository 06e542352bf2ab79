"""The kinds `template` and `tenant`: the manifests of layers."""

from __future__ import annotations

from trellis.model.kinds.parts import (
    BIN,
    COLOR,
    NAME,
    NAMES,
    PRIVACY,
    SNAKE,
    TEXT,
    VALUE,
    Schema,
    closed,
    either,
    mapping,
    with_doc,
)
from trellis.model.kinds.registry import kind
from trellis.model.kinds.sign_in import mail, messages, sign_in

_VERSION = {
    "type": "string",
    "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$",
    "x-hint": "a semantic version, such as 1.4.0",
}


@kind("template", "an industry template's manifest", required=("version",))
def template() -> dict[str, Schema]:
    """What template.yaml may say."""
    return {
        "version": _VERSION,
        "label": TEXT,
        "requires": mapping(TEXT),
        "builds_on": NAME,
        "author": either(TEXT, closed({"name": TEXT, "url": TEXT, "email": TEXT})),
        "license": TEXT,
        "languages": NAMES,
        "settings": mapping({"$ref": "#/definitions/field"}, SNAKE),
        "without": NAMES,
        "icon": NAME,
    }


@kind("tenant", "a tenant's manifest")
def tenant() -> dict[str, Schema]:
    """What tenant.yaml may say."""
    return {
        "label": TEXT,
        "template": NAME,
        "language": NAME,
        "languages": NAMES,
        "time_zone": NAME,
        "currency": NAME,
        "calendar": with_doc(NAME, "by which formulas count workdays and business hours; without it `office`"),
        "region": NAME,
        "modules": NAMES,
        "settings": mapping(VALUE, SNAKE),
        "theme": closed({"color": COLOR, "logo": TEXT, "favicon": TEXT, "mode": TEXT}),
        "sign_in": sign_in(),
        "mail": mail(),
        "messages": messages(),
        "api": closed({"origins": with_doc(NAMES, "pages of other sites that may use the API from a browser")}),
        "hosts": NAMES,
        "bin": BIN,
        "privacy": PRIVACY,
        "without": NAMES,
    }
