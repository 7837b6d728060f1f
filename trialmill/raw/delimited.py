"""Read CSV and its kin: every cell as text exactly as written, every row with the line it begins in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding
from trialmill.raw.encoding import Text, decode_file
from trialmill.raw.records import (
    RecordError,
    find_line,
    line_at,
    scan_records,
    walk_records,
)
from trialmill.raw.source import CUT_OFF, HEADER, RAGGED, RawError, RawFile, TableSource, describe_file
from trialmill.raw.table import check_header, make_table, missing_end, text_frame

DELIMITERS = (",", ";", "\t", "|")
NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t"}
SAMPLE_RECORDS = 50
SAMPLE_BYTES = 1 << 18
BLOCK = 1 << 21
LARGEST_BLOCK = (1 << 31) - 1
ZIPPED = b"PK\x03\x04"


@dataclass(frozen=True)
class Layout:
    """
    Where the rows of a delimited text are and how they are written.

    ``names``: the columns; ``offset`` and ``line``: where the first row begins; ``is_quoted``: there are quotes.
    """

    names: list[str]
    delimiter: str
    offset: int
    line: int
    is_quoted: bool


def read_delimited(source: TableSource, file: RawFile) -> tuple[RawTable, list[Finding]]:
    """
    Read a delimited text file as ``TableSource`` says; encoding and delimiter are found out when not given.

    Raises RawError for text that cannot be decoded, zero bytes, a header that cannot be used, ragged rows, quotes
    that are not closed or not doubled, and a missing end mark. Blank lines are passed over.
    """
    text = decode_file(file, source.encoding)
    _refuse_binary(file, text)
    layout, notes = _read_header(source, file, text.content)
    body = _cut_end_mark(source, file, layout, memoryview(text.content)[layout.offset :])
    rows = _read_rows(file, layout, body)
    frame = _read_cells(file, layout, body, len(rows))
    facts = describe_file(file, format="delimited", encoding=text.encoding, header=source.header)
    facts["delimiter"] = "tab" if layout.delimiter == "\t" else layout.delimiter
    table, findings = make_table(source, frame, rows=rows, file=file.shown, facts=facts)
    return table, [*text.findings, *notes, *findings]


def _refuse_binary(file: RawFile, text: Text) -> None:
    if file.content.startswith(ZIPPED):
        cure = "give it the ending .xlsx or .zip, or have it exported as text"
        raise RawError("is an Excel workbook or a zip archive, not text", file=file.shown, cure=cure)
    zero = text.content.find(b"\0")
    if zero >= 0:
        line = line_at(memoryview(text.content), zero, first_line=1)
        cure = "fetch it again; if it is text in another encoding, name it with `encoding:`"
        raise RawError("holds a zero byte, so it is damaged or not text", file=file.shown, line=line, cure=cure)


def _read_header(source: TableSource, file: RawFile, content: bytes) -> tuple[Layout, list[Finding]]:
    text = memoryview(content)
    start = find_line(text, source.header)
    if start is None:
        reason = f"has no line {source.header}, where the header should be"
        raise RawError(reason, file=file.shown, cure="correct `header:`", rule=HEADER)
    delimiter = _named_delimiter(source, file) or detect_delimiter(text[start : start + SAMPLE_BYTES])
    walk = walk_records(text, delimiter=delimiter, first_line=source.header, start=start, strict=True)
    try:
        header = next(walk, None)
    except RecordError as error:
        raise _wrong_quotes(file, error) from None
    if header is None or header.line != source.header:
        cure = "name the header's line with `header:`"
        reason = "a blank line where the header should be"
        raise RawError(reason, file=file.shown, line=source.header, cure=cure, rule=HEADER)
    names, notes = check_header(header.cells, file=file.shown, line=source.header)
    return Layout(names, delimiter, header.end, header.next_line, b'"' in content), notes


def _named_delimiter(source: TableSource, file: RawFile) -> str:
    delimiter = NAMED_DELIMITERS.get(source.delimiter, source.delimiter)
    if delimiter and (len(delimiter) > 1 or not delimiter.isascii() or delimiter in '"\r\n'):
        reason = f"{source.delimiter!r} cannot be a delimiter"
        raise RawError(reason, file=file.shown, cure="name one character, such as ';', or tab")
    return delimiter


def detect_delimiter(sample: memoryview) -> str:
    """
    Return the delimiter among comma, semicolon, tab and bar that splits the first records most evenly.

    One that the header does not hold is none; of two that split evenly, the one that makes more cells.
    """
    scores = {delimiter: _score_delimiter(sample, delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: scores[delimiter])


def _score_delimiter(sample: memoryview, delimiter: str) -> tuple[float, int]:
    try:
        records = list(islice(walk_records(sample, delimiter=delimiter, first_line=1), SAMPLE_RECORDS))
    except RecordError:
        return 0.0, 0
    if len(records) > 1 and records[-1].end == len(sample):  # the sample may end within a record
        records.pop()
    counts = [len(record.cells) for record in records]
    if not counts or counts[0] == 1:
        return 0.0, 0
    return counts.count(counts[0]) / len(counts), counts[0]


def _cut_end_mark(source: TableSource, file: RawFile, layout: Layout, body: memoryview) -> memoryview:
    """Return the text before the end mark's line; raise RawError when the last line is another."""
    if not source.end:
        return body
    tail = bytes(body[-SAMPLE_BYTES:]).rstrip(b"\r\n")
    start = max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1
    offset = max(len(body) - SAMPLE_BYTES, 0) + start
    last = next(walk_records(memoryview(tail[start:]), delimiter=layout.delimiter, first_line=1), None)
    if last is None or last.cells[0].strip() != source.end:
        raise missing_end(source, file=file.shown, line=line_at(body, offset, first_line=layout.line))
    return body[:offset]


