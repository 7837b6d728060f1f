"""Encodings: found out where they tell themselves, guessed with a note where not, never decoded with loss."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from specs.findings import Finding, Severity
from trialmill.raw import RawError, TableSource, read_table

CHINESE = "受试者,检验项目,单位\n007,白细胞计数,10^9/L\n008,丙氨酸氨基转移酶,μmol/L\n"
TAIWAN = "病歷號,檢驗項目,備註\n007,白血球,檢體溶血\n"
WESTERN = "ID,TERM,UNIT\n1,Übelkeit,µmol/L\n2,Größe,10³/µL\n3,céphalée,°C\n"


def read(folder: Path, content: bytes, encoding: str = "") -> tuple[str, str, list[Finding]]:
    (folder / "LAB.csv").write_bytes(content)
    table, findings = read_table(TableSource("lab", "LAB.csv", encoding=encoding), folder=folder)
    lines = [table.columns, *table.data.to_numpy().tolist()]
    return "".join(",".join(cells) + "\n" for cells in lines), table.facts["encoding"], findings


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (CHINESE.encode(), "utf-8"),
        (codecs.BOM_UTF8 + CHINESE.encode(), "utf-8"),
        (CHINESE.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be"), "utf-16"),
        (CHINESE.encode("utf-16-le"), "utf-16-le"),
        (CHINESE.encode("utf-16-be"), "utf-16-be"),
        (CHINESE.encode("utf-32"), "utf-32"),
    ],
)
def test_unicode_tells_itself(tmp_path: Path, content: bytes, encoding: str) -> None:
    """With or without a byte order mark there is nothing to guess; the mark is no part of the first column's name."""
    assert read(tmp_path, content) == (CHINESE, encoding, [])


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        (CHINESE, "gb18030", "gb18030"),
        ("id,term\n" + "1,headache\n" * 300 + "2,腹泻\n" + "1,headache\n" * 300, "gb18030", "gb18030"),
        ("id,unit\n1,μmol/L\n2,↑\n", "gb18030", "gb18030"),
        (TAIWAN, "big5", "cp950"),
        ("id,term\n2,腹瀉\n", "big5", "cp950"),
        ("被験者,結果\n001,頭痛\n002,発熱あり\n", "cp932", "cp932"),
        (WESTERN, "iso-8859-1", "cp1252"),
        (WESTERN + "4,patient’s “own” – words,%\n", "cp1252", "cp1252"),
        ("id,unit\n1,µg/mL\n2,m²\n", "iso-8859-1", "cp1252"),
        ("id;cena\n1;œdème\n2;5 €\n", "iso-8859-15", "iso8859-15"),
        ("id,nazwa\n1,ból głowy\n2,nudności\n3,gorączka\n", "iso-8859-2", "iso8859-2"),
    ],
)
def test_other_encodings_are_guessed_with_a_note(tmp_path: Path, text: str, written: str, found: str) -> None:
    """The guess reads the text right, and a note shows words by which a person can tell."""
    delimiter = ";" if ";" in text else ","
    got, encoding, findings = read(tmp_path, text.encode(written))
    assert (got.replace(",", delimiter), encoding) == (text, found)
    assert [(note.rule, note.severity) for note in findings] == [("RAW-ENCODING", Severity.NOTE)]
    assert all(word in text for word in findings[0].values)


def test_note_shows_words(tmp_path: Path) -> None:
    """Three words are enough to see whether the encoding is right."""
    note = read(tmp_path, CHINESE.encode("gb18030"))[2][0]
    assert str(note) == (
        "note RAW-ENCODING LAB.csv: the encoding is taken to be gb18030: '受试者', '检验项目', '单位'"
        " (name it with `encoding:` when these words are wrong)"
    )


def test_named_encoding_is_no_guess(tmp_path: Path) -> None:
    """What study.yaml names is used and makes no note."""
    assert read(tmp_path, CHINESE.encode("gb18030"), "GBK") == (CHINESE, "gbk", [])
    assert read(tmp_path, CHINESE.encode("utf-8-sig"), "utf-8") == (CHINESE, "utf-8", [])


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (
            WESTERN.encode("iso-8859-1"),
            "utf-8",
            "LAB.csv:2: byte 15 (hex DC) is not utf-8"
            " - name the right encoding with `encoding:`, or have the damaged text sent again",
        ),
        (
            CHINESE.encode().replace("酶".encode(), b"\xff"),
            "",
            "LAB.csv:3: byte 82 (hex FF) is not utf-8"
            " - name the right encoding with `encoding:`, or have the damaged text sent again",
        ),
        (
            CHINESE.encode()[:28],
            "",
            "LAB.csv:1: cut off: the file ends in the middle of a character of utf-8"
            " - fetch the file again and compare its size with the sender's",
        ),
        (
            "id,term\n1,головная боль\n".encode("cp1251"),
            "",
            "LAB.csv:2: the encoding cannot be found out (byte 10 is not UTF-8)"
            " - name it with `encoding:`, such as cp1250, cp1251 or euc-kr",
        ),
        (
            b"id\n1\n",
            "gbk18030",
            "LAB.csv: no encoding 'gbk18030' is known - name one such as utf-8, gb18030, big5, cp1252, iso-8859-1",
        ),
        (
            CHINESE.encode("utf-8-sig"),
            "gb18030",
            "LAB.csv:1: begins with the byte order mark of utf-8, but study.yaml says gb18030"
            " - leave `encoding:` out",
        ),
    ],
    ids=["other", "damaged", "cut", "unknown", "misspelt", "mark"],
)
def test_text_that_cannot_be_decoded_is_one_line(tmp_path: Path, content: bytes, encoding: str, message: str) -> None:
    """Nothing is replaced by question marks: byte, line and cure are named."""
    with pytest.raises(RawError) as caught:
        read(tmp_path, content, encoding)
    assert str(caught.value) == message


def test_a_cut_utf16_file_is_cut_off(tmp_path: Path) -> None:
    """Half a character at the end tells that the rest is missing."""
    with pytest.raises(RawError, match="cut off: the file ends in the middle"):
        read(tmp_path, CHINESE.encode("utf-16")[:-1])
