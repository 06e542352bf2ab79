"""The stages of a pipeline: their labels, chances and order, and new ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from trellis.studio.changes.answers import number, relabelled, text, typed_key
from trellis.studio.changes.registry import Change, Mistaken, Written, change
from trellis.studio.writing import Edit, extended, own_value
from trellis.web.i18n import say

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from trellis.model.pipeline import Pipeline

NEW = 2  # rows for new stages
KINDS = ("open", "won", "lost", "done", "cancelled")


@change("stages")
class ChangeStages(Change):
    """Add, rename and reorder stages."""

    icon = "timeline"
    template = "stages"

    @classmethod
    def label(cls) -> str:
        """What it is called."""
        return str(_("Stages of a pipeline"))

    @classmethod
    def about(cls) -> str:
        """What it is for."""
        return str(_("Add a stage, give it another name or chance, put the stages into another order"))

    def ask(self, given: MultiDict[str, str]) -> dict[str, Any]:
        """The stages as they are."""
        pipelines = sorted(self.desk.model.pipelines.values(), key=lambda p: str(say(p.label)).casefold())
        chosen = self._chosen(given) or next(iter(pipelines), None)
        words = {
            "open": _("open"),
            "won": _("won"),
            "lost": _("lost"),
            "done": _("done"),
            "cancelled": _("cancelled"),
        }
        return {"pipelines": pipelines, "pipeline": chosen, "new": range(NEW), "words": words}

    def _chosen(self, given: MultiDict[str, str]) -> Pipeline | None:
        return self.desk.model.pipelines.get(given.get("pipeline", ""))

    def write(self, given: MultiDict[str, str]) -> Written:
        """`stages.<key>: {label, probability, after}`, only where it is another than now."""
        pipeline = self._chosen(given)
        if pipeline is None:
            raise Mistaken({"pipeline": _("Choose a pipeline.")})
        faults: dict[str, str] = {}
        written = Written()
        wanted: list[tuple[float, int, str]] = []
        for n, stage in enumerate(pipeline.stages.values()):
            at = ("stages", stage.key)
            label = text(given, f"{stage.key}.label")
            edit = Edit("pipeline", pipeline.key, (*at, "label"), label)
            relabelled(
                self.desk, stage.label, label, f"pipeline.{pipeline.key}.stages.{stage.key}.label", edit, written
            )
            chance = number(given, f"{stage.key}.probability", faults)
            if chance is not None and not 0 <= chance <= 100:
                faults[f"{stage.key}.probability"] = _("A chance lies between 0 and 100.")
            elif chance is not None and chance != stage.probability:
                written.edits.append(Edit("pipeline", pipeline.key, (*at, "probability"), chance))
            place = number(given, f"{stage.key}.place", faults)
            wanted.append((_wanted_place(n + 1, place), n, stage.key))
        wanted += self._new(given, pipeline, faults, written)
        if faults:
            raise Mistaken(faults)
        order = [key for _place, _n, key in sorted(wanted)]
        for key, word, beside in moves(list(pipeline.stages), order):
            written.edits.append(Edit("pipeline", pipeline.key, ("stages", key, word), beside))
        if pipeline.moves is not None and (ways := _ways(order, pipeline)):
            own = own_value(self.desk.draft.files, "pipeline", pipeline.key, ("moves",))
            written.edits.append(Edit("pipeline", pipeline.key, ("moves",), extended(own, ways)))
        return written

    def _new(
        self, given: MultiDict[str, str], pipeline: Pipeline, faults: dict[str, str], written: Written
    ) -> list[tuple[float, int, str]]:
        found: list[tuple[float, int, str]] = []
        for n in range(NEW):
            label = text(given, f"new{n}.label")
            if not label:
                continue
            wrong: dict[str, str] = {}
            key = typed_key(given, label, {*pipeline.stages, *(k for _p, _n, k in found)}, wrong)
            faults |= {f"new{n}.label": said for said in wrong.values()}
            stage: dict[str, Any] = {"label": label}
            chance = number(given, f"new{n}.probability", faults)
            if chance is not None and not 0 <= chance <= 100:
                faults[f"new{n}.probability"] = _("A chance lies between 0 and 100.")
            elif chance is not None:
                stage["probability"] = chance
            if (kind := given.get(f"new{n}.type", "open")) in KINDS and kind != "open":
                stage["type"] = kind
            written.edits.append(Edit("pipeline", pipeline.key, ("stages", key), stage))
            place = number(given, f"new{n}.place", faults)
            # the same number as a stage that is there: before it
            found.append((len(pipeline.stages) + 1.0 + n if place is None else float(place) - 0.5, n, key))
        return found


def _wanted_place(now: int, typed: Any) -> float:
    """Where a stage wants to be: with the number of another one, before it on the way up, after it on the way down."""
    if typed is None or typed == now:
        return float(now)
    return float(typed) - 0.5 if typed < now else float(typed) + 0.5


def _ways(order: list[str], pipeline: Pipeline) -> list[dict[str, str]]:
    """Moves to each new stage from the one before it, and from it to the one after: without, nothing would reach it."""
    found: list[dict[str, str]] = []
    for n, key in enumerate(order):
        if key not in pipeline.stages:
            found += [{"from": order[n - 1], "to": key}] if n else []
            found += [{"from": key, "to": order[n + 1]}] if n + 1 < len(order) else []
    return found


def moves(now: list[str], wanted: list[str]) -> list[tuple[str, str, str]]:
    """What turns one order into the other: (stage, after or before, which). New ones stand at the end at first."""
    order = [*now, *(key for key in wanted if key not in now)]
    found = []
    for n, key in enumerate(wanted):
        if order[n] == key:
            continue
        order.remove(key)
        found.append((key, "after", wanted[n - 1]) if n else (key, "before", order[0]))
        order.insert(n, key)
    return found
