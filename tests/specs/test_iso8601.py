"""Dates, intervals and durations in ISO 8601 as SDTM writes them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from specs.iso8601 import are_datetimes, are_durations, are_durations_or_intervals, is_before, is_datetime_or_interval

DATES = [
    "2003", "2003-12", "2003-12-15", "2003-12-15T13", "2003-12-15T13:14", "2003-12-15T13:14:17",
    "2003-12-15T13:14:17.123", "2003-12-15T13:14Z", "2003-12-15T13:14:17+08:00", "2003-12-15T00:00",
    "2004-02-29", "2000-02-29",
    "2003---15", "--12-15", "--12", "-----T07:15", "2003-12--T13:15", "2003----T07:15", "2003-12-15T-:15",
    "2003-12-15T13:-:17", "--02-29",
    "2003-12-01/2003-12-10", "2003-12-01T10:00/2003-12-01T11:00", "2003-12/P3M", "P3D/2003-12-10",
]  # fmt: skip
NOT_DATES = [
    "2003-02-29", "1900-02-29", "2003-02-31", "2003-04-31", "2003-13", "2003-00-10", "2003-12-00", "2003-12-32",
    "2003-12-60", "--02-30", "2003-12-15T24:00", "2003-12-15T13:60", "2003-12-15T13:14:60", "2003-12-15T",
    "2003-12-15 13:14", "2003-12-15T1314", "20031215", "15DEC2003", "2003-1-5", "03-12-15", "2003-12-", "2003--",
    "2003-12-15T13:14:17.", "2003-12-15T13:14:-", "2003-12T13:14", "-", "--", "UN UNK 2003", "2003/12/15",
    "2003-12-15/", "/2003-12-15", "P1D/P2D", "2003-12-15Z", "2003-12-15\n", " 2003", "\u0662003", "0000-01-01",
    "2003-12-01/2003-12-10/2003-12-11",
]  # fmt: skip
DURATIONS = ["P1Y", "P3D", "PT1H30M", "P1Y2M10DT2H30M", "P2W", "PT0S", "-PT15M", "PT0.5H", "P1.5D", "P10M", "PT10M"]
NOT_DURATIONS = [
    "P",
    "PT",
    "P1DT",
    "1D",
    "P1H",
    "PT1D",
    "P1D2M",
    "P1.5DT1H",
    "P1W2D",
    "P-1D",
    "p1d",
    "3 DAYS",
    "P1D ",
]


def test_dates_that_exist() -> None:
    """Complete, partial with parts unknown in the middle, and intervals."""
    assert [text for text, known in zip(DATES, are_datetimes(pa.array(DATES)), strict=True) if not known] == []


def test_dates_that_do_not_exist() -> None:
    """Days that the calendar does not have, and every other way of writing."""
    known = are_datetimes(pa.array(NOT_DATES))
    assert [text for text, one in zip(NOT_DATES, known, strict=True) if one] == []


@pytest.mark.parametrize("text", DATES + NOT_DATES)
def test_one_text_and_a_whole_column_agree(text: str) -> None:
    """The quick way for a column and the plain way for one text are the same rule."""
    assert bool(are_datetimes(pa.array([text]))[0]) == is_datetime_or_interval(text)


def test_durations() -> None:
    """Years to seconds or weeks; only the last number may have a fraction."""
    assert are_durations(pa.array(DURATIONS)).all()
    assert not are_durations(pa.array(NOT_DURATIONS)).any()


def test_durations_or_intervals() -> None:
    """Evaluation intervals may also be given by their ends."""
    known = are_durations_or_intervals(pa.array(["P2W", "2003-12-01/2003-12-10", "2003-12-01", "-P2W"]))
    assert known.tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2020-03-05", "2020-03-04", True),
        ("2020-03-05T10:00", "2020-03-05T09:59", True),
        ("2020-03", "2020-02-28", True),
        ("2020-03-05", "2020-03", False),  # the end may be any later day of March
        ("2020-03-05T10:00", "2020-03-05", False),
        ("2020-03-05", "2020-03-05", False),
        ("2020---05", "2020-01-01", False),  # the month of the start is not known
        ("2021---05", "2020-01-01", True),
        ("--03-05", "2020-01-01", False),
        ("2020-03-05T10:00+08:00", "2020-03-05T09:00", False),  # not comparable without a zone
        ("2020-03-05", "not a date", False),
    ],
)
def test_an_end_before_its_start(start: str, end: str, before: bool) -> None:
    """Two times are compared as far as both are known."""
    assert is_before(end, start) is before


def test_an_empty_column() -> None:
    """No text, no outcome."""
    assert are_datetimes(pa.array([], type=pa.string())).tolist() == []
    assert are_durations(pa.array([], type=pa.string())).tolist() == []
