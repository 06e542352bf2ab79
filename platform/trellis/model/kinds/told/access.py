"""What keys mean in roles and conversions."""

from __future__ import annotations

from trellis.model.kinds.told.sentence import Given

TOLD: dict[str, Given] = {
    "role.role": "the role's key",
    "role.grants": (
        'what may be done with which records, by entity; "*" is every other. Several roles add up',
        "nothing",
        'grants: {"*": {read: all}, deal: {read: team, update: own}}',
    ),
    "grants.*.where": (
        "the grants hold only for records of which this is true",
        "all",
        'where: stage_type != "cancelled"',
    ),
    "grants.*.fields": (
        "fields that the role does not see (hidden), sees in part (masked) or cannot edit (readonly)",
        "all as they are",
        "fields: {margin: hidden}",
    ),
    "role.allow": ("what else the role may do", "nothing", "allow: [import, reports]"),
    "role.portal": ("for people outside, who sign in as a contact: `me` is that contact", "false"),
    "role.where": ("which records of a portal role are the person's own", "none", "where: account == me.account"),
    "convert.convert": "the entity whose records are converted",
    "convert.into": (
        "the entities that come of it, with what each gets",
        "",
        "into: {account: {match: [name], set: {name: =company}}}",
    ),
    "into.*.match": (
        "fields by which one that is there already is found instead of making a second",
        "always a new one",
        "match: [email]",
    ),
    "into.*.set": ("the values of the new record; formulas read the converted one", "", "set: {name: =company}"),
    "into.*.optional": ("whoever converts may leave it out", "false"),
    "into.*.when": ("it is made only if this holds", "always"),
    "convert.move": ("what moves to the new records", "nothing", "move: [activities, notes, files, tags]"),
    "convert.then": (
        "what becomes of the converted record",
        "it stays as it is",
        "then: {set: {status: converted}, lock: true}",
    ),
    "then.lock": ("nobody edits it any more", "false"),
    "convert.when": ("records can be converted while this holds", "always"),
    "convert.roles": ("who may convert", "whoever may edit the record and make the new ones"),
}
