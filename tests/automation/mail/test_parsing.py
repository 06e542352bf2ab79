"""Messages as programs write them, and as they are broken."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trellis.automation.mail.incoming.parsing import own_words, understood

TEXT = "喆先生：您好，合同已盖章。"  # 喆 is in GBK and not in GB2312


@pytest.mark.parametrize("said", ["gb2312", "gbk", "GB18030", "utf-8", "x-gbk", "unknown-8bit", "no-such-charset"])
def test_chinese_in_whatever_it_is_written(said: str) -> None:
    codec = "utf-8" if said in ("utf-8",) else "gb18030"
    subject = base64.b64encode(TEXT.encode(codec)).decode()
    raw = (
        f"From: =?gb2312?B?{base64.b64encode('王喆'.encode('gb18030')).decode()}?= <wang@x.example>\n"
        f"Subject: =?{said}?B?{subject}?=\nContent-Type: text/plain; charset={said}\n"
        "Content-Transfer-Encoding: 8bit\n\n"
    ).encode() + TEXT.encode(codec)
    found = understood(raw)
    assert (found.text, found.sender, found.sender_name) == (TEXT, "wang@x.example", "王喆")
    assert said in ("unknown-8bit", "no-such-charset") or found.subject == TEXT


def test_raw_bytes_in_a_header() -> None:
    assert understood(b"Subject: " + TEXT.encode() + b"\n\nx").subject == TEXT
    assert understood(b"Subject: " + TEXT.encode("gb18030") + b"\n\nx").subject == TEXT


def test_html_is_harmless_and_loads_nothing() -> None:
    html = '<p onclick="x()">Hello <b>Ann</b><script>bad()</script><img src="https://track.example/p.gif"></p>'
    found = understood(b"Content-Type: text/html; charset=utf-8\n\n" + html.encode())
    assert found.text == "Hello Ann"
    assert found.html == "<p>Hello <b>Ann</b></p>"


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Yes.\n\nOn Mon, 1 Jan 2026, Ann wrote:\n> Is it?", "Yes."),
        ("Yes.\n\n-----Original Message-----\nFrom: x", "Yes."),
        ("好的。\n\n在 2026年1月1日，王喆 写道：\n> 行吗", "好的。"),
        ("Yes.\n> Is it?\n> Really?", "Yes."),
        ("> Is it?\nYes.\n> Really?\nYes.", "> Is it?\nYes.\n> Really?\nYes."),
        ("From me to you", "From me to you"),
    ],
)
def test_what_somebody_has_written_themselves(text: str, own: str) -> None:
    assert own_words(text) == own


def test_a_message_without_a_name_is_known_by_its_content() -> None:
    one, other = understood(b"Subject: a\n\nx"), understood(b"Subject: a\n\ny")
    assert one.message_id == understood(b"Subject: a\n\nx").message_id != other.message_id


BROKEN = st.sampled_from(
    [b"Message-ID: <a", b"From: \"", b"Subject: =?utf-8?B?%%?=", b"Content-Type: multipart/mixed", b"Date: x",
     b"Content-Type: multipart/report; report-type=delivery-status; boundary=x", b"\n--x\n", b"To: <>, @", b"\xff\xfe",
     b"Content-Disposition: attachment; filename*=utf-8''%ff", b"Content-Transfer-Encoding: base64",
     b"References: <<>>"]
)  # fmt: skip


@given(st.lists(st.one_of(BROKEN, st.binary(max_size=40)), max_size=8).map(b"\n".join))
def test_nothing_that_comes_makes_it_fall(raw: bytes) -> None:
    found = understood(raw)
    assert "\0" not in found.subject + found.text + found.html
    (found.subject + found.text + found.html + found.sender).encode()
