"""Text meant for people, in every language that a layer's `i18n/` gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field


@dataclass(frozen=True, slots=True)
class Text:
    """A label as written in the YAML (`source`) with its translations by BCP 47 language."""

    source: str
    translations: Mapping[str, str] = dc_field(default_factory=dict, hash=False)

    def in_language(self, language: str) -> str:
        """The text for a reader of `language`: zh-Hans-CN falls back to zh-Hans, zh, then to the source."""
        if self.translations:
            tag = language.replace("_", "-")
            while tag:
                if (found := self.translations.get(tag)) is not None:
                    return found
                tag = tag.rpartition("-")[0]
        return self.source

    def __str__(self) -> str:
        return self.source

    def __bool__(self) -> bool:
        return bool(self.source)


NO_TEXT = Text("")
