"""Files as the world writes them."""

from __future__ import annotations

import pytest

from trellis.records.transfer.neutral import guard, unguard
from trellis.records.transfer.reading import Unreadable, read_table

TEXT = "name,city\r\n王小明,深圳\r\nMüller,Köln\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings_are_found(encoding: str) -> None:
    rows = list(read_table(TEXT.encode(encoding)).rows())
    assert rows == [(2, ["王小明", "深圳"]), (3, ["Müller", "Köln"])]


def test_western_files_are_not_taken_for_chinese() -> None:
    data = "Name;Straße\r\nJörg Müller;Grüner Weg 1\r\n".encode("cp1252")
    table = read_table(data)
    assert table.header == ("Name", "Straße")
    assert list(table.rows()) == [(2, ["Jörg Müller", "Grüner Weg 1"])]


def test_a_named_encoding_is_taken_by_its_word() -> None:
    assert read_table("a\nб\n".encode("cp1251"), encoding="cp1251").rows().__next__() == (2, ["б"])
    with pytest.raises(Unreadable):
        read_table(b"\xff\xfe\xfa", encoding="utf-8")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separators_are_found(mark: str) -> None:
    assert read_table(f'a{mark}"b, c"\n1{mark}2\n').header == ("a", "b, c")


def test_lines_are_those_of_the_file() -> None:
    table = read_table('a,b\n"one\ntwo",1\n\n3,4\n')
    assert list(table.rows()) == [(2, ["one\ntwo", "1"]), (5, ["3", "4"])]


def test_a_file_without_a_header_gets_one() -> None:
    table = read_table("  1   2\n 3  4 \n", delimiter=" ", header=("a", "b"))
    assert [cells[:2] for _, cells in table.rows()] == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("data", [b"", b"a\x00b\n", b"\n\n"])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_table(data)


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+49 30 1", "'+49 30 1"),
        ("+4930901820", "'+4930901820"),
        ("-A1", "'-A1"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("-5.00", "-5.00"),
        ("-5.00 EUR", "'-5.00 EUR"),
        ("'quoted", "''quoted"),
        ("'", "''"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_formulas_are_made_harmless_and_come_back(text: str, guarded: str) -> None:
    assert guard(text) == guarded
    assert unguard(guarded) == text
    assert unguard(text) == text or text.startswith("'")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name,city\nAda,"Kiel\nBo,Ulm\nCy,Bonn\n', 2),  # to the end of the file
        ('name,city\nAda,Kiel\n"Bo,Ulm\nCy,"Bonn"\nDi,Jena\n', 3),  # to the next quotation mark
        ('name,city\nAda,"first\nsecond",\nBo,"Ulm\nCy,Bonn\n', 4),
        ('name,city\n"Ada\nBell","Kiel\nBo,Ulm', 3),
        ('name,"city\nAda,Kiel\nBo,Ulm\n', 1),
        ('name;city\r\nAda;"Kiel ""am Hafen\r\nBo;"Ulm"\r\n', 2),
        ('name\tcity\rAda\t"Kiel\rBo\tUlm\r', 2),
    ],
)
def test_a_quotation_mark_that_is_not_closed_is_told_with_its_line(text: str, line: int) -> None:
    """It would swallow the rows that follow."""
    with pytest.raises(Unreadable, match=f"^Line {line}: the quotation mark before"):
        list(read_table(text).rows())


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n"one ""two""\nthree",4\n',
        'a,b\n"one\n" ,"two, three"\n',
        'a,b\n5" screen,x\n',
        'a,b\n"","x\n"\n',
        'a,b\nx,"""\n"""',
    ],
)
def test_quotation_marks_that_belong_together_are_read(text: str) -> None:
    assert len(list(read_table(text).rows())) == 1
