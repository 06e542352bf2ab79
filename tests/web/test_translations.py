"""Every text of the interface is translated, and every translation still has its text."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.web import msgids

from trellis.web.i18n import LANGUAGES

PATHS = sorted(msgids.CATALOGUES.glob("*/LC_MESSAGES/messages.po"))


def test_every_language_has_a_catalogue() -> None:
    """English is what the msgids are written in."""
    assert {tag.replace("-", "_") for tag in LANGUAGES} - {"en"} == {p.parents[1].name for p in PATHS}


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.parents[1].name)
def test_catalogue_is_whole(path: Path) -> None:
    """`python tests/web/msgids.py` mends the msgids; the words are for people to write."""
    catalogue, said = msgids.read_catalogue(path), msgids.messages()
    known = {m.id if isinstance(m.id, str) else m.id[0] for m in catalogue if m.id}
    assert not sorted(set(said) - known), "not in the catalogue"
    assert not sorted(known - set(said)), "nothing says this any more"
    assert not msgids.untranslated(catalogue), "not translated"


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.parents[1].name)
def test_translations_keep_the_placeholders(path: Path) -> None:
    """What is filled in has a place in every form of the translation."""
    for message in msgids.read_catalogue(path):
        if not message.id:
            continue
        wanted = msgids.placeholders(message.id if isinstance(message.id, str) else message.id[1])
        for form in [message.string] if isinstance(message.string, str) else message.string:
            assert msgids.placeholders(form) == wanted, message.id


def test_what_the_checker_says_is_a_sentence_and_its_parts() -> None:
    """`problem(…, f"unknown {x}")` could not be said in another language; `phrase("unknown {x}", x=x)` can."""
    assert not list(msgids.glued())
