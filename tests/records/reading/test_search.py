from __future__ import annotations

import pytest

from trellis.records.reading.search import fold, query_text, tokens


def test_words_are_folded_and_cjk_is_cut_into_pairs():
    assert tokens(["Äpfel & Straße"]) == ["apfel", "strasse"]
    assert tokens(["上海贸易"])[:4] == ["上海", "海贸", "贸易", "易"]
    assert tokens(["a@b.example"]) == ["a", "b", "example"]
    assert fold("ＡＢＣ①") == "abc1"


def test_the_last_word_matches_by_its_beginning():
    assert query_text("anna mül") == "'anna' & 'mul':*"
    assert query_text("贸易") == "'贸易'"
    assert query_text("贸") == "'贸':*"
    assert query_text("!!!") is None


@pytest.mark.parametrize("q", ["capek", "ČAP", "消费", "费", "hauptstrasse", "o'brien", "brien"])
def test_records_are_found_in_any_language(system, q):
    for name in ("Čapek", "上海消费品", "Hauptstraße", "O'Brien & Sons"):
        system.create("account", {"name": name})
    assert len(system.list("account", columns=["name"], q=q).rows) == 1
    assert system.count("account", q=q).n == 1


@pytest.mark.parametrize("q", ["shanghai", "shmy", "maoyi", "my", "shanghai maoyi", "贸易"])
def test_chinese_is_found_by_pinyin_and_initials(system, q):
    system.create("account", {"name": "上海贸易有限公司"})
    assert system.count("account", q=q).n == 1
    assert [c.title for c in system.pick("account", q)] == ["上海贸易有限公司"]


@pytest.mark.parametrize("q", ["浦江", "pujiang", "shpj", "shanghai"])
def test_what_bears_the_name_stands_before_what_belongs_to_it(system, q):
    system.create("account", {"name": "上海浦江制造"})
    for n in range(3):
        system.create("account", {"name": f"Other {n}", "secret_note": "about 上海浦江制造"})
    hits = system.search(q)
    assert (hits[0].title, len(hits)) == ("上海浦江制造", 4)


def test_a_search_follows_what_is_written(system):
    record = system.create("account", {"name": "Old name"})
    system.update("account", record.id, {"name": "Fresh"})
    assert system.count("account", q="old").n == 0
    assert system.count("account", q="fre").n == 1


def test_a_search_without_words_finds_nothing(system):
    system.create("account", {"name": "x"})
    assert system.count("account", q="???").n == 0
    assert system.count("account", q="  ").n == 1


def test_the_search_over_everything_puts_titles_first(system):
    account = system.create("account", {"name": "Acme"})
    system.create("account", {"name": "The Acme Partners"})
    system.create("contact", {"name": "Ann Acme"})
    system.create("deal", {"name": "Acme pilot", "account": account.id})
    hits = system.search("acme")
    assert hits[0].title == "Acme"
    assert {h.ref.entity for h in hits} == {"account", "contact", "deal"}
    assert system.search("?!") == []


def test_a_picker_offers_titles_with_a_second_line(system):
    system.create("contact", {"name": "Anna Berg", "email": "anna@berg.example"})
    system.create("contact", {"name": "Bo"})
    [choice] = system.pick("contact", "berg")
    assert (choice.title, choice.detail) == ("Anna Berg", "anna@berg.example")
    assert [c.title for c in system.pick("contact", "")] == ["Anna Berg", "Bo"]
    assert [c.title for c in system.pick("contact", "nna")] == ["Anna Berg"]


@pytest.mark.parametrize("typed", ["Haldn Instruments", "haldenn", "instrumnets halden", "Instruments"])
def test_a_slip_in_a_long_word_is_forgiven(system, typed):
    system.create("account", {"name": "Halden Instruments"})
    system.create("account", {"name": "Halde & Partner"})
    assert "Halden Instruments" in [hit.title for hit in system.search(typed)]


@pytest.mark.parametrize("typed", ["Hald Optik", "Halden Optik", "Bergen", "hat"])
def test_another_word_is_not_a_slip(system, typed):
    system.create("account", {"name": "Halden Instruments"})
    assert system.search(typed) == []
