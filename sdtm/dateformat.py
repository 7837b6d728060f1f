"""
The patterns in which dates and times are collected (``dd MMM yyyy``), checked and compiled to regular expressions.

What a text means once it fits a pattern is decided in ``sdtm.dates``.
"""

from __future__ import annotations

import re
from calendar import month_name
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal, cast, get_args

Impossible = Literal["refuse", "unknown_day"]
Calendar = Literal["gregorian", "roc"]

DATE_PARTS = ("year", "month", "day")
TIME_PARTS = ("hour", "minute", "second")
MONTHS = {name.upper(): number for number, name in enumerate(month_name) if name}
MONTHS |= {name[:3]: number for name, number in MONTHS.items()} | {"SEPT": 9}

_LETTERS = {"y": ("year", 4), "d": ("day", 2), "h": ("hour", 2), "s": ("second", 2)}
_FIELD = re.compile(r"[yY]+|M+|m+|[dD]+|[hH]+|[sS]+|T(?=[hH])|[A-Za-z]+|\s+|.", re.DOTALL)
_ISO_PATTERN = re.compile(r"yyyy-MM-dd(T(hh|HH)(:mm(:ss)?)?)?")


@dataclass(frozen=True)
class DateFormat:
    """
    How the dates of one column are written (``parse_date_format`` makes and checks it).

    ``pattern``: alternatives separated by ``|``, tried in order. ``unknown``: tokens for an unknown part, any case.
    ``impossible``: a value whose day does not exist is refused, or its day is. ``pivot``: of two-digit years, those
    below it are 20yy, the others 19yy.
    """

    pattern: str
    unknown: tuple[str, ...] = ()
    impossible: Impossible = "refuse"
    calendar: Calendar = "gregorian"
    pivot: int | None = None


@dataclass(frozen=True)
class CompiledFormat:
    """
    A date or time format, compiled: one regular expression for each alternative, groups named after the parts.

    ``short_years``: per alternative, whether its year has two digits. ``tokens``: for an unknown part, case folded.
    ``iso``, ``iso_time``: whether an alternative is the ISO form of a date, of a date and time.
    """

    regexes: tuple[re.Pattern[str], ...]
    short_years: tuple[bool, ...]
    tokens: frozenset[str]
    iso: bool
    iso_time: bool
    shown: str


def parse_date_format(
    pattern: str,
    *,
    unknown: tuple[str, ...] = (),
    impossible: str = "refuse",
    calendar: str = "gregorian",
    pivot: int | None = None,
) -> DateFormat:
    """
    Check a date pattern and return it as a value; ValueError says in one phrase what is wrong with it.

    Letters: ``yyyy`` (or ``y``) a four-digit year, ``yy`` a two-digit one (needs *pivot*); ``MMM`` an English month
    name, short or full, in any case; ``MM``, ``M`` or ``m`` its number; ``d`` the day, ``h`` the hour of 24, ``m``
    after an hour the minute, ``s`` the second. A number may be padded or not, however many letters stand for it;
    beside another number (``yyyyMMdd``) it needs two digits. In calendar ``roc`` a year has one to three digits.
    Everything else stands for itself, a space for one or more. Several patterns are separated by ``|``; the first
    that fits the text decides, also when its date does not exist.
    """
    if impossible not in get_args(Impossible):
        raise ValueError(f"impossible is {impossible!r}, it may be {' or '.join(get_args(Impossible))}")
    if calendar not in get_args(Calendar):
        raise ValueError(f"calendar is {calendar!r}, it may be {' or '.join(get_args(Calendar))}")
    if any(not token.strip() for token in unknown):
        raise ValueError("a token for an unknown part is empty")
    if pivot is not None and not 0 <= pivot <= 100:
        raise ValueError(f"the pivot is {pivot}, it must be between 0 and 100")
    made = DateFormat(pattern, tuple(unknown), cast(Impossible, impossible), cast(Calendar, calendar), pivot)
    compile_date_format(made)
    return made


def parse_time_format(pattern: str) -> str:
    """Check a time pattern (``hh:mm``, ``hh:mm:ss | hh:mm``) and return it; ValueError says what is wrong with it."""
    compile_time_format(pattern, ())
    return pattern


