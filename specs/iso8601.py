"""
Dates, times, intervals and durations as SDTM writes them in ISO 8601 (SDTMIG 3.4, section 4.4).

A date or time is cut off on the right where nothing more is known (``2003-12``); an unknown part before a known one
is a single hyphen (``2003---15``, ``--12-15``, ``-----T07:15``). Every function takes an array of unique texts: a
column has few of them.
"""

from __future__ import annotations

import calendar
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})?"
_PLAIN = (
    r"\A[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?" + _ZONE + r")?)?)?)?\z"
)
_PARTS = re.compile(
    r"([0-9]{4}|-)(?:-([0-9]{2}|-)(?:-([0-9]{2}|-)"
    r"(?:T([0-9]{2}|-)(?::([0-9]{2}|-)(?::([0-9]{2}(?:\.[0-9]+)?|-))?" + _ZONE + r")?)?)?)?"
)
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = re.compile(
    rf"-?P(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)
_FRACTION_INSIDE = re.compile(r"\.[0-9]+[A-Z].*[0-9]")
_ZONED = re.compile(r"T.*(Z|[+-][0-9]{2}:[0-9]{2})\Z")
_LAST = (12, 31, 23, 59, 59)  # month, day, hour, minute, second
_LEAP_YEAR = "2000"  # an unknown year may be a leap year


def are_datetimes(values: pa.Array) -> Mask:
    """Say of each text whether it is a date, a date with time, or an interval, and exists in the calendar."""
    plain = _mask(pc.match_substring_regex(values, _PLAIN))
    known = plain.copy()
    known[plain] = _days_exist(values.filter(pa.array(plain)))
    for place in np.flatnonzero(~plain):
        known[place] = is_datetime_or_interval(values[place].as_py())
    return known


def are_durations(values: pa.Array) -> Mask:
    """Say of each text whether it is a duration."""
    return np.array([is_duration(text) for text in values.to_pylist()], dtype=bool)


def are_durations_or_intervals(values: pa.Array) -> Mask:
    """Say of each text whether it is a duration or an interval."""
    return np.array([is_duration(text) or _is_interval(text) for text in values.to_pylist()], dtype=bool)


def _days_exist(values: pa.Array) -> Mask:
    """Say of each plain date whether its month has that day; the days of a column are few."""
    encoded = pc.utf8_slice_codeunits(values, 0, 10).dictionary_encode()
    exist = np.array(
        [len(day) < 10 or _day_exists(day[:4], day[5:7], day[8:10]) for day in encoded.dictionary.to_pylist()]
    )
    return exist[encoded.indices.to_numpy()] if len(exist) else np.zeros(0, dtype=bool)


def _mask(values: Any) -> Mask:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)


def is_datetime_or_interval(text: str) -> bool:
    """Say whether *text* is a date or time, known in part or whole, or an interval of two."""
    return _is_interval(text) if "/" in text else is_datetime(text)


def is_datetime(text: str) -> bool:
    """Say whether *text* is a date or time whose parts exist; what is unknown on the right is left out."""
    found = _PARTS.fullmatch(text)
    if found is None:
        return False
    *parts, _ = found.groups()
    given = [part for part in parts if part is not None]
    if given[-1] == "-":
        return False
    year, month, day = [*given, "-", "-"][:3]
    return _are_in_range(given) and _day_exists(year, month, day)


def _are_in_range(given: list[str]) -> bool:
    below = zip(given[1:], _LAST, strict=False)
    first = [part == "-" or int(part) >= 1 for part in given[1:3]]
    return all(first) and all(part == "-" or float(part) < last + 1 for part, last in below)


def _day_exists(year: str, month: str, day: str) -> bool:
    if "-" in (month, day):
        return True
    year = _LEAP_YEAR if year == "-" else year
    return year != "0000" and int(day) <= calendar.monthrange(int(year), int(month))[1]


def is_duration(text: str) -> bool:
    """Say whether *text* is a duration (``P3D``, ``PT1H30M``, ``P2W``); only its last number may have a fraction."""
    return bool(_DURATION.fullmatch(text)) and text[-1] not in "PT" and not _FRACTION_INSIDE.search(text)


def _is_interval(text: str) -> bool:
    first, slash, second = text.partition("/")
    if not slash or (is_duration(first) and is_duration(second)):
        return False
    return all(is_datetime(part) or is_duration(part) for part in (first, second))


def is_before(end: str, start: str) -> bool:
    """Say whether *end* is surely before *start*: compared as far as both are known, never across time zones."""
    if _PARTS.fullmatch(start) is None or _PARTS.fullmatch(end) is None or _ZONED.search(start) or _ZONED.search(end):
        return False
    length = min(_known_length(start), _known_length(end))
    return end[:length] < start[:length]


def _known_length(text: str) -> int:
    """Count the letters before the first unknown part."""
    unknown = re.search(r"(?:^|[-T:])-", text)
    return len(text) if unknown is None else unknown.start()
