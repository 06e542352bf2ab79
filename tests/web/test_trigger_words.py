"""What sets a workflow off, in the words of its page."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask
from flask_babel import Babel

from trellis.model.spans import read_span
from trellis.web import trigger_words
from trellis.web.trigger_words import cron_words, length_words


@pytest.fixture(scope="module")
def english() -> Flask:
    """An application without any translations."""
    app = Flask("words")
    Babel(app)
    return app


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigger_words, "current_reader", lambda: SimpleNamespace(language="en"))


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 7 * * *", "every day at 7:30 AM"),
        ("0 18 * * fri", "Friday at 6:00 PM"),
        ("0 8 * * mon-wed,sat", "Monday, Tuesday, Wednesday, and Saturday at 8:00 AM"),
        ("0 2 1 * *", "day 1 of every month at 2:00 AM"),
        ("0 5 1 1,7 *", "day 1 of January and July at 5:00 AM"),
        ("*/15 * * * *", "*/15 * * * *"),
        ("0 8 * * 1-5", "0 8 * * 1-5"),
        ("0 8 1 jan *", "0 8 1 jan *"),
        ("0 8 1 * fri", "0 8 1 * fri"),
    ],
)
def test_times_are_said_where_they_are_of_the_usual_kinds(english: Flask, cron: str, words: str) -> None:
    with english.test_request_context():
        assert cron_words(cron).replace("\u202f", " ") == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-60 days", "60 days"),
        ("1 month", "1 month"),
        ("14 months", "1 year 2 months"),
        ("90 minutes", "1 hour 30 minutes"),
    ],
)
def test_lengths_are_said_whichever_way_they_go(text: str, words: str) -> None:
    span = read_span(text)
    assert span is not None
    assert length_words(span) == words
