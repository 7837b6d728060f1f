"""CSV and its kin: every cell as written, every row with its line, every fault named with line and cure."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtm.rawtable import RawTable
from specs.findings import Finding, Severity
from trialmill.raw import RawError, TableSource, read_table

Read = Callable[..., tuple[RawTable, list[Finding]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that writes bytes to LAB.csv and reads them as a raw table."""

    def read_bytes(content: bytes, **how: str | int) -> tuple[RawTable, list[Finding]]:
        (tmp_path / "LAB.csv").write_bytes(content)
        return read_table(TableSource("lab", "LAB.csv", **how), folder=tmp_path)  # type: ignore[arg-type]

    return read_bytes


def fault(read: Read, content: bytes, **how: str | int) -> RawError:
    with pytest.raises(RawError) as caught:
        read(content, **how)
    assert "\n" not in str(caught.value)
    return caught.value


def test_every_cell_stays_as_written(read: Read) -> None:
    """007 stays 007, NA stays NA, blanks at either end and empty cells stay; nothing becomes a number or missing."""
    table, findings = read(b"SUBJ,AGE,RESULT,NOTE\n007,65,NA, mild  \n008,,1.10,null\n009,1e5,<0.2,\n")
    assert table.data.to_dict("list") == {
        "SUBJ": ["007", "008", "009"],
        "AGE": ["65", "", "1e5"],
        "RESULT": ["NA", "1.10", "<0.2"],
        "NOTE": [" mild  ", "null", ""],
    }
    assert set(table.data.dtypes.astype(str)) == {"str"}
    assert findings == []


def test_every_row_knows_its_file_line_and_record_id(read: Read) -> None:
    """The header is line 1, so the first row is line 2; the named column gives the EDC's record id."""
    table, _ = read(b"RecordId,TERM\n9001,Nausea\n9002,Rash\n", record="RecordId")
    assert table.name == "lab"
    assert table.origin.to_dict("list") == {
        "file": ["LAB.csv", "LAB.csv"],
        "row": [2, 3],
        "record": ["9001", "9002"],
    }
    assert table.origin.dtypes.astype(str).to_dict() == {"file": "category", "row": "int64", "record": "str"}


def test_line_breaks_in_quoted_cells_and_blank_lines_count_as_lines(read: Read) -> None:
    """A row's line is the one it begins in, as an editor numbers them, whatever the line ends are."""
    content = b'ID,NOTE\r\n1,"two\r\nlines"\r\n\r\n2,"a\n\nb"\n3,plain\r4,"say ""ah"""\n\n'
    table, _ = read(content)
    assert table.data["NOTE"].tolist() == ["two\r\nlines", "a\n\nb", "plain", 'say "ah"']
    assert table.origin["row"].tolist() == [2, 5, 8, 9]


def test_header_in_a_later_row_and_over_two_lines(read: Read) -> None:
    """Rows above the header are ignored; a header cell may hold a line break."""
    table, _ = read(b'Hospital "X" export\n\nID,"WBC\n(10^9/L)"\n1,5.3\n', header=3)
    assert table.columns == ("ID", "WBC\n(10^9/L)")
    assert table.origin["row"].tolist() == [5]


def test_facts_for_the_receipt(read: Read) -> None:
    """What was found out is told: encoding, delimiter, rows, columns, bytes, sha256."""
    table, _ = read(b"A;B\n1;2\n")
    facts = dict(table.facts)
    assert len(facts.pop("sha256")) == 64
    assert facts == {
        "file": "LAB.csv",
        "bytes": "8",
        "format": "delimited",
        "encoding": "utf-8",
        "header": "1",
        "delimiter": ";",
        "rows": "1",
        "columns": "2",
    }


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        (b"ID,DOSE\n1,2\n", ","),
        (b"ID;DOSE\n1;0,5\n2;1,5\n", ";"),
        (b"ID\tWBC, total\tNOTE\n1\t5\ta\n", "tab"),
        (b"ID|A;B|C\n1|x|y\n", "|"),
        (b"TERM\nnausea\n", ","),
    ],
)
def test_delimiter_is_found_out(read: Read, content: bytes, delimiter: str) -> None:
    """Of comma, semicolon, tab and bar it is the one that splits the rows as it splits the header."""
    assert read(content)[0].facts["delimiter"] == delimiter


