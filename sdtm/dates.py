"""
Dates and times as ISO 8601 text, complete or not (SDTMIG 3.4 section 4.4), and what is computed from them.

An unknown part is left out at the end and is a hyphen in the middle: ``2018``, ``2018-03``, ``2018---15`` (month
unknown), ``--03-15`` (year unknown), ``2018-03-15T-:30`` (hour unknown). Every function works on the distinct values
of a column; none completes a date or shortens one.
"""

from __future__ import annotations

import re
from calendar import isleap, month_name
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date as calendar_date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdtm.dateformat import (
    MONTHS,
    TIME_PARTS,
    CompiledFormat,
    DateFormat,
    compile_date_format,
    compile_time_format,
    parse_date_format,
    parse_time_format,
)

__all__ = [
    "Converted",
    "DateFormat",
    "check_iso8601",
    "compute_age",
    "compute_bounds",
    "compute_date_part",
    "compute_iso8601",
    "compute_study_day",
    "is_complete",
    "parse_date_format",
    "parse_time_format",
]

ROC_EPOCH = 1911  # year 1 of the Republic of China is 1912
MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_NOT_CARRIED = "a time without a complete date cannot be carried"
_NO_DATE = "a time without a date"
_ISO_DATE = re.compile(r"(\d{4}|-)(?:-(\d\d|-)(?:-(\d\d|-))?)?(?:T(.+))?", re.ASCII)
_ISO_TIME = re.compile(r"(\d\d|-)(?::(\d\d|-)(?::(\d\d(?:\.\d+)?|-))?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


@dataclass(frozen=True)
class Converted:
    """
    A converted column, on the rows of the input.

    ``values`` (str, "" where there is no date), ``refused`` (bool): the collected value, or a part of it, was not
    taken over and must be reported; ``reason`` (str): why, "" where nothing was refused. A value may be refused in
    part: an impossible day under ``unknown_day`` leaves its year and month, a time that cannot be carried its date.
    """

    values: pd.Series
    refused: pd.Series
    reason: pd.Series


class _Iso(NamedTuple):
    """The parts of a valid ISO 8601 date; None for an unknown one."""

    year: int | None
    month: int | None
    day: int | None
    time: str


class _Read(NamedTuple):
    """What came out of one text: ISO text of date and time, whether the day is complete, and what was refused."""

    date: str = ""
    time: str = ""
    complete: bool = False
    reason: str = ""


def compute_iso8601(
    date: pd.Series, *, format: DateFormat, time: pd.Series | None = None, time_format: str = "hh:mm"
) -> Converted:
    """
    Return the ISO 8601 text of collected dates, with the *time* of a column of its own where there is one.

    A missing date, or one of which every part is unknown, gives "" and is not refused. A time is carried only by a
    date that is complete to the day; otherwise the date stays and the time is reported. Where the format itself is
    ISO (``yyyy-MM-dd``), any valid ISO date of its kind, also an incomplete one, passes unchanged.
    """
    compiled = compile_date_format(format)
    codes, texts = _distinct(date)
    read = [_read_date(text, format, compiled) for text in texts]
    dates = _column([one.date for one in read], codes, date.index)
    times = _column([one.time for one in read], codes, date.index)
    reasons = _column([one.reason for one in read], codes, date.index)
    if time is not None:
        clock, clock_reasons = _read_times(time, compile_time_format(time_format, format.unknown))
        clock.index = clock_reasons.index = date.index
        complete = pd.Series(np.array([one.complete for one in read], dtype="bool")[codes], index=date.index)
        carried = complete & (times == "")
        clock_reasons = clock_reasons.mask((clock != "") & ~carried, _NOT_CARRIED)
        clock_reasons = clock_reasons.mask((clock != "") & (dates == ""), _NO_DATE)
        clock_reasons = clock_reasons.mask((clock != "") & (times != ""), "the date has a time of its own")
        reasons = reasons.where(reasons != "", clock_reasons)
        times = times.mask(carried, clock)
    values = dates.mask(times != "", dates + "T" + times)
    return Converted(values=values, refused=reasons != "", reason=reasons)


def compute_study_day(dtc: pd.Series, *, reference: pd.Series) -> pd.Series:
    """
    Return the study day of *dtc* (float64), row by row against *reference*; NaN unless both are complete to the day.

    The day of the reference is day 1, the day before it day -1, there is no day 0 (SDTMIG 3.4 section 4.4.4). The
    dates themselves are left as they are.
    """
    days = _days(dtc) - _days(reference)
    numbers: npt.NDArray[np.float64] = np.where(np.isnan(days), np.nan, days + (days >= 0))
    return pd.Series(numbers, index=dtc.index, dtype="float64")


def compute_bounds(dtc: pd.Series) -> tuple[pd.Series, pd.Series]:
    """
    Return the earliest and the latest day (datetime64[s]) that an ISO date, complete or not, may stand for.

    NaT where there is none: missing, not valid, or the year unknown. An interval reaches from the earliest day of its
    start to the latest of its end. Times are left out.
    """
    codes, texts = _distinct(dtc)
    bounds = [_bounds(text) for text in texts]
    sides = []
    for side in (0, 1):
        days = np.array([bound[side] for bound in bounds], dtype="datetime64[s]")
        sides.append(pd.Series(days[codes], index=dtc.index, dtype="datetime64[s]"))
    return sides[0], sides[1]


def is_complete(dtc: pd.Series) -> pd.Series:
    """Say (bool) which values are valid ISO dates that are complete to the day, with or without a time."""
    return _map_distinct(dtc, _is_complete)


def check_iso8601(values: pd.Series) -> pd.Series:
    """
    Say (bool) which values are valid ISO 8601 dates as --DTC may hold them; a missing one is not.

    Complete or not, with or without a time or a time zone, or an interval of two such dates. Calendar and clock are
    checked (no 31 February, no 24:00), and a time needs all parts of its date, known or hyphens.
    """
    return _map_distinct(values, _is_valid)


def compute_age(birth_dtc: pd.Series, *, reference_dtc: pd.Series) -> pd.Series:
    """
    Return whole years by the calendar (float64) from *birth_dtc* to *reference_dtc*.

    With incomplete dates the age is given when every day they may stand for gives the same; otherwise, and where the
    reference may lie before the birth, it is NaN. Born on 29 February, one is a year older on 1 March of other years.
    """
    born = compute_bounds(birth_dtc)
    seen = compute_bounds(reference_dtc)
    least = _years(born[1], seen[0])
    most = _years(born[0], seen[1])
    decided = (least == most) & (least >= 0)
    return pd.Series(np.where(decided, least, np.nan), index=birth_dtc.index, dtype="float64")


def compute_date_part(dtc: pd.Series) -> pd.Series:
    """Return the date of an ISO date and time (of an interval that of its start); "" where no part of it is known."""
    codes, texts = _distinct(dtc)
    parts = [text.partition("/")[0].partition("T")[0] for text in texts]
    return _column([part if part.strip("-") else "" for part in parts], codes, dtc.index)


# --- reading collected text -------------------------------------------------------------------------------------


def _read_date(text: str, format: DateFormat, compiled: CompiledFormat) -> _Read:
    if not text or text.casefold() in compiled.tokens:
        return _Read()
    for regex, short_year in zip(compiled.regexes, compiled.short_years, strict=True):
        match = regex.fullmatch(text)
        if match:
            parts = {name: part for name, part in match.groupdict().items() if part.casefold() not in compiled.tokens}
            return _read_parts(parts, list(match.groupdict()), format, short_year=short_year)
    if compiled.iso and (compiled.iso_time or "T" not in text) and _parse_iso(text) is not None:
        date, _, time = text.partition("T")
        return _Read(date, time, _is_complete(text))
    return _Read(reason=f"not in the form {compiled.shown}")


def _read_parts(known: Mapping[str, str], names: list[str], format: DateFormat, *, short_year: bool) -> _Read:
    """Write the parts that are known as a date; *names* are those the pattern has."""
    year = _year(known["year"], format, short_year=short_year) if "year" in known else None
    month = _month(known["month"]) if "month" in known else None
    day = int(known["day"]) if "day" in known else None
    reason = _say_impossible(year, month, day)
    if reason and format.impossible == "refuse":
        return _Read(reason=reason)
    if reason:
        year, month, reason = _keep_possible(year, month, reason)
        day = None
    complete = year is not None and month is not None and day is not None
    read = _Read(_write_date(year, month, day), "", complete, reason)
    if "hour" not in names:
        return read
    time, clock_reason = _read_clock(known, names)
    if time and not complete:
        time, clock_reason = "", _NOT_CARRIED if read.date else _NO_DATE
    return read._replace(time=time, reason=reason or clock_reason)


def _keep_possible(year: int | None, month: int | None, reason: str) -> tuple[int | None, int | None, str]:
    if year == 0:
        return None, None, reason
    if month is not None and not 1 <= month <= 12:
        return year, None, f"{reason}, month and day are treated as unknown"
    return year, month, f"{reason}, the day is treated as unknown"


def _say_impossible(year: int | None, month: int | None, day: int | None) -> str:
    if year == 0:
        return "the year 0 does not exist"
    if month is not None and not 1 <= month <= 12:
        return f"the month {month} does not exist"
    if day is not None and not 1 <= day <= 31:
        return f"the day {day} does not exist"
    if day is not None and month is not None and day > _month_length(year, month):
        suffix = f" {year}" if (month, day) == (2, 29) else ""
        return f"{day} {month_name[month]}{suffix} does not exist"
    return ""


def _year(text: str, format: DateFormat, *, short_year: bool) -> int:
    if format.calendar == "roc":
        return int(text) + ROC_EPOCH if int(text) else 0
    if short_year:
        return int(text) + (2000 if int(text) < (format.pivot or 0) else 1900)
    return int(text)


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTHS[text.upper()]


def _write_date(year: int | None, month: int | None, day: int | None) -> str:
    parts = [
        "-" if year is None else f"{year:04d}",
        "-" if month is None else f"{month:02d}",
        "-" if day is None else f"{day:02d}",
    ]
    return _join_known(parts, "-")


def _join_known(parts: list[str], separator: str) -> str:
    """Join parts, an unknown one being a hyphen and left out at the end."""
    while parts and parts[-1] == "-":
        parts = parts[:-1]
    return separator.join(parts)


def _read_times(times: pd.Series, compiled: CompiledFormat) -> tuple[pd.Series, pd.Series]:
    """Return the ISO text of collected times and why there is none, "" where nothing was collected."""
    codes, texts = _distinct(times)
    read = [_read_time(text, compiled) for text in texts]
    return _column([time for time, _ in read], codes, times.index), _column(
        [reason for _, reason in read], codes, times.index
    )


def _read_time(text: str, compiled: CompiledFormat) -> tuple[str, str]:
    if not text or text.casefold() in compiled.tokens:
        return "", ""
    for regex in compiled.regexes:
        match = regex.fullmatch(text)
        if match:
            known = {name: part for name, part in match.groupdict().items() if part.casefold() not in compiled.tokens}
            return _read_clock(known, list(match.groupdict()))
    return "", f"the time is not in the form {compiled.shown}"


def _read_clock(known: Mapping[str, str], names: list[str]) -> tuple[str, str]:
    """Write the parts of a time that are known; *names* are those the pattern has. Returns text and reason."""
    for name, limit in (("hour", 23), ("minute", 59), ("second", 59)):
        if name in known and int(known[name]) > limit:
            return "", f"the {name} {int(known[name])} does not exist"
    parts = [f"{int(known[name]):02d}" if name in known else "-" for name in TIME_PARTS if name in names]
    return _join_known(parts, ":"), ""


# --- reading ISO text -------------------------------------------------------------------------------------------


def _parse_iso(text: str) -> _Iso | None:
    """Return the parts of one valid ISO date, complete or not (no interval), None for anything else."""
    match = _ISO_DATE.fullmatch(text)
    if match is None:
        return None
    *parts, time = match.groups()
    year, month, day = (None if part in (None, "-") else int(part) for part in parts)
    if time is None:
        if text.endswith("-"):
            return None
    elif parts[2] is None or not _is_clock(time):
        return None
    if _say_impossible(year, month, day):
        return None
    return _Iso(year, month, day, time or "")


def _is_clock(text: str) -> bool:
    match = _ISO_TIME.fullmatch(text)
    if match is None:
        return False
    parts = [part for part in match.groups() if part is not None]
    limits = zip(parts, (24, 60, 60), strict=False)
    return parts[-1] != "-" and all(part == "-" or float(part) < limit for part, limit in limits)


def _is_valid(text: str) -> bool:
    start, slash, end = text.partition("/")
    return _parse_iso(start) is not None and (not slash or _parse_iso(end) is not None)


def _is_complete(text: str) -> bool:
    iso = _parse_iso(text)
    return iso is not None and iso.year is not None and iso.month is not None and iso.day is not None


def _bounds(text: str) -> tuple[str, str]:
    start, _, end = text.partition("/")
    first, last = _parse_iso(start), _parse_iso(end or start)
    if first is None or first.year is None or last is None or last.year is None:
        return "NaT", "NaT"
    return _edge(first, last=False), _edge(last, last=True)


def _edge(iso: _Iso, *, last: bool) -> str:
    """Return the first or last day that an incomplete date may stand for (day 31 only in months that have one)."""
    year = iso.year or 0
    months = [iso.month] if iso.month else list(range(12, 0, -1) if last else range(1, 13))
    month = next(month for month in months if (iso.day or 1) <= _month_length(year, month))
    day = iso.day or (_month_length(year, month) if last else 1)
    return f"{year:04d}-{month:02d}-{day:02d}"


def _month_length(year: int | None, month: int) -> int:
    """Return the days of a month; in an unknown year, February may have 29."""
    return 29 if month == 2 and (year is None or isleap(year)) else MONTH_LENGTHS[month - 1]


# --- columns ----------------------------------------------------------------------------------------------------


def _distinct(values: pd.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return each row's code and the distinct texts, without the space around them, missing ones as ""."""
    codes, texts = pd.factorize(values.astype("str").fillna(""))
    return codes.astype("int64"), [text.strip() for text in texts.tolist()]


def _column(distinct: list[str], codes: npt.NDArray[np.int64], index: pd.Index[Any]) -> pd.Series:
    values: pd.Series = pd.Series(distinct, dtype="str").take(codes)
    values.index = index
    return values


def _map_distinct(values: pd.Series, test: Callable[[str], bool]) -> pd.Series:
    codes, texts = _distinct(values)
    return pd.Series(np.array([test(text) for text in texts], dtype="bool")[codes], index=values.index, dtype="bool")


def _days(values: pd.Series) -> npt.NDArray[np.float64]:
    """Return day numbers (float64), NaN unless complete to the day."""
    codes, texts = _distinct(values)
    numbers = [calendar_date.fromisoformat(text[:10]).toordinal() if _is_complete(text) else np.nan for text in texts]
    return np.array(numbers, dtype="float64")[codes]


def _years(start: pd.Series, end: pd.Series) -> npt.NDArray[np.float64]:
    """Return whole calendar years between two columns of days (float64), NaN where one is missing."""
    calendar = [(days.dt.year, days.dt.month * 100 + days.dt.day) for days in (start, end)]
    (first_year, first_day), (last_year, last_day) = [
        (year.to_numpy(dtype="float64"), day.to_numpy(dtype="float64")) for year, day in calendar
    ]
    years: npt.NDArray[np.float64] = last_year - first_year - (last_day < first_day)
    return years
