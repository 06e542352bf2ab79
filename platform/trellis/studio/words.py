"""Plans, problems and documents in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import format_decimal, gettext, ngettext
from flask_babel import lazy_gettext as _l

from trellis.config.codes import CODES as TOLD
from trellis.storage.names import short
from trellis.web.formulas import phrase_words
from trellis.web.i18n import say

if TYPE_CHECKING:
    from trellis.config.problem import Problem
    from trellis.model.entity import Entity
    from trellis.model.model import Model
    from trellis.storage.plan import Plan
    from trellis.storage.step import Step

ICONS = {
    "create_table": "table-plus",
    "add_column": "plus",
    "rename_table": "pencil",
    "rename_column": "pencil",
    "rename_value": "pencil",
    "convert_column": "transform",
    "move_stage": "arrow-right",
    "retype_stage": "refresh",
    "fill_column": "pencil",
    "drop_table": "trash",
    "drop_column": "trash",
    "add_index": "bolt",
}

# what an administrator reads; {entity} and {field} are labels, {rows} a number
STEPS = {
    "create_table": _l("A place for records of {entity} is made."),
    "add_column": _l("{entity}: the field {field} is added."),
    "rename_table": _l("{entity}: it is called so from now on; its {rows} records go with it."),
    "rename_column": _l("{entity}: a field is called {field} from now on; what is in it stays."),
    "rename_value": _l("{entity}: {rows} stored values get their new name ({field})."),
    "convert_column": _l("{entity}: {field} becomes another type; {rows} values are converted."),
    "move_stage": _l("{entity}: {rows} records are in a stage that is gone, and move on."),
    "retype_stage": _l("{entity}: {rows} records are in a stage whose meaning changes ({field})."),
    "fill_column": _l("{entity}: {field} is filled in {rows} records."),
    "drop_table": _l("{entity}: all {rows} records are destroyed."),
    "drop_column": _l("{entity}: the field {field} is destroyed, with {rows} values."),
    "add_index": _l("{entity}: searching and sorting is made faster, or kept unique ({field})."),
    "drop_index": _l("{entity}: an index goes that nothing needs any more."),
    "rename_index": _l("{entity}: an index gets its new name."),
    "add_key": _l("{entity}: links are held by the database ({field})."),
    "drop_key": _l("{entity}: a link or a rule of uniqueness is no longer held by the database."),
    "check_key": _l("{entity}: old links are checked."),
    "default": _l("{entity}: {field} begins with another value."),
    "nullable": _l("{entity}: {field} may be blank."),
    "not_null": _l("{entity}: {field} may not be blank."),
}

CODES = {
    "E101": _l("Written twice"),
    "E102": _l("Not a text file"),
    "E105": _l("A tag"),
    "E106": _l("An anchor that is not there"),
    "E107": _l("Too deep or too much"),
    "E108": _l("Not a word as a key"),
    "E109": _l("Too large"),
    "E110": _l("The same document twice"),
    "E111": _l("Not a document"),
    "E112": _l("A key is missing"),
    "E201": _l("Unknown kind of document"),
    "E203": _l("Unknown word"),
    "E204": _l("Something is missing"),
    "E205": _l("Another type of value is meant"),
    "E206": _l("Not one of the values"),
    "E207": _l("Not a possible name"),
    "E208": _l("Outside of the limits"),
    "E209": _l("Not a duration"),
    "E210": _l("Unknown type of field"),
    "E211": _l("Unknown step, trigger or widget"),
    "E212": _l("The type cannot be told"),
    "E213": _l("A choice twice"),
    "E214": _l("An option that does not fit the type"),
    "E215": _l("A default that does not fit"),
    "E216": _l("A pattern that cannot be read"),
    "E218": _l("Unknown language"),
    "E219": _l("Sign-in or mail"),
    "E301": _l("Unknown entity"),
    "E302": _l("Extends itself"),
    "E304": _l("Unknown field"),
    "E305": _l("A reserved name"),
    "E306": _l("Unknown choices or format"),
    "E307": _l("A name that is taken"),
    "E309": _l("Unknown stage"),
    "E310": _l("A list that cannot be edited so"),
    "E311": _l("Locked by an earlier layer"),
    "E312": _l("Nothing to leave out"),
    "E313": _l("Unknown role"),
    "E314": _l("A stage that nothing reaches"),
    "E315": _l("A place that is not there"),
    "E316": _l("Unknown document"),
    "E317": _l("Unknown setting"),
    "E318": _l("A circle"),
    "E319": _l("Unknown column of a report"),
    "E320": _l("Another version"),
    "E321": _l("A workflow without an end"),
}
KINDS_OF_PROBLEM = {
    "E1": _l("YAML"),
    "E2": _l("Shape"),
    "E3": _l("Names"),
    "E4": _l("Formula"),
    "E5": _l("Database"),
    "W6": _l("Advice"),
}


def title_of(problem: Problem) -> str:
    """What kind of mistake it is, in two or three words."""
    return str(CODES.get(problem.code) or KINDS_OF_PROBLEM.get(problem.code[:2], problem.code))


def problem_words(problem: Problem) -> tuple[str, str]:
    """The message, and what to do: the checker's own hint, else what mends a problem of its code."""
    told = TOLD.get(problem.code)
    advice = gettext(told.advice) if told is not None and told.advice else ""
    return phrase_words(problem.message), phrase_words(problem.hint) or advice


def step_words(step: Step, planned: Plan) -> dict[str, Any]:
    """One step for the page: what happens in words, what it costs, and the technical sentence."""
    entity = _entity(step.table, planned) or _entity(step.name, planned)
    name = say(entity.plural) if entity is not None else step.table.strip("_") or gettext("Trellis")
    pattern = STEPS.get(step.kind)
    params = {
        "entity": name,
        "field": _field(entity, step.name, planned.model, planned.tenant.model),
        "rows": format_decimal(step.rows),
    }
    text = str(pattern).format_map(params) if pattern is not None else step.text
    return {
        "icon": ICONS.get(step.kind, "point"),
        "text": text,
        "exact": step.text,
        "sql": [*step.sql, *step.later],
        "rows": step.rows,
        "failing": step.failing,
        "examples": step.examples,
        "destroys": step.destroys,
        "failing_text": ngettext("%(num)s row does not fit", "%(num)s rows do not fit", step.failing)
        if step.failing
        else "",
    }


def _entity(table: str, planned: Plan) -> Entity | None:
    for model in (planned.model, planned.tenant.model):
        for entity in model.entities.values():
            if short(entity.key) == table:
                return entity
    return None


def _field(entity: Entity | None, column: str, *models: Model) -> str:
    """The label of the field that a column is of; a field of several columns has them as `amount_currency`."""
    known = [m.entities[entity.key] for m in models if entity is not None and entity.key in m.entities]
    for one in known:
        for key, field in one.fields.items():
            if short(key) == column:
                return str(say(field.label))
    return column