def _read_rows(file: RawFile, layout: Layout, body: memoryview) -> npt.NDArray[np.int64]:
    """Return the line of every row; quotes that the array scan cannot vouch for are walked strictly."""
    scan = scan_records(body, delimiter=layout.delimiter, first_line=layout.line)
    if scan.is_plain and scan.open_quote is not None:
        raise _open_quote(file, scan.open_quote)
    if scan.is_plain:
        return scan.lines
    try:
        walk = walk_records(body, delimiter=layout.delimiter, first_line=layout.line, strict=True)
        return np.fromiter((record.line for record in walk), dtype=np.int64)
    except RecordError as error:
        raise _wrong_quotes(file, error) from None


def _wrong_quotes(file: RawFile, error: RecordError) -> RawError:
    if "unexpected end" in error.reason or "limit" in error.reason:
        return _open_quote(file, error.line)
    reason = "text follows a closing quote"
    cure = "have quotes inside a quoted cell doubled, or name the right delimiter with `delimiter:`"
    return RawError(reason, file=file.shown, line=error.fault_line, cure=cure)


def _open_quote(file: RawFile, line: int) -> RawError:
    cure = "fetch the file again; if it is whole, have the quote closed"
    reason = "cut off: a quoted cell that begins here is never closed"
    return RawError(reason, file=file.shown, line=line, cure=cure, rule=CUT_OFF)


def _read_cells(file: RawFile, layout: Layout, body: memoryview, rows: int) -> pd.DataFrame:
    """Return every cell as text; raise RawError when a row has not as many cells as the header."""
    import pyarrow as pa

    if not rows:
        return text_frame({name: [] for name in layout.names})
    try:
        cells = _parse_cells(layout, body)
    except pa.ArrowInvalid as error:
        raise _ragged_rows(file, layout, body, str(error)) from None
    frame: pd.DataFrame = cells.to_pandas(types_mapper={pa.large_string(): pd.StringDtype(na_value=np.nan)}.get)
    if len(frame) != rows:
        raise RawError(f"{rows} lines hold {len(frame)} rows", file=file.shown, cure="have its quotes corrected")
    return frame


def _parse_cells(layout: Layout, body: memoryview) -> Any:
    """Parse with pyarrow, in blocks of 2 MiB; a record longer than that needs the whole text as one block."""
    import pyarrow as pa

    try:
        return _parse_blocks(layout, body, BLOCK)
    except pa.ArrowInvalid:
        if len(body) <= BLOCK:
            raise
        return _parse_blocks(layout, body, min(len(body) + 1, LARGEST_BLOCK))


def _parse_blocks(layout: Layout, body: memoryview, block: int) -> Any:
    import pyarrow as pa
    import pyarrow.csv

    text = pa.large_string()
    return pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(body)),
        read_options=pyarrow.csv.ReadOptions(column_names=layout.names, block_size=block),
        parse_options=pyarrow.csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=layout.is_quoted),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(layout.names, text), strings_can_be_null=False
        ),
    )


def _ragged_rows(file: RawFile, layout: Layout, body: memoryview, reason: str) -> RawError:
    """Walk the rows to name those whose cells are not as many as the header's."""
    expected = len(layout.names)
    walk = walk_records(body, delimiter=layout.delimiter, first_line=layout.line)
    try:
        rows = [record for record in walk if len(record.cells) != expected]
    except RecordError as error:
        return _wrong_quotes(file, error)
    if not rows:
        return RawError(f"cannot be parsed: {reason}", file=file.shown, cure="have its quotes corrected")
    first = rows[0]
    if first.end == len(body) and len(first.cells) < expected and bytes(body[-1:]) not in (b"\n", b"\r"):
        reason = f"cut off: the last line has {len(first.cells)} cells of {expected} and no line end"
        return RawError(reason, file=file.shown, line=first.line, cure="fetch the file again", rule=CUT_OFF)
    shown = ", ".join(f"line {row.line} has {len(row.cells)}" for row in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    reason = f"{len(rows)} row(s) without the header's {expected} cells: {shown}{more}"
    cure = "have cells that hold the delimiter quoted, or name the right one with `delimiter:`"
    return RawError(reason, file=file.shown, line=first.line, cure=cure, rule=RAGGED)
