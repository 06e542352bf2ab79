"""Version ranges of templates."""

from __future__ import annotations

import pytest

from trellis.config.versions import satisfies


@pytest.mark.parametrize(
    ("version", "wanted", "answer"),
    [
        ("1.4.0", "^1.4", True),
        ("1.10.2", "^1.4", True),
        ("2.0.0", "^1.4", False),
        ("1.3.9", "^1.4", False),
        ("0.2.5", "^0.2.1", True),
        ("0.3.0", "^0.2.1", False),
        ("1.4.9", "~1.4.2", True),
        ("1.5.0", "~1.4.2", False),
        ("1.4.0", "1.4", True),
        ("1.4.0", ">=1.2 <2", True),
        ("2.0.0", ">=1.2 <2", False),
        ("1.4.0", "latest", False),
        ("", "^1", False),
    ],
)
def test_ranges(version: str, wanted: str, answer: bool) -> None:
    assert satisfies(version, wanted) is answer