@cache
def compile_date_format(format: DateFormat) -> CompiledFormat:
    """Compile the alternatives of a date format; ValueError as in ``parse_date_format``."""
    regexes, short_years = [], []
    for pattern in _split(format.pattern):
        fields = _fields(pattern)
        letters = {name: len(text) for name, text in fields if name}
        if "year" not in letters:
            raise ValueError(f"{pattern!r} has no year" if pattern else "the pattern is empty")
        _check_order(pattern, letters, (*DATE_PARTS, *TIME_PARTS))
        if letters["year"] == 2 and format.calendar == "gregorian" and format.pivot is None:
            raise ValueError(f"{pattern!r} has a two-digit year and no pivot says which century it is in")
        regexes.append(_regex(fields, format.unknown, format.calendar))
        short_years.append(letters["year"] == 2)
    return _compiled(format.pattern, regexes, short_years, format.unknown, may_be_iso=format.calendar == "gregorian")


@cache
def compile_time_format(pattern: str, unknown: tuple[str, ...]) -> CompiledFormat:
    """Compile the alternatives of a time pattern; ValueError as in ``parse_time_format``."""
    regexes = []
    for part in _split(pattern):
        fields = _fields(part)
        names = {name: len(text) for name, text in fields if name}
        if "hour" not in names or not set(names) <= set(TIME_PARTS):
            raise ValueError(
                f"{part!r} is not a time: it needs hours (hh) and may have minutes (mm) and seconds (ss)"
            )
        _check_order(part, names, TIME_PARTS)
        regexes.append(_regex(fields, unknown, "gregorian"))
    return _compiled(pattern, regexes, [False] * len(regexes), unknown, may_be_iso=False)


def _compiled(
    pattern: str,
    regexes: list[re.Pattern[str]],
    short_years: list[bool],
    unknown: tuple[str, ...],
    *,
    may_be_iso: bool,
) -> CompiledFormat:
    iso = [part for part in _split(pattern) if may_be_iso and _ISO_PATTERN.fullmatch(part)]
    return CompiledFormat(
        tuple(regexes),
        tuple(short_years),
        tokens=frozenset(token.strip().casefold() for token in unknown),
        iso=bool(iso),
        iso_time=any("T" in part for part in iso),
        shown=" or ".join(_split(pattern)),
    )


def _split(pattern: str) -> list[str]:
    return [part.strip() for part in pattern.split("|")]


def _fields(pattern: str) -> list[tuple[str, str]]:
    """Split a pattern into (part, text); text that stands for itself is no part, ""."""
    fields: list[tuple[str, str]] = []
    for text in _FIELD.findall(pattern):
        known = [name for name, _ in fields if name]
        name = _part(text, pattern, after_hour="hour" in known)
        if name in known:
            raise ValueError(f"{pattern!r} has the {name} twice")
        fields.append((name, text))
    return fields


def _part(text: str, pattern: str, *, after_hour: bool) -> str:
    letter = text[0]
    if text in ("m", "mm") and after_hour:
        return "minute"
    if text in ("m", "mm", "M", "MM", "MMM", "MMMM"):
        return "month"
    name, longest = _LETTERS.get(letter.lower(), ("", 0))
    if len(text) <= longest:
        return name
    if text == "T" or not (letter.isascii() and letter.isalpha()):
        return ""
    raise ValueError(f"{text!r} in {pattern!r} is no part of a date (parts are yyyy, MM or MMM, dd, hh, mm, ss)")


def _check_order(pattern: str, names: dict[str, int], order: tuple[str, ...]) -> None:
    """Refuse a part whose coarser part is not in the pattern: a day without a month, a minute without an hour."""
    for coarse, fine in pairwise(order):
        if fine in names and coarse not in names:
            raise ValueError(f"{pattern!r} has the {fine} but not the {coarse}")


def _regex(fields: list[tuple[str, str]], unknown: tuple[str, ...], calendar: str) -> re.Pattern[str]:
    tokens = sorted((token.strip() for token in unknown), key=len, reverse=True)
    parts = []
    for position, (name, text) in enumerate(fields):
        if not name:
            parts.append(r"\s+" if text.isspace() else re.escape(text))
            continue
        neighbours = [fields[at] for at in (position - 1, position + 1) if 0 <= at < len(fields)]
        beside = any(other and not other_text.startswith("MMM") for other, other_text in neighbours)
        choices = [*[re.escape(token) for token in tokens], _digits(name, text, beside=beside, calendar=calendar)]
        parts.append(f"(?P<{name}>{'|'.join(choices)})")
    return re.compile("".join(parts), re.IGNORECASE)


def _digits(name: str, text: str, *, beside: bool, calendar: str) -> str:
    if text.startswith("MMM"):
        return "|".join(sorted(MONTHS, key=len, reverse=True))
    if name == "year" and calendar == "roc":
        return f"[0-9]{{{len(text)}}}" if beside else "[0-9]{1,3}"
    if name == "year":
        return "[0-9]{2}" if len(text) == 2 else "[0-9]{4}"
    return "[0-9]{2}" if beside else "[0-9]{1,2}"