def test_delimiter_can_be_named(read: Read) -> None:
    """A named delimiter is used even when another would split the rows evenly; tab may be written out."""
    assert read(b"A,B;C\n1,2;3\n", delimiter=";")[0].columns == ("A,B", "C")
    assert read(b"A\tB\n1\t2\n", delimiter="tab")[0].columns == ("A", "B")
    assert "cannot be a delimiter" in str(fault(read, b"A,B\n", delimiter="::"))


def test_blanks_around_column_names_are_ignored_and_told(read: Read) -> None:
    """Mappings name columns without blanks around them; a note says which had some."""
    table, findings = read(b"ID , TERM,OK\n1,a,b\n")
    assert table.columns == ("ID", "TERM", "OK")
    assert [(found.rule, found.severity, found.values) for found in findings] == [
        ("RAW-HEADER", Severity.NOTE, ("ID ", " TERM"))
    ]


def test_header_without_rows_is_a_warning(read: Read) -> None:
    """A table may be empty at an early transfer; a person should know."""
    table, findings = read(b"ID,TERM\n")
    assert table.data.shape == (0, 2)
    assert set(table.data.dtypes.astype(str)) == {"str"}
    assert [(found.rule, found.severity) for found in findings] == [("RAW-NO-ROWS", Severity.WARNING)]


def test_empty_cell_in_a_one_column_table_is_a_row(read: Read) -> None:
    """A quoted empty cell is a row; a blank line is none."""
    table, _ = read(b'TERM\n""\n\nrash\n')
    assert table.data["TERM"].tolist() == ["", "rash"]
    assert table.origin["row"].tolist() == [2, 4]


def test_end_mark_is_taken_off(read: Read) -> None:
    """The end mark says that the file is complete; it is no data, whatever cells it has."""
    table, _ = read(b"ID,TERM\n1,a\nEOF\n\n", end="EOF")
    assert table.data.to_dict("list") == {"ID": ["1"], "TERM": ["a"]}


@pytest.mark.parametrize(
    ("content", "how", "message"),
    [
        (b"", {}, "LAB.csv: is empty (0 bytes) - fetch the file again"),
        (
            b"ID,TERM\n1,a\n2,b,c\n3\n4,d\n",
            {},
            "LAB.csv:3: 2 row(s) without the header's 2 cells: line 3 has 3, line 4 has 1"
            " - have cells that hold the delimiter quoted, or name the right one with `delimiter:`",
        ),
        (
            b"ID,TERM,TERM\n1,a,b\n",
            {},
            "LAB.csv:1: the header names 'TERM' more than once - have the columns named apart",
        ),
        (
            b"ID,,TERM,\n1,a,b,c\n",
            {},
            "LAB.csv:1: the header has 4 cells and no name in cell 2, 4"
            " - name the header's row with `header:`, or have the column named",
        ),
        (
            b"\nID,TERM\n",
            {},
            "LAB.csv:1: a blank line where the header should be - name the header's line with `header:`",
        ),
        (b"ID\n1\n", {"header": 9}, "LAB.csv: has no line 9, where the header should be - correct `header:`"),
        (
            b'ID,TERM\n1,a\n2,"b\n3,c\n',
            {},
            "LAB.csv:3: cut off: a quoted cell that begins here is never closed"
            " - fetch the file again; if it is whole, have the quote closed",
        ),
        (
            b"ID,TERM,GRADE\n1,a,2\n2,b",
            {},
            "LAB.csv:3: cut off: the last line has 2 cells of 3 and no line end - fetch the file again",
        ),
        (
            b"ID,TERM\n1,a\n2,b\n",
            {"end": "EOF"},
            "LAB.csv:3: cut off: the last row does not begin with the end mark 'EOF' - fetch the file again",
        ),
        (
            b"ID,TERM\n1,a\x00b\n",
            {},
            "LAB.csv:2: holds a zero byte, so it is damaged or not text"
            " - fetch it again; if it is text in another encoding, name it with `encoding:`",
        ),
        (
            b'ID,TERM\n1,"said "ouch" twice"\n',
            {},
            "LAB.csv:2: text follows a closing quote"
            " - have quotes inside a quoted cell doubled, or name the right delimiter with `delimiter:`",
        ),
        (
            b"PK\x03\x04junk",
            {},
            "LAB.csv: is an Excel workbook or a zip archive, not text"
            " - give it the ending .xlsx or .zip, or have it exported as text",
        ),
        (
            b"RecordID,TERM\n1,a\n",
            {"record": "RecordId"},
            "LAB.csv: no column 'RecordId' for the record id - did you mean 'RecordID'?",
        ),
    ],
    ids=lambda value: None if isinstance(value, (bytes, dict)) else value[:40],
)
def test_file_that_cannot_be_trusted_is_one_line(
    read: Read, content: bytes, how: dict[str, str | int], message: str
) -> None:
    """One line says where, what is wrong and what to do."""
    assert str(fault(read, content, **how)) == message


