"""Write numbers, dates and times as text: the shortest decimal number, ISO 8601 dates and times."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import numpy as np
import pandas as pd

TINY = 1e-10  # below, and from 1e16 on, a number is written with its exponent
DAY = 86400
SAS_EPOCH = dt.datetime(1960, 1, 1)
FIRST_DAY = (dt.datetime(1582, 1, 1) - SAS_EPOCH).days  # SAS knows no date before
LAST_DAY = (dt.datetime(9999, 12, 31) - SAS_EPOCH).days

SAS_FORMAT = re.compile(r"(?P<name>[A-Z_$](?:[A-Z0-9_]*[A-Z_])?)?(?P<width>\d*)")
# SAS Formats and Informats: Reference, "Formats by category": date, time, date and time
SAS_DATE = re.compile(
    r"(DATE|(DDMMYY|MMDDYY|YYMMDD)[BCDNPS]?|[BE]8601DA|IS8601DA|MONYY|(MMYY|YYMM)[CDNPS]?|YYMON|YYQR?[CDNPSZ]?"
    r"|JULIAN|JULDAY|WEEKDAT[EX]|WEEK[UVW]|WORDDAT[EX]|DAY|DOWNAME|WEEKDAY|MONTH|MONNAME|QTRR?|YEAR|MINGUO|NENGO"
    r"|NLDATE\w*|EURDF(DD|DE|MY|DWN|WD\w*))\Z"
)
SAS_TIME = re.compile(r"(TIME|TIMEAMPM|HHMM|HOUR|MMSS|TOD|[BE]8601(TM|LZ|TZ)|IS8601(TM|LZ|TZ)|NLTIME?\w*)\Z")
SAS_DATETIME = re.compile(
    r"(DATETIME|DATEAMPM|MDYAMPM|[BE]8601D[NTXZ]|IS8601D[NTZ]|DT(DATE|MONYY|WKDATX|YEAR|YYQC)|NLDATM\w*|EURDFDT)\Z"
)


def write_number(number: float) -> str:
    """Write a number as its shortest decimal that reads back the same: ``7``, ``0.351``, ``0.00001``."""
    text = repr(float(number))
    if text.endswith(".0"):
        return text[:-2] if number else "0"
    if "e-" in text and abs(number) >= TINY:
        return str(np.format_float_positional(number, unique=True, trim="-"))
    return text


def write_time(seconds: float, *, with_seconds: bool = False) -> str:
    """Write seconds since midnight (or a duration) as ``HH:MM``, with seconds when there are any or asked for."""
    milliseconds = round(abs(seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    text = f"{'-' if seconds < 0 else ''}{minutes // 60:02d}:{minutes % 60:02d}"
    if not rest and not with_seconds:
        return text
    whole, part = divmod(rest, 1000)
    return f"{text}:{whole:02d}" + (f".{part:03d}".rstrip("0") if part else "")


def write_sas_date(days: float) -> str:
    """Write a SAS date (days since 1960-01-01) as ISO text; a number that is no date stays a number."""
    if not FIRST_DAY <= days < LAST_DAY + 1:
        return write_number(days)
    return (SAS_EPOCH + dt.timedelta(days=float(np.floor(days)))).date().isoformat()


def write_sas_datetime(seconds: float) -> str:
    """Write a SAS datetime (seconds since 1960-01-01) as ISO text; a number that is none stays a number."""
    milliseconds = round(seconds * 1000)
    days, rest = divmod(milliseconds, DAY * 1000)
    if not FIRST_DAY <= days <= LAST_DAY:
        return write_number(seconds)
    return f"{write_sas_date(days)}T{write_time(rest / 1000, with_seconds=True)}"


def choose_sas_writer(format_name: str) -> Callable[[float], str]:
    """Return how numbers of this SAS format (``DATE9.``, ``TIME5``, ``8.2`` ...) are written as text."""
    match = SAS_FORMAT.match(format_name.upper())
    name, width = (match["name"] or "", int(match["width"] or 0)) if match else ("", 0)
    if SAS_DATE.match(name):
        return write_sas_date
    if SAS_DATETIME.match(name):
        return write_sas_datetime
    if SAS_TIME.match(name):
        return lambda seconds: write_time(seconds, with_seconds=width == 0 or width >= 8)
    return write_number


def write_column(numbers: pd.Series[float], *, format_name: str = "") -> pd.Series[str]:
    """Write a column of numbers as text by their SAS format; missing is the empty text."""
    write = choose_sas_writer(format_name)
    codes, uniques = pd.factorize(numbers)
    texts = np.array([*(write(float(number)) for number in uniques), ""], dtype=object)
    return pd.Series(texts[codes], index=numbers.index, dtype="str")
