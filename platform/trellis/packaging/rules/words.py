"""The languages that a manifest promises are complete."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trellis.config.problem import Mark, Problem
from trellis.config.provenance import where
from trellis.model.compile.compiled import texts_of
from trellis.packaging.rules.registry import Subject, rule

SOURCE = "en"  # what a label in the YAML is taken to be written in
SHOWN = 20
_SHORT = re.compile(r"[A-Z0-9]{1,4}")
_CODE = re.compile(r"[a-z0-9_.-]+|[A-Z0-9_.-]+")
_FORMULA = re.compile(r"\{[^{}]*\}")


@rule("languages")
def languages(subject: Subject) -> Iterator[Problem]:
    """Every text of the template is there in every language that it names."""
    wanted = [language for language in subject.manifest.languages if language != SOURCE]
    if not wanted:
        return
    lacking: dict[str, list[str]] = {language: [] for language in wanted}
    for path, text in texts_of(subject.layers).items():
        if not _is_language(path, text.source) or not _is_own(subject, path):
            continue
        for language in wanted:
            if not _has(text.translations, language):
                lacking[language].append(f"{path}: {text.source}")
    for language, paths in lacking.items():
        if paths:
            more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
            lines = "".join(f"\n    {path.splitlines()[0][:120]}" for path in sorted(paths)[:SHOWN])
            count = "1 text has" if len(paths) == 1 else f"{len(paths)} texts have"
            message = f"{count} no translation into {language}:{lines}{more}"
            mark = Mark(subject.layer.display(f"i18n/{language}.yaml"), 1, 1, subject.layer.name)
            yield Problem("W643", message, mark)


def _is_language(path: str, source: str) -> bool:
    """Whether a text says something in a language: not `8D`, not `{name}`, not a choice that a step sets."""
    plain = _FORMULA.sub("", source)
    if not any(c.isalpha() for c in plain) or _SHORT.fullmatch(plain):
        return False
    return ".set." not in path or _CODE.fullmatch(plain) is None


def _has(translations: object, language: str) -> bool:
    tag = language
    while tag:
        if isinstance(translations, dict) and tag in translations:
            return True
        tag = tag.rpartition("-")[0]
    return False


def _is_own(subject: Subject, path: str) -> bool:
    """Whether the template itself gives rise to a text: it, or what it is the text of, stands in its files."""
    steps = path.rpartition(".")[0]
    made = path.split(".")[2:3] in (["fields"], ["views"])  # the platform adds some of these to every entity
    while steps.count("."):
        mark = where(subject.compiled.configuration, steps)
        if mark is not None:
            return mark.layer == subject.layer.name
        if made:
            return False
        steps = steps.rpartition(".")[0]
    return False
