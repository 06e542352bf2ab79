"""What keys mean that many kinds have."""

from __future__ import annotations

from trellis.model.kinds.told.sentence import Given

TOLD: dict[str, Given] = {
    "label": ("what people read", "made from the key", "label: Sales"),
    "description": "a sentence about it, for whoever works with it or reads the configuration",
    "icon": ("a Tabler icon by its name", "one that fits", "icon: briefcase"),
    "color": ("a colour's name, or #rrggbb", "none", "color: green"),
    "module": ("the module that it belongs to: switched off, it is not shown", "none: always there", "module: sales"),
    "active": ("whether it is at work", "true", "active: false"),
    "order": ("its place among others: smaller numbers first", "the order of the files", "order: 10"),
    "was": ("the key that it had before: what is stored moves along", "none", "was: old_key"),
    "roles": ("who has it, by their roles", "everybody", "roles: [sales-rep, sales-manager]"),
    "entity": ("the entity that it is about, by its key", "", "entity: deal"),
    "locked": ("paths that later layers may not change", "none", "locked: [fields.amount.type]"),
    "filter": (
        "which records: a formula over one of them",
        "all that the reader may see",
        'filter: stage_type == "open"',
    ),
    "sort": ("the order: fields, `-` before a descending one", "the newest first", "sort: [close_date, -amount]"),
    "limit": ("how many at most", "", "limit: 10"),
    "without": (
        "documents of earlier layers that are left out; what speaks of them goes along",
        "none",
        "without: [entity.competitor]",
    ),
    "set": (
        "the values, field by field; a text that begins with = is a formula",
        "",
        "set: {status: open, owner: =me}",
    ),
    "env": "the name of the environment variable that the secret stands in: TENANT_<SLUG>__<NAME>",
}
