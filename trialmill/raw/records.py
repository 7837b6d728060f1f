"""
Where the records of delimited text begin and end: line numbers, quotes, blank lines.

Works on UTF-8 bytes, so that a delimiter, a quote and a line end are one byte each (RFC 4180; a line ends with LF,
CR LF or CR). Good text is scanned as an array; only headers, samples and text with a fault, or with quotes inside
unquoted cells, are walked record by record.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]
QUOTE, LF, CR = 34, 10, 13
PIECE = 1 << 20  # small enough to stay in the processor's cache
LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]+\Z")


@dataclass(frozen=True)
class Scan:
    """
    What an array scan of delimited text found.

    ``lines``: the line each record begins in, blank lines left out. ``open_quote``: the line of a quote that is never
    closed, if any. ``is_plain``: every quote opens a cell, closes a cell or is doubled; both are certain only then.
    """

    lines: Positions
    open_quote: int | None
    is_plain: bool


@dataclass(frozen=True)
class Record:
    """One record of a walk: the line it begins in, its cells, and the offset and line after it."""

    line: int
    cells: list[str]
    end: int
    next_line: int


class RecordError(Exception):
    """A walk cannot go on: the record's first line, the line of the fault, and the csv module's reason."""

    def __init__(self, line: int, fault_line: int, reason: str) -> None:
        self.line, self.fault_line, self.reason = line, fault_line, reason
        super().__init__(reason)


def scan_records(text: memoryview, *, delimiter: str, first_line: int) -> Scan:
    """Scan UTF-8 text whose first line is number *first_line*, a few megabytes at a time."""
    octets: Bytes = np.frombuffer(text, dtype=np.uint8)
    found = [np.empty(0, np.int64)]
    is_inside, is_plain, last_quote, line = False, True, 0, first_line
    for begin in range(0, len(octets), PIECE):
        quotes = np.flatnonzero(octets[begin : begin + PIECE] == QUOTE) + begin
        starts = _line_starts(octets, begin, min(begin + PIECE, len(octets)))
        is_quoted = (np.searchsorted(quotes, starts) + is_inside) % 2 == 1
        found.append(np.flatnonzero(~is_quoted & _has_content(octets, starts)) + line)
        is_plain = is_plain and _quotes_are_plain(octets, quotes, is_inside, ord(delimiter))
        is_inside ^= len(quotes) % 2 == 1
        last_quote = int(quotes[-1]) if len(quotes) else last_quote
        line += len(starts)
    open_quote = line_at(text, last_quote, first_line=first_line) if is_inside else None
    return Scan(np.concatenate(found), open_quote, is_plain)


def line_at(text: memoryview, position: int, *, first_line: int) -> int:
    """Return the number of the line that *position* stands in."""
    octets: Bytes = np.frombuffer(text, dtype=np.uint8)
    return first_line + len(_line_starts(octets, 0, min(position + 1, len(octets)))) - 1


def _line_starts(octets: Bytes, begin: int, end: int) -> Positions:
    """Return where lines begin in [begin, end); a line feed after a carriage return belongs to it."""
    first = max(begin, 1)
    before = octets[first - 1 : end - 1]  # the byte before each possible start
    breaks = before == LF
    returns = np.flatnonzero(before == CR)
    breaks[returns[octets[returns + first] != LF]] = True
    found = np.flatnonzero(breaks) + first
    return np.concatenate([[0], found]) if begin == 0 and end > 0 else found


def _has_content(octets: Bytes, starts: Positions) -> npt.NDArray[np.bool_]:
    first = octets[starts]
    has_content: npt.NDArray[np.bool_] = (first != LF) & (first != CR)
    return has_content


def _quotes_are_plain(octets: Bytes, quotes: Positions, is_inside: bool, delimiter: int) -> bool:
    opening, closing = quotes[int(is_inside) :: 2], quotes[1 - int(is_inside) :: 2]
    edges = np.zeros(256, dtype=np.bool_)
    edges[[QUOTE, LF, CR, delimiter]] = True
    before = edges[octets[np.maximum(opening - 1, 0)]] | (opening == 0)
    after = edges[octets[np.minimum(closing + 1, len(octets) - 1)]]
    return bool(before.all() and after.all())


def walk_lines(text: memoryview, *, start: int = 0) -> Iterator[bytes]:
    """Yield the physical lines with their line ends from offset *start*."""
    for match in LINE.finditer(text, start):
        yield bytes(match[0])


def walk_records(
    text: memoryview, *, delimiter: str, first_line: int, start: int = 0, strict: bool = False
) -> Iterator[Record]:
    """
    Yield every record that is not a blank line, one by one (slow: for headers, samples and faults).

    *first_line* is the number of the line at offset *start*. Raises RecordError; with *strict* also for text
    after a closing quote and for a quote that is never closed.
    """
    end = start

    def read_lines() -> Iterator[str]:
        nonlocal end
        for octets in walk_lines(text, start=start):
            end += len(octets)
            yield octets.decode("utf-8", errors="replace")

    reader = csv.reader(read_lines(), delimiter=delimiter, strict=strict)
    line = first_line
    try:
        for cells in reader:
            next_line = first_line + reader.line_num
            if cells:
                yield Record(line, cells, end, next_line)
            line = next_line
    except csv.Error as error:
        raise RecordError(line, first_line + reader.line_num - 1, str(error)) from None


def find_line(text: memoryview, number: int) -> int | None:
    """Return the offset at which line *number* (counted from 1) begins, or None when there are fewer lines."""
    offset = 0
    for count, line in enumerate(walk_lines(text), start=1):
        if count == number:
            return offset
        offset += len(line)
    return None
