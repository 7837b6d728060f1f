"""
Find out how the dates of a column are written: the pattern of ``sdtm.dateformat`` that reads all of them.

A value's shape is what is left when every number and word is replaced by its kind: ``16 JUL 2018`` is ``99 A 9999``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sdtm.dateformat import MONTHS, parse_date_format
from sdtm.dates import compute_iso8601

UNKNOWN_WORDS = frozenset(("UN", "UNK", "UK", "NK", "ND", "XX", "XXX", "XXXX"))
# A shape, the pattern that reads it, and the patterns of dates of the same hand that lack the day, or day and month.
_PATTERNS = {
    "9999-99-99": ("yyyy-MM-dd", "yyyy-MM", "yyyy"),
    "9999/99/99": ("yyyy/MM/dd", "yyyy/MM", "yyyy"),
    "9999.99.99": ("yyyy.MM.dd", "yyyy.MM", "yyyy"),
    "99999999": ("yyyyMMdd", "yyyyMM", "yyyy"),
    "99 A 9999": ("dd MMM yyyy", "MMM yyyy", "yyyy"),
    "99-A-9999": ("dd-MMM-yyyy", "MMM-yyyy", "yyyy"),
    "99/A/9999": ("dd/MMM/yyyy", "MMM/yyyy", "yyyy"),
    "99A9999": ("ddMMMyyyy", "MMMyyyy", "yyyy"),
    "99.99.9999": ("dd.MM.yyyy", "MM.yyyy", "yyyy"),
}
# Day first or month first: only the values can tell.
_EITHER = {
    "99/99/9999": (("MM/dd/yyyy", "MM/yyyy", "yyyy"), ("dd/MM/yyyy", "MM/yyyy", "yyyy")),
    "99-99-9999": (("MM-dd-yyyy", "MM-yyyy", "yyyy"), ("dd-MM-yyyy", "MM-yyyy", "yyyy")),
}
_CLOCKS = {"": "", "9:9": "hh:mm", "9:9:9": "hh:mm:ss"}
_DATE_AND_TIME = re.compile(r"(?P<date>.*?)(?:(?P<mark>T| +)(?P<time>\d{1,2}:\d{2}(?::\d{2})?))?", re.DOTALL)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_PIECE = re.compile(r"\d+|[A-Za-z]+")
_LIKELY = 0.9  # share of values that must fit for a column to be one of dates
_PROBE = 1000  # that many values say whether a column may be one of dates at all


@dataclass(frozen=True)
class DateShape:
    """
    How a column's dates are written.

    ``pattern``: of a whole date, with its time where values have one. ``partial``: the patterns of the incomplete
    dates that occur. ``unknown``: the words for an unknown part that occur. ``either``: the patterns between which
    the values do not decide (month or day first), then ``pattern`` is empty. ``fits``: every value is read by it.
    """

    pattern: str
    partial: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    fits: bool = True

    @property
    def has_time(self) -> bool:
        """Whether whole values are dates with a time."""
        return "hh:mm" in self.pattern

    @property
    def spelled(self) -> str:
        """The alternatives as a mapping spells them."""
        return " | ".join((self.pattern, *self.partial)) if self.pattern else " or ".join(self.either)


def are_times(values: Sequence[str]) -> bool:
    """Say whether all values are times of day, ``14:30`` or ``14:30:00``."""
    return bool(values) and all(_CLOCK.fullmatch(value) for value in values)


def find_date_shape(values: Sequence[str]) -> DateShape | None:
    """
    Return how the distinct *values* of a column are written as dates, None where they are no dates.

    At least nine in ten must be dates, and at least one a whole one; ``fits`` says whether all are.
    """
    if not any(_shape(value)[0] in {*_PATTERNS, *_EITHER} for value in values[:_PROBE]):
        return None
    shaped = [_shape(value) for value in values]
    whole = Counter((shape, mark, clock) for shape, mark, clock in shaped if shape in {*_PATTERNS, *_EITHER})
    (base, mark, clock), _ = max(whole.items(), key=lambda item: (item[1], item[0]))
    chosen = _choose(base, values)
    if chosen is None:
        return None
    if len(chosen) > 1:
        return DateShape("", either=tuple(patterns[0] for patterns in chosen)) if _all_fit(shaped, base) else None
    return _describe(values, shaped, base=base, mark=mark, clock=clock, patterns=chosen[0])


def _shape(value: str) -> tuple[str, str, str]:
    """Return the shape of the date, what stands before the time, and the shape of the time."""
    match = _DATE_AND_TIME.fullmatch(value)
    date, mark, time = (match["date"], match["mark"] or "", match["time"] or "") if match else (value, "", "")
    return _PIECE.sub(_kind, date), mark and mark[0], re.sub(r"\d+", "9", time)


def _kind(match: re.Match[str]) -> str:
    piece = match[0]
    if piece.isdigit():
        return {1: "99", 2: "99", 4: "9999", 6: "999999", 8: "99999999"}.get(len(piece), "N")
    if piece.upper() in UNKNOWN_WORDS:
        return "?"
    return "A" if piece.upper() in MONTHS else "W"


def _choose(base: str, values: Sequence[str]) -> tuple[tuple[str, str, str], ...] | None:
    """Return the patterns of a base shape: one, two where the values leave it open, None where none can be."""
    if base == "99999999":
        return (_PATTERNS[base],) if all(_may_be_compact(value) for value in values) else None
    if base in _PATTERNS:
        return (_PATTERNS[base],)
    numbers = [[int(piece) for piece in re.findall(r"\d+", value)[:2]] for value in values]
    first = any(len(pair) == 2 and pair[0] > 12 for pair in numbers)
    second = any(len(pair) == 2 and 12 < pair[1] < 32 for pair in numbers)
    month_first, day_first = _EITHER[base]
    return {(False, False): (month_first, day_first), (True, False): (day_first,), (False, True): (month_first,)}.get(
        (first, second)
    )


def _may_be_compact(value: str) -> bool:
    return re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", value) is not None


def _all_fit(shaped: Sequence[tuple[str, str, str]], base: str) -> bool:
    return all(shape == base for shape, _, _ in shaped)


def _describe(
    values: Sequence[str], shaped: Sequence[tuple[str, str, str]], *, base: str, mark: str, clock: str,
    patterns: tuple[str, str, str],
) -> DateShape | None:  # fmt: skip
    words = sorted({word.upper() for value in values for word in _PIECE.findall(value)} & UNKNOWN_WORDS)
    time = f"{mark}{_CLOCKS[clock]}"
    shapes = {shape for shape, _, _ in shaped}
    alternatives = [pattern for pattern in patterns[1:] if _pattern_shape(pattern) in shapes]
    if time and any(not here and shape == base for shape, _, here in shaped):
        alternatives.insert(0, patterns[0])
    found = DateShape(patterns[0] + time, tuple(alternatives), tuple(words))
    share = _share_read(values, found)
    if share < _LIKELY:
        return None
    return found if share == 1 else DateShape(found.pattern, found.partial, found.unknown, fits=False)


def _pattern_shape(pattern: str) -> str:
    kinds = {"yyyy": "9999", "MMM": "A", "MM": "99", "dd": "99"}
    return re.sub(r"yyyy|MMM|MM|dd", lambda match: kinds[match[0]], pattern)


def _share_read(values: Sequence[str], shape: DateShape) -> float:
    """Return the share of values that the pattern reads; a day that does not exist is read, as is ``UN UNK UNK``."""
    format = parse_date_format(shape.spelled, unknown=shape.unknown, impossible="unknown_day")
    read = compute_iso8601(pd.Series(list(values), dtype="str"), format=format)
    return float(((read.values != "") | ~read.refused).mean()) if len(values) else 0.0
