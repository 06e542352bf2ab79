"""What the compilers of one configuration share: drafts, problems, texts in every language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, TypeVar

from trellis.config.phrase import Phrase, phrase
from trellis.config.problem import Mark, Problem, did_you_mean
from trellis.config.stack import Configuration
from trellis.model.compile.drafts import EntityDraft
from trellis.model.compile.item import Item
from trellis.model.compile.system_texts import SYSTEM_TEXTS
from trellis.model.text import NO_TEXT, Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.choice import Choice
    from trellis.model.model import Setting

MAX_PROBLEMS = 500
T = TypeVar("T")


@dataclass
class Context:
    """One compilation."""

    configuration: Configuration
    problems: list[Problem] = dc_field(default_factory=list)
    drafts: dict[str, EntityDraft] = dc_field(default_factory=dict)
    choices: dict[str, tuple[Choice, ...]] = dc_field(default_factory=dict)
    settings: dict[str, Setting] = dc_field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()  # the platform's named formats
    used_texts: set[str] = dc_field(default_factory=set)
    asked: dict[str, Text] | None = None  # every text by its path, where somebody wants to know them
    translations: dict[str, dict[str, str]] = dc_field(default_factory=dict)  # path → language → text
    formulas: list[tuple[str, str, Formula, Item]] = dc_field(default_factory=list)  # entity, field, …: for cycles

    def __post_init__(self) -> None:
        self.translations = {path: dict(texts) for path, texts in SYSTEM_TEXTS.items()}
        for language, texts in self.configuration.translations.items():
            for path, (text, _) in texts.items():
                self.translations.setdefault(path, {})[language] = text

    def problem(
        self, code: str, message: str, item: Item, hint: str = "", *, at_key: bool = False, mark: Mark | None = None
    ) -> None:
        """Note a problem with a value."""
        if len(self.problems) >= MAX_PROBLEMS:
            return
        where = mark or (item.place.key_mark if at_key else item.place.mark)
        self.problems.append(Problem(code, message, where, item.path, hint))

    def quietly(self, run: Callable[[], T]) -> T:
        """Run something whose problems are nobody's mistake."""
        before = len(self.problems)
        result = run()
        del self.problems[before:]
        return result

    def has_problem_in(self, item: Item) -> bool:
        """Whether something inside the item is known to be wrong, so that what follows from it need not be said."""
        return any(p.is_error and p.path.startswith(item.path) for p in self.problems)

    def unknown(
        self, noun: str, item: Item, known: Iterable[str], code: str = "E301", name: str | None = None, of: str = ""
    ) -> None:
        """Note that a name is not there, with the nearest that is; `of`: of which entity it is none."""
        if len(self.problems) >= MAX_PROBLEMS:
            return
        wanted = name or item.text
        hint = did_you_mean(wanted, known)
        if not hint.startswith("did"):
            others = (kind for kind, known in self.configuration.documents.items() if kind != noun and wanted in known)
            if (other := next(others, None)) is not None:
                hint = phrase("'{name}' is the key of a document of another kind: {other}", name=wanted, other=other)
        thing = noun if isinstance(noun, Phrase) else phrase(noun)
        if of:
            said = phrase("unknown {noun} of {entity} '{name}'", noun=thing, entity=of, name=wanted)
        else:
            said = phrase("unknown {noun} '{name}'", noun=thing, name=wanted)
        self.problem(code, said, item, hint)

    def translated(self, source: str, *paths: str) -> Text:
        """A text with the translations under the first of the paths that has any."""
        for path in paths:
            found = self.translations.get(path)
            if found:
                self.used_texts.add(path)
                return self._told(paths[0], Text(source, found))
        return self._told(paths[0], Text(source))

    def _told(self, path: str, text: Text) -> Text:
        if self.asked is not None:
            self.asked[path] = text
        return text

    def text(
        self, parent: Item, key: str, default: str = "", ancestors: Iterable[str] = (), more: Iterable[str] = ()
    ) -> Text:
        """The text under a key, translated by its path; by an ancestor's path where the entity has none of its own."""
        found = parent.get(key)
        source = default if found is None else found.text
        path = f"{parent.full_path}.{key}"
        own = [path]
        if parent.root.startswith("entity."):
            rest = path[len(parent.root) :]
            own += [f"entity.{a}{rest}" for a in ancestors]
        own += more
        if not source and not any(p in self.translations for p in own):
            return NO_TEXT
        return self.translated(source, *own)


def humanize(key: str) -> str:
    """A label from a key: close_date → Close date."""
    words = key.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
