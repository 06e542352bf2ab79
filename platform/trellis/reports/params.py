"""What a reader has chosen: a report's params as values, from the texts of an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trellis.formula.env import Env
from trellis.formula.reader import Reader
from trellis.formula.types import Value
from trellis.model.fields.base import Invalid
from trellis.model.reports.report import Param, Report
from trellis.records.refusal import Fault


@dataclass(frozen=True)
class Chosen:
    """The values of the params that are set, and what is wrong with the others."""

    values: Mapping[str, Value] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)  # what was typed and is no value
    faults: tuple[Fault, ...] = ()

    @property
    def variables(self) -> Mapping[str, Value]:
        """The values as formulas read them."""
        return {"param": dict(self.values)}

    def unset(self, report: Report) -> frozenset[str]:
        """The params without a value."""
        return frozenset(key for key in report.params if self.values.get(key) is None)


def read_params(report: Report, given: Mapping[str, str], reader: Reader) -> Chosen:
    """The params of an address; one that is not there has its default, one that is empty has no value."""
    return read_values(report.params, given, reader)


def read_values(params: Mapping[str, Param], given: Mapping[str, str], reader: Reader) -> Chosen:
    """The same for anything that is declared like params, such as the filters of a dashboard."""
    values: dict[str, Value] = {}
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for key, param in params.items():
        if key not in given:
            values[key] = default_of(param, reader)
            continue
        text = given[key].strip()
        try:
            value = param.field.type.parse(text, reader) if text else None
            wrong = list(param.field.type.check(value)) if value is not None else []
        except Invalid as error:
            wrong, value = [error], None
        if wrong:
            texts[key] = given[key]
            faults += [Fault(e.code, e.message, key, e.params) for e in wrong]
        else:
            values[key] = value
        if param.field.required and values.get(key) is None and not wrong:
            values[key] = default_of(param, reader)
    return Chosen({k: v for k, v in values.items() if v is not None}, texts, tuple(faults))


def default_of(param: Param, reader: Reader) -> Value:
    """What a param is while nobody has chosen."""
    found = param.field.default
    return None if found is None else found.evaluate(Env(None, reader))
