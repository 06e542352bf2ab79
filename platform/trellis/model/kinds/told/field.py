"""What keys mean that every field may have; the options of its type say what they are themselves."""

from __future__ import annotations

from trellis.model.kinds.told.sentence import Given

TOLD: dict[str, Given] = {
    "field.type": ("what it holds: one of the field types; a derived field may leave it out", "", "type: money"),
    "field.label": ("what people read", "made from the key", "label: Close date"),
    "field.help": ("a line of explanation below the field", "none", "help: As it stands on the invoice."),
    "field.placeholder": ("a pale example in the empty field", "none", "placeholder: ACME Ltd"),
    "field.description": "a sentence about it, for whoever works with the configuration or the API",
    "field.required": ("it must be filled; for yes/no it must be yes", "false", "required: true"),
    "field.unique": ("no two records have the same value; blanks and the bin do not count", "false", "unique: true"),
    "field.default": (
        "what a new record gets: a value, or a formula after =",
        "nothing",
        "default: =today() + days(30)",
    ),
    "field.readonly": (
        "people, the API and imports cannot change it: true, or after_create",
        "false",
        "readonly: after_create",
    ),
    "field.hidden": ("nobody sees it: true, or where: form, list, export, api", "false", "hidden: [list, export]"),
    "field.visible_when": (
        "the field is there while this holds; an invisible one is not required",
        "always",
        'visible_when: stage_type == "lost"',
    ),
    "field.required_when": ("it must be filled while this holds", "see required", "required_when: amount > 0"),
    "field.readonly_when": (
        "it cannot be changed while this holds, for the record as it is stored",
        "see readonly",
        "readonly_when: is_signed",
    ),
    "field.choices_when": (
        "a choice is offered only while its condition holds",
        "always",
        "choices_when: {gold: points > 1000}",
    ),
    "field.clear_when_hidden": ("it is emptied when it becomes invisible", "false: it keeps its value"),
    "field.formula": (
        "computed from other fields; it can be sorted, filtered and grouped by like any other",
        "",
        "formula: quantity * price",
    ),
    "field.rollup": (
        "computed over a list of other records, and kept with the record",
        "",
        "rollup: sum(lines.amount)",
    ),
    "field.lookup": ("read through links", "", "lookup: account.industry"),
    "field.pattern": ("a regular expression that the whole text must match", "any text", "pattern: '\\d{5}'"),
    "field.pattern_message": ("what is said of a text that does not match", "the platform's sentence"),
    "field.format": ("a named format: one that Trellis knows, or a `format:` document", "none", "format: iban"),
    "field.search": ("the search finds the record by it", "for the title and the key", "search: true"),
    "field.index": (
        "it is often filtered or sorted by, in large tables",
        "where Trellis sees that it is",
        "index: true",
    ),
    "field.audit": ("its changes are kept in the history", "true", "audit: false"),
    "field.copy": ("a copy of the record gets it too", "true", "copy: false"),
    "field.stored": (
        "false: an input that only `before` workflows read, and that is not kept",
        "true",
        "stored: false",
    ),
    "field.translate": ("people may write it in every language of the tenant", "false", "translate: true"),
    "field.personal": (
        "it tells of a person: it is in what they may ask for, and is erased with them",
        "as the type has it",
        "personal: true",
    ),
    "field.role": (
        "`owner`: whoever stands here owns the record, which levels such as `own` mean",
        "none",
        "role: owner",
    ),
    "field.span": ("how wide it is in forms", "half, full for long texts", "span: full"),
    "field.unit": ("what stands behind the number", "none", "unit: kg"),
    "field.was": ("the key that it had before: the data move along", "none", "was: breed"),
    "field.inverse_label": (
        "what the list on the far side of a link is called",
        "the entity's plural",
        "inverse_label: Animals",
    ),
    "field.place": (
        "where a field that a later layer adds stands in forms and lists of earlier ones",
        "at the end",
        "place: {section: basics, after: amount, column: {after: amount}}",
    ),
    "place.section": "the section of the form",
    "place.after": "the field that it stands behind",
    "place.before": "the field that it stands in front of",
    "place.column": "it becomes a column of the views, too",
    "column.after": "the column that it stands behind",
    "column.before": "the column that it stands in front of",
    "column.views": ("the views that get it", "those that have that column"),
}
