"""XLSX: stored values as text, rows as Excel numbers them, errors told; openpyxl is the independent reader."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sdtm.rawtable import RawTable
from specs.findings import Finding, Severity
from trialmill.raw import RawError, TableSource, read_table

Sheets = dict[str, Sequence[Sequence[Any]]]


def workbook(sheets: Sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row, cells in enumerate(rows, start=1):
            for column, value in enumerate(cells, start=1):
                sheet.cell(row, column, value)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read(folder: Path, rows: Sequence[Sequence[Any]], **how: Any) -> tuple[RawTable, list[Finding]]:
    (folder / "LAB.xlsx").write_bytes(workbook({"CBC": rows}))
    return read_table(TableSource("cbc", "LAB.xlsx", **how), folder=folder)


def fault(folder: Path, content: bytes, **how: Any) -> str:
    (folder / "LAB.xlsx").write_bytes(content)
    with pytest.raises(RawError) as caught:
        read_table(TableSource("cbc", "LAB.xlsx", **how), folder=folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (7.0, "7"),
        (-3, "-3"),
        (0.351, "0.351"),
        (0.00001, "0.00001"),
        (123456789012345, "123456789012345"),
        ("007", "007"),
        ("NA", "NA"),
        (" <0.2 ", " <0.2 "),
        ("溶血\nredraw", "溶血\nredraw"),
        (True, "TRUE"),
        (False, "FALSE"),
        (dt.date(2018, 7, 16), "2018-07-16"),
        (dt.datetime(2018, 7, 16), "2018-07-16"),
        (dt.datetime(2018, 7, 16, 8, 44), "2018-07-16T08:44:00"),
        (dt.datetime(2018, 7, 16, 8, 44, 5), "2018-07-16T08:44:05"),
        (dt.time(8, 44), "08:44"),
        (dt.time(8, 44, 5), "08:44:05"),
        (dt.time(0, 0), "00:00"),
        (dt.timedelta(hours=30, minutes=5), "30:05"),
    ],
)
def test_stored_value_as_text(tmp_path: Path, value: object, text: str) -> None:
    """Whole numbers have no decimals, dates and times are ISO 8601, text stays as it is."""
    table, findings = read(tmp_path, [["ID", "VALUE"], ["1", value]])
    assert table.data.to_dict("list") == {"ID": ["1"], "VALUE": [text]}
    assert findings == []


def test_rows_are_numbered_as_excel_numbers_them(tmp_path: Path) -> None:
    """Title rows above the header are ignored, blank rows dropped, a table may begin away from A1."""
    blank: list[Any] = [None, None, None]
    rows = [
        blank,
        blank,
        [None, "Report", None],
        blank,
        [None, "ID", "WBC"],
        [None, "1", 5.3],
        blank,
        [None, "2", ""],
    ]
    table, _ = read(tmp_path, [*rows, blank], header=5, record="ID")
    assert table.data.to_dict("list") == {"ID": ["1", "2"], "WBC": ["5.3", ""]}
    assert table.origin.to_dict("list") == {"file": ["LAB.xlsx"] * 2, "row": [6, 8], "record": ["1", "2"]}


def test_one_sheet_of_several_is_named_in_file(tmp_path: Path) -> None:
    """Where a workbook holds several sheets, the sheet is part of where a row came from."""
    (tmp_path / "LAB.xlsx").write_bytes(workbook({"CBC": [["A"], [1]], "凝血": [["B"], [2]]}))
    table, _ = read_table(TableSource("coag", "LAB.xlsx", sheet="凝血"), folder=tmp_path)
    assert table.data.to_dict("list") == {"B": ["2"]}
    assert table.origin["file"].tolist() == ["LAB.xlsx!凝血"]
    assert (table.facts["file"], table.facts["sheet"]) == ("LAB.xlsx", "凝血")


def test_cells_with_an_error_are_empty_and_told(tmp_path: Path) -> None:
    """#N/A is no value: the cell is empty, its row is kept, and a warning names row, column and what was there."""
    table, findings = read(tmp_path, [["ID", "WBC"], ["1", "#N/A"], ["2", 5], [None, "#DIV/0!"], ["3", "=1/3"]])
    assert table.data.to_dict("list") == {"ID": ["1", "2", "", "3"], "WBC": ["", "5", "", ""]}
    assert [(found.rule, found.severity, found.row, found.variables, found.values) for found in findings] == [
        ("RAW-CELL-ERROR", Severity.WARNING, 2, ("WBC",), ("#N/A",)),
        ("RAW-CELL-ERROR", Severity.WARNING, 4, ("WBC",), ("#DIV/0!",)),
        ("RAW-CELL-ERROR", Severity.WARNING, 5, ("WBC",), ("a formula without its result",)),
    ]


