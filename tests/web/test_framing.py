"""Pages of other sites on dashboards: what their answers say about frames."""

from __future__ import annotations

import pytest

from trellis.automation.outgoing import Answer, OutgoingFailed
from trellis.web.dashboards import framing
from trellis.web.dashboards.framing import Framing, framing_of, refuses

HERE = "https://crm.example:8443/"


@pytest.mark.parametrize(
    ("header", "value", "is_refused"),
    [
        ("x-frame-options", "DENY", True),
        ("x-frame-options", "SAMEORIGIN, sameorigin", True),
        ("x-frame-options", "ALLOW-FROM https://crm.example", False),
        ("content-security-policy", "default-src 'self'", False),
        ("content-security-policy", "default-src 'self'; frame-ancestors 'none'", True),
        ("content-security-policy", "frame-ancestors 'self' https://other.example", True),
        ("content-security-policy", "frame-ancestors *", False),
        ("content-security-policy", "Frame-Ancestors https:", False),
        ("content-security-policy", "frame-ancestors http:", True),
        ("content-security-policy", "frame-ancestors https://crm.example:8443", False),
        ("content-security-policy", "frame-ancestors *.example:*", False),
        ("content-security-policy", "frame-ancestors https://crm.example", True),
        ("content-security-policy", "frame-ancestors *, frame-ancestors 'none'", True),
        ("content-security-policy", "frame-ancestors [nonsense", True),
    ],
)
def test_a_page_is_shown_where_its_answer_lets_it(header: str, value: str, is_refused: bool) -> None:
    assert refuses({header: value}, HERE) is is_refused


def test_the_policy_goes_before_the_older_header() -> None:
    assert not refuses({"x-frame-options": "DENY", "content-security-policy": "frame-ancestors *"}, HERE)


def test_an_address_is_asked_once_and_says_where_it_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def send(_method: str, url: str, **_more: object) -> Answer:
        asked.append(url)
        if "silent" in url:
            raise OutgoingFailed("timeout", "no answer")
        return Answer(200, {"x-frame-options": "DENY"}, url=url.replace("moved.", "www.moved."))

    monkeypatch.setattr(framing, "send", send)
    monkeypatch.setattr(framing, "_answers", {})
    assert framing_of("https://shut.example/a", HERE) == framing_of("https://shut.example/a", HERE) == Framing(True)
    assert framing_of("https://moved.example/", HERE) == Framing(leads_to="https://www.moved.example/")
    assert framing_of("https://silent.example/", HERE) == Framing()
    assert asked == ["https://shut.example/a", "https://moved.example/", "https://silent.example/"]
