"""Titles stand in the order that a reader expects, whatever their script."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trellis.model.collation import name_key, sort_key, spelled


def test_letters_stand_without_case_and_accents_and_chinese_by_pinyin() -> None:
    expected = ["阿里", "apfel", "Ärzte", "长沙", "重庆啤酒", "李四", "osaka", "Österreich", "王五", "张三", "Zoe"]
    assert sorted(random.Random(1).sample(expected, len(expected)), key=sort_key) == expected


def test_the_same_character_stands_together() -> None:
    assert sorted(["章艾", "张三", "章子", "张艾"], key=sort_key) == ["张艾", "张三", "章艾", "章子"]


@pytest.mark.parametrize(
    ("last", "first", "sound"),
    [("单", "雄信", "shan"), ("曾", "国藩", "zeng"), ("尉迟", "恭", "yu")],
)
def test_surnames_are_read_as_surnames(last: str, first: str, sound: str) -> None:
    assert name_key(last, first).startswith(sound)


def test_a_company_is_found_by_pinyin_and_by_initials_from_each_character_on() -> None:
    assert {"shanghaiyunqi", "shyq", "yunqi", "yq"} <= set(spelled("上海云启"))
    assert "chongqing" in set(spelled("重庆"))


@given(st.text())
def test_any_text_has_an_order(text: str) -> None:
    key = sort_key(text)
    assert key == key.strip()
    assert "\x00" not in key or "\x00" in text
