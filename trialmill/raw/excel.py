"""
Read one sheet of an Excel workbook as text.

Values come from python-calamine. A cell's text is what is stored, not what a number format shows: 7.0 is ``7``, a
date ISO text (a date and time at midnight is a date), a boolean ``TRUE`` or ``FALSE``. Cells that hold an error
(``#N/A``) or a formula without its result come back blank from calamine, so the sheet's XML is asked for them.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding, Severity
from trialmill.raw.source import (
    CELL_ERROR,
    HEADER,
    MERGED,
    RAGGED,
    RawError,
    RawFile,
    TableSource,
    describe_file,
    list_names,
    suggest_names,
)
from trialmill.raw.table import check_header, drop_end_mark, make_table, text_frame
from trialmill.raw.values import write_number, write_time

OLE = b"\xd0\xcf\x11\xe0"
ERROR_CELL = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="e"[^>]*)>.*?<(?:\w+:)?v>([^<]*)<', re.DOTALL)
FORMULA_CELL = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
CELL_PLACE = re.compile(rb'\br="([A-Z]+)(\d+)"')
Place = tuple[int, int]
NO_RESULT = "a formula without its result"


@dataclass(frozen=True)
class WrongCell:
    """A cell without a value that can be read: its row and column as counted from 1, and what it shows."""

    row: int
    column: int
    text: str


@dataclass(frozen=True)
class Sheet:
    """A sheet as calamine hands it: its name, the name to show, its cells from A1 on, its merged ranges (from 0)."""

    name: str
    shown: str
    cells: list[list[Any]]
    merged: tuple[tuple[Place, Place], ...]


def read_excel(source: TableSource, file: RawFile) -> tuple[RawTable, list[Finding]]:
    """
    Read one sheet of an XLSX workbook; rows above the header are ignored, fully blank rows are dropped.

    Rows are numbered as Excel numbers them. Raises RawError for a file that is no workbook, a sheet that is missing
    or not named, a header that cannot be used, cells beside the header's columns, and a missing end mark. Cells with
    an error are RAW-CELL-ERROR findings and the empty text; cells merged over rows or columns are RAW-MERGED-CELL
    findings, for only the first of them holds the value.
    """
    sheet = _read_sheet(source, file)
    first, names, notes = _read_header(source, sheet)
    columns = [_write_cells(column) for column in zip(*sheet.cells[source.header :], strict=True)]
    _refuse_outside(columns, first, len(names), header=source.header, shown=sheet.shown)
    used = columns[first : first + len(names)] or [[] for _ in names]
    frame = text_frame(dict(zip(names, used, strict=True)))
    wrong = [cell for cell in _find_wrong_cells(file, sheet.name) if cell.row > source.header]
    rows = np.arange(len(frame), dtype=np.int64) + source.header + 1
    frame, rows = _drop_blank_rows(frame, rows, wrong)
    frame, rows = drop_end_mark(source, frame, rows, file=sheet.shown)
    facts = describe_file(file, format="xlsx", sheet=sheet.name, header=source.header)
    table, findings = make_table(source, frame, rows=rows, file=sheet.shown, facts=facts)
    named = {first + number: name for number, name in enumerate(names, start=1)}
    merged = _report_merged(sheet, named, header=source.header)
    return table, [*notes, *_report_cells(wrong, named, sheet.shown), *merged, *findings]


def _read_sheet(source: TableSource, file: RawFile) -> Sheet:
    import python_calamine

    if file.content.startswith(OLE):
        cure = "save it as XLSX without a password"
        raise RawError("is protected by a password or an old .xls workbook", file=file.shown, cure=cure)
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.content)) as workbook:
            name = _choose_sheet(source, file, workbook.sheet_names)
            shown = f"{file.shown}!{name}" if len(workbook.sheet_names) > 1 else file.shown
            sheet = workbook.get_sheet_by_name(name)
            cells = sheet.to_python(skip_empty_area=False)
            return Sheet(name, shown, cells, tuple(sheet.merged_cell_ranges or ()))
    except python_calamine.CalamineError as error:
        raise _damaged(file, error) from None


def _damaged(file: RawFile, error: Exception) -> RawError:
    cure = "fetch the file again, or have it saved as XLSX"
    return RawError(f"is no Excel workbook, damaged or cut off ({error})", file=file.shown, cure=cure)


def _choose_sheet(source: TableSource, file: RawFile, sheets: Sequence[str]) -> str:
    if source.sheet in sheets:
        return source.sheet
    if source.sheet:
        cure = suggest_names(source.sheet, sheets)
        raise RawError(f"no sheet {source.sheet!r}", file=file.shown, cure=cure)
    if len(sheets) != 1:
        reason = f"holds {len(sheets)} sheets: {list_names(sheets)}"
        raise RawError(reason, file=file.shown, cure="name one with `sheet:`")
    return sheets[0]


def _read_header(source: TableSource, sheet: Sheet) -> tuple[int, list[str], list[Finding]]:
    """Return the header's first column (from 0) and its names; blank cells around them are not the header's."""
    row = sheet.cells[source.header - 1] if 0 < source.header <= len(sheet.cells) else ()
    texts = _write_cells(row)
    named = [column for column, text in enumerate(texts) if text.strip()]
    if not named:
        reason, cure = "a blank row where the header should be", "correct `header:` or `sheet:`"
        raise RawError(reason, file=sheet.shown, line=source.header, cure=cure, rule=HEADER)
    names, notes = check_header(texts[named[0] : named[-1] + 1], file=sheet.shown, line=source.header)
    return named[0], names, notes


def _refuse_outside(columns: Sequence[Sequence[str]], first: int, width: int, *, header: int, shown: str) -> None:
    outside = [*columns[:first], *columns[first + width :]]
    rows = sorted({row for column in outside for row, text in enumerate(column, start=header + 1) if text})
    if rows:
        listed = ", ".join(str(row) for row in rows[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
        reason = f"{len(rows)} row(s) with cells beside the header's columns: row {listed}"
        cure = "name the header's row with `header:`, or have the cells cleared"
        raise RawError(reason, file=shown, line=rows[0], cure=cure, rule=RAGGED)


def _write_cells(cells: Sequence[Any]) -> list[str]:
    return [cell if type(cell) is str else _write_cell(cell) for cell in cells]


def _write_cell(cell: bool | float | dt.date | dt.time | dt.timedelta) -> str:
    match cell:
        case bool():
            return str(cell).upper()
        case int() | float():
            return write_number(float(cell))
        case dt.datetime():
            clock = _write_clock(cell.time(), with_seconds=True)
            return cell.date().isoformat() + ("" if cell.time() == dt.time() else f"T{clock}")
        case dt.time():
            return _write_clock(cell)
        case dt.timedelta():
            return write_time(cell.total_seconds())
    return cell.isoformat()


def _write_clock(time: dt.time, *, with_seconds: bool = False) -> str:
    since_midnight = dt.datetime.combine(dt.date.min, time) - dt.datetime.min
    return write_time(since_midnight.total_seconds(), with_seconds=with_seconds)


def _drop_blank_rows(
    frame: pd.DataFrame, rows: npt.NDArray[np.int64], wrong: Sequence[WrongCell]
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Drop rows in which no cell holds anything; a cell with an error is something."""
    is_kept = (frame != "").any(axis=1).to_numpy() | np.isin(rows, [cell.row for cell in wrong])
    return frame[is_kept].reset_index(drop=True), rows[is_kept]