def test_merged_cells_below_the_header_are_told(tmp_path: Path) -> None:
    """A value merged over rows stands in the first row alone; a warning says so. Titles above may be merged."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for cells in (["Report", None], ["ID", "WBC"], ["1", 5], [None, 6]):
        sheet.append(cells)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("A3:A4")
    book.save(tmp_path / "LAB.xlsx")
    table, findings = read_table(TableSource("cbc", "LAB.xlsx", header=2), folder=tmp_path)
    assert table.data.to_dict("list") == {"ID": ["1", ""], "WBC": ["5", "6"]}
    assert [str(found) for found in findings] == [
        "warning RAW-MERGED-CELL LAB.xlsx:3: ID is merged over rows 3 to 4 and 1 column(s);"
        " only the first cell holds the value (have the cells unmerged and filled)"
    ]


def test_header_without_rows_is_a_warning(tmp_path: Path) -> None:
    """An empty sheet with its header is a table without rows."""
    table, findings = read(tmp_path, [["ID", "WBC"]])
    assert table.data.shape == (0, 2)
    assert [found.rule for found in findings] == ["RAW-NO-ROWS"]


def test_end_mark(tmp_path: Path) -> None:
    """The end mark is taken off; where it is missing the sheet is cut off."""
    table, _ = read(tmp_path, [["ID", "WBC"], ["1", 5], ["END", None]], end="END")
    assert table.data["ID"].tolist() == ["1"]
    message = fault(tmp_path, workbook({"CBC": [["ID"], ["1"]]}), end="END")
    assert message == (
        "LAB.xlsx:2: cut off: the last row does not begin with the end mark 'END' - fetch the file again"
    )


def test_sheets_that_cannot_be_trusted_are_one_line(tmp_path: Path) -> None:
    """One line says where, what is wrong and what to do."""
    two: Sheets = {"CBC": [["A"]], "BIOCHEM": [["B"]]}
    cases: list[tuple[Sheets, dict[str, Any], str]] = [
        (two, {}, "LAB.xlsx: holds 2 sheets: 'CBC', 'BIOCHEM' - name one with `sheet:`"),
        (two, {"sheet": "Biochem"}, "LAB.xlsx: no sheet 'Biochem' - did you mean 'BIOCHEM'?"),
        (
            {"CBC": [["A", "B"], [1, 2, 3], [1, 2], [4, 5, 6]]},
            {},
            "LAB.xlsx:2: 2 row(s) with cells beside the header's columns: row 2, 4"
            " - name the header's row with `header:`, or have the cells cleared",
        ),
        (
            {"CBC": [["A", None, "C"]]},
            {},
            "LAB.xlsx:1: the header has 3 cells and no name in cell 2"
            " - name the header's row with `header:`, or have the column named",
        ),
        (
            {"CBC": [["A", "A"]]},
            {},
            "LAB.xlsx:1: the header names 'A' more than once - have the columns named apart",
        ),
        (
            {"CBC": [["A"]]},
            {"header": 4},
            "LAB.xlsx:4: a blank row where the header should be - correct `header:` or `sheet:`",
        ),
    ]
    assert [fault(tmp_path, workbook(sheets), **how) for sheets, how, _ in cases] == [line for *_, line in cases]


@pytest.mark.parametrize("content", [b"ID,WBC\n1,2\n", b"PK\x03\x04 cut", workbook({"CBC": [["A"]]})[:2000]])
def test_file_that_is_no_workbook(tmp_path: Path, content: bytes) -> None:
    """A text file named .xlsx or a cut workbook is told, without a traceback."""
    message = fault(tmp_path, content)
    assert message.startswith("LAB.xlsx: is no Excel workbook, damaged or cut off (")
    assert message.endswith("- fetch the file again, or have it saved as XLSX")


def test_workbook_with_a_password(tmp_path: Path) -> None:
    """A protected workbook is an OLE file; so is an old .xls."""
    assert "protected by a password or an old .xls" in fault(
        tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    )


def test_errors_are_found_in_workbooks_of_other_writers(tmp_path: Path) -> None:
    """Other programs write prefixes and absolute paths in the workbook's XML; errors are found all the same."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"CBC": [["A"], ["#N/A"]]}))) as old,
        zipfile.ZipFile(content, "w") as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("workbook.xml.rels"):
                data = data.replace(b'Target="worksheets', b'Target="/xl/worksheets')
            new.writestr(name, data)
    (tmp_path / "LAB.xlsx").write_bytes(content.getvalue())
    _, findings = read_table(TableSource("cbc", "LAB.xlsx"), folder=tmp_path)
    assert [found.row for found in findings] == [2]


@pytest.mark.parametrize(
    ("file", "sheet", "header"),
    [
        ("LAB_TVGH.xlsx", "CBC_DC", 3),
        ("LAB_TVGH.xlsx", "BIOCHEM", 3),
        ("LAB_TVGH.xlsx", "THYROID_COAG", 3),
        ("LAB_RANGES.xlsx", "Ranges", 1),
    ],
)
def test_laboratory_workbooks_as_openpyxl_reads_them(
    shared: Callable[[str], Path], file: str, sheet: str, header: int
) -> None:
    """Every cell of the study's workbooks is what openpyxl finds in that row and column."""
    path = shared(f"studies/leader/transfers/2020-01-06/{file}")
    table, findings = read_table(TableSource("lab", file, sheet=sheet, header=header), folder=path.parent)
    cells = openpyxl.load_workbook(path)[sheet]
    assert findings == []
    assert list(table.columns) == [cell.value for cell in cells[header]]
    expected = [[_text(cell.value) for cell in cells[int(row)]] for row in table.origin["row"]]
    assert table.data.to_numpy().tolist() == expected
    assert int(table.origin["row"].iloc[-1]) == cells.max_row


def _text(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return "" if value is None else str(value)
