"""Answers that are files."""

from __future__ import annotations

from flask import Response
from werkzeug.http import parse_options_header

from trellis.web.attached import named


def test_a_files_name_in_any_script_fits_into_a_header() -> None:
    for name in ("各阶段商机.xlsx", "Größe; 50 %.csv", "a\r\nb/c.pdf"):
        header = named(Response(), name).headers["Content-Disposition"]
        assert header.isascii()
        assert "\n" not in header
        assert parse_options_header(header) == ("attachment", {"filename": name})