def _find_wrong_cells(file: RawFile, sheet: str) -> list[WrongCell]:
    """Find cells with an error and formulas without a result in the sheet's XML, in the order of rows."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
            path = _sheet_path(archive, sheet)
            xml = archive.read(path) if path in archive.namelist() else b""
    except (zipfile.BadZipFile, zlib.error, ElementTree.ParseError) as error:
        raise _damaged(file, error) from None
    if b't="e"' not in xml and b"<f" not in xml and b":f" not in xml:
        return []
    errors = [(match[1], match[2].decode("utf-8", "replace")) for match in ERROR_CELL.finditer(xml)]
    formulas = [(match[1], NO_RESULT) for match in FORMULA_CELL.finditer(xml) if b't="str"' not in match[1]]
    return sorted(_place_cells([*errors, *formulas]), key=lambda cell: (cell.row, cell.column))


def _place_cells(cells: Sequence[tuple[bytes, str]]) -> Iterator[WrongCell]:
    for attributes, text in cells:
        place = CELL_PLACE.search(attributes)
        if place:
            yield WrongCell(int(place[2]), _column_number(place[1].decode("ascii")), text)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _sheet_path(archive: zipfile.ZipFile, sheet: str) -> str:
    """Follow the workbook's relation to the XML of a sheet (ECMA-376 part 1, 18.2.19)."""
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= set(archive.namelist()):
        return ""
    relations = {
        element.get("Id"): element.get("Target", "")
        for element in _elements(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    }
    for element in _elements(archive, "xl/workbook.xml", "sheet"):
        if element.get("name") == sheet:
            relation = next((value for key, value in element.items() if key.endswith("}id")), "")
            target = relations.get(relation, "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return ""


def _elements(archive: zipfile.ZipFile, path: str, name: str) -> Iterator[ElementTree.Element]:
    root = ElementTree.fromstring(archive.read(path))  # noqa: S314 - expat refuses entity bombs since 2.4.1
    return (element for element in root.iter() if element.tag.rsplit("}", 1)[-1] == name)


def _report_cells(wrong: Sequence[WrongCell], named: dict[int, str], shown: str) -> list[Finding]:
    cure = "have the cell corrected in the workbook"
    return [
        Finding(
            CELL_ERROR,
            Severity.WARNING,
            f"{named[cell.column]} holds {cell.text} and is read as empty",
            variables=(named[cell.column],),
            values=(cell.text,),
            file=shown,
            row=cell.row,
            cure=cure,
        )
        for cell in wrong
        if cell.column in named
    ]


def _report_merged(sheet: Sheet, named: dict[int, str], *, header: int) -> list[Finding]:
    """Report cells merged below the header: what a person sees in all of them stands in the first alone."""
    ranges = sorted(
        ((top, left), end)
        for (top, left), end in sheet.merged
        if header <= top < len(sheet.cells) and left + 1 in named and sheet.cells[top][left] != ""
    )
    return [
        Finding(
            MERGED,
            Severity.WARNING,
            f"{named[left + 1]} is merged over rows {top + 1} to {bottom + 1} and {right - left + 1} column(s);"
            " only the first cell holds the value",
            variables=(named[left + 1],),
            values=tuple(_write_cells([sheet.cells[top][left]])),
            file=sheet.shown,
            row=top + 1,
            cure="have the cells unmerged and filled",
        )
        for (top, left), (bottom, right) in ranges
    ]
