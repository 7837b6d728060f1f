"""
What a SAS transport file holds, and the byte layout of its headers.

Everything in the file is in records of 80 bytes: a library header, then for each dataset its headers, one NAMESTR
entry of 140 bytes a variable, and the observations in one stream. Version 8 differs in longer names, long labels in
a record of their own, and the number of observations in the last header. Sources: SAS technical papers TS-140
(versions 5 and 6) and "Record layout for a SAS version 8 or 9 data set in SAS transport format".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pandas as pd

RECORD = 80
NAMESTR = struct.Struct(">hhHh8s40s8shhh2s8shhl52s")
NAMESTR_HEAD = struct.Struct(">hhHh8s40s8shhh2s8shh")  # all but the place and the rest, whose size varies by machine
LONG_NAME = slice(88, 120)
MAX_NAME, MAX_LABEL, MAX_TEXT, MAX_VARIABLES = 8, 40, 200, 9999
YEARS = (1960, 2059)  # a stamp has two digits for its year

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_STAMP = re.compile(r"(\d\d)([A-Z]{3})(\d\d):(\d\d):(\d\d):(\d\d)\Z")
_FORMAT = re.compile(r"(\$?(?:[A-Z_](?:[A-Z0-9_]*[A-Z_])?)?)(\d{0,5})\.(\d{0,2})\Z")
_ASCII = "".join(map(chr, range(128)))


@dataclass(frozen=True)
class XptVariable:
    """One variable: ``length`` in bytes, ``format`` and ``informat`` as SAS writes them (``DATE9.``, ``8.2``)."""

    name: str
    label: str
    type: Literal["Char", "Num"]
    length: int
    format: str = ""
    informat: str = ""


@dataclass(frozen=True)
class XptDataset:
    """
    One dataset (a member of the file).

    ``data``: one column a variable; text of dtype ``str`` with the empty text missing, numbers float64 with NaN
    missing. ``special``: by variable the special missing values alone, a series of ``.A`` to ``.Z`` or ``._``
    whose index are labels of ``data``'s index. ``created``/``modified``: the dataset's own stamps; without them
    the writer puts in the stamp it is given. ``type``: the SAS dataset type, nearly always blank. ``facts``: what the
    reader found out (version, encoding, sas, os).
    """

    name: str
    label: str
    variables: tuple[XptVariable, ...]
    data: pd.DataFrame
    special: Mapping[str, pd.Series] = field(default_factory=dict)
    created: datetime | None = None
    modified: datetime | None = None
    type: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def require_encoding(encoding: str) -> str:
    """Return *encoding*, or raise ValueError unless Python knows it and it leaves ASCII as it is."""
    try:
        if _ASCII.encode(encoding) == _ASCII.encode("ascii"):
            return encoding
    except (LookupError, UnicodeError):
        pass
    raise ValueError(
        f"encoding {encoding!r} is unknown or does not leave ASCII as it is: give ascii, utf-8, cp1252 ..."
    )


def require_stamp(stamp: datetime) -> datetime:
    """Return *stamp*, or raise ValueError when its year does not survive as two digits."""
    if not YEARS[0] <= stamp.year <= YEARS[1]:
        raise ValueError(f"stamp {stamp}: its year is kept as two digits, so it must lie in {YEARS[0]} to {YEARS[1]}")
    return stamp


def format_stamp(stamp: datetime) -> bytes:
    """Write a stamp as ``ddMMMyy:hh:mm:ss``, whatever the machine's language."""
    date = f"{stamp.day:02d}{_MONTHS[stamp.month - 1]}{stamp.year % 100:02d}"
    return f"{date}:{stamp.hour:02d}:{stamp.minute:02d}:{stamp.second:02d}".encode("ascii")


def parse_stamp(raw: bytes) -> datetime | None:
    """Read a stamp; None where there is none that is a date. Years 60 to 99 are of the last century."""
    match = _STAMP.match(raw.decode("latin-1"))
    if match is None or match[2] not in _MONTHS:
        return None
    year = int(match[3]) + (1900 if int(match[3]) >= YEARS[0] % 100 else 2000)
    try:
        day, hour, minute, second = (int(match[part]) for part in (1, 4, 5, 6))
        return datetime(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second)
    except ValueError:
        return None


def parse_format(text: str) -> tuple[str, int, int] | None:
    """Split ``DATE9.`` or ``8.2`` into name, width and decimals (0 where not said); None if it is no format."""
    if not text:
        return "", 0, 0
    match = _FORMAT.match(text)
    if match is None or text == "." or len(match[1]) > MAX_NAME or int(match[2] or 0) > 32767:
        return None
    return match[1], int(match[2] or 0), int(match[3] or 0)


def join_format(name: str, width: int, decimals: int) -> str:
    """Write name, width and decimals as SAS does; the empty text where there is no format."""
    if not (name or width or decimals):
        return ""
    return f"{name}{width or ''}.{decimals or ''}"


def header_record(name: str, numbers: str = "0" * 30) -> bytes:
    """Return one header record."""
    return f"HEADER RECORD*******{name:8}HEADER RECORD!!!!!!!{numbers}".encode("ascii").ljust(RECORD)


def library_header(stamp: datetime) -> bytes:
    """Return the three records that open a version 5 file."""
    written = format_stamp(stamp)
    real = b"SAS     SAS     SASLIB  9.4     PYTHON  ".ljust(64) + written
    return header_record("LIBRARY") + real + written.ljust(RECORD)


def member_header(dataset: XptDataset, *, stamp: datetime, encoding: str) -> bytes:
    """Return every version 5 record of a dataset that stands before its observations."""
    created = format_stamp(dataset.created or stamp)
    modified = format_stamp(dataset.modified or stamp)
    real = f"SAS     {dataset.name:8}SASDATA 9.4     PYTHON  ".encode("ascii").ljust(64) + created
    second = modified.ljust(32) + dataset.label.encode(encoding).ljust(40) + dataset.type.encode("ascii").ljust(8)
    entries = _namestrs(dataset.variables, encoding=encoding)
    return b"".join(
        [
            header_record("MEMBER", "000000000000000001600000000140"),
            header_record("DSCRPTR"),
            real,
            second,
            header_record("NAMESTR", f"{len(dataset.variables):010d}" + "0" * 20),
            entries.ljust(-(-len(entries) // RECORD) * RECORD),
            header_record("OBS"),
        ]
    )


def _namestrs(variables: tuple[XptVariable, ...], *, encoding: str) -> bytes:
    entries = []
    place = 0
    for number, variable in enumerate(variables, start=1):
        shown = parse_format(variable.format) or ("", 0, 0)
        read = parse_format(variable.informat) or ("", 0, 0)
        entries.append(
            NAMESTR.pack(
                *(2 if variable.type == "Char" else 1, 0, variable.length, number),
                *(variable.name.encode("ascii").ljust(8), variable.label.encode(encoding).ljust(40)),
                *(shown[0].encode("ascii").ljust(8), shown[1], shown[2], 0, b"\0\0"),
                *(read[0].encode("ascii").ljust(8), read[1], read[2], place, bytes(52)),
            )
        )
        place += variable.length
    return b"".join(entries)