def test_quote_that_swallows_lines_is_not_data(read: Read) -> None:
    """A missing closing quote may leave as many cells as the header has; the next quote gives it away."""
    error = fault(read, b'ID,TERM,GRADE\n1,"rash,2\n2,itch,1\n3,"pain",4\n')
    assert (error.line, error.reason) == (4, "text follows a closing quote")


def test_quotes_inside_unquoted_cells_are_text(read: Read) -> None:
    """An inch mark in a cell without quotes is a character like any other, and lines stay right after it."""
    table, _ = read(b'ID,NOTE,X\n1,5" scar,"a\nb"\n\n2,6" scar,c\n')
    assert table.data["NOTE"].tolist() == ['5" scar', '6" scar']
    assert table.origin["row"].tolist() == [2, 5]


def test_cut_off_errors_carry_their_rule(read: Read) -> None:
    """A report can group errors by rule."""
    assert fault(read, b"A,B\n1").rule == "RAW-CUT-OFF"
    assert fault(read, b"A,B\n1\n").rule == "RAW-RAGGED"


def test_lines_are_right_over_the_pieces_of_a_long_file(read: Read) -> None:
    """The scan goes piece by piece; quoted line breaks at the pieces' edges change nothing."""
    rows = [[str(number), "x" * (number % 60) + ("\n" if number % 7 == 0 else "")] for number in range(90_000)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([["ID", "NOTE"], *rows])
    table, _ = read(text.getvalue().encode())
    assert table.data["NOTE"].tolist() == [note for _, note in rows]
    breaks = [1 + note.count("\n") for _, note in rows]
    assert table.origin["row"].tolist() == [2 + sum_ for sum_ in _sums_before(breaks)]


def _sums_before(numbers: list[int]) -> list[int]:
    total, sums = 0, []
    for number in numbers:
        sums.append(total)
        total += number
    return sums


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8
) | st.sampled_from(["007", "NA", " x ", 'a"b', '"', "a,b", "line\nbreak", "\r\n", "\r", "腹泻", "µ", ""])
ENCODINGS = ["", "utf-8-sig", "utf-16", "gb18030", "iso-8859-1", "cp1252", "big5", "utf-16-le"]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6),
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_is_written_is_read_back(
    rows: list[list[str]], encoding: str, delimiter: str, line_end: str, quoting: int
) -> None:
    """Any text in any encoding that can hold it comes back cell by cell, with the line each row begins in."""
    codec = encoding or "utf-8"
    kept = [[cell.encode(codec, "ignore").decode(codec) for cell in row] for row in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["ID", "TERM", "NOTE"])
    lines = []
    for row in kept:
        lines.append(len(text.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")))
        # the csv module leaves a lone CR bare when lines end with LF
        writer.writerow([cell.replace("\r", "\r\n") if line_end == "\n" else cell for cell in row])
    expected = [[cell.replace("\r", "\r\n") if line_end == "\n" else cell for cell in row] for row in kept]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "LAB.csv").write_bytes(text.getvalue().encode(codec))
        source = TableSource("lab", "LAB.csv", encoding=encoding, delimiter=delimiter)
        table, _ = read_table(source, folder=Path(folder))
    assert table.data.to_numpy().tolist() == expected
    assert table.origin["row"].tolist() == lines
