"""Dates as collected, as ISO 8601 text, and what is computed from them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtm.dates import (
    check_iso8601,
    compute_age,
    compute_bounds,
    compute_date_part,
    compute_iso8601,
    compute_study_day,
    is_complete,
    parse_date_format,
    parse_time_format,
)

Shared = Callable[[str], Path]


def text(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def convert(pattern: str, *collected: str, **options: Any) -> list[str]:
    converted = compute_iso8601(text(*collected), format=parse_date_format(pattern, **options))
    return converted.values.tolist()


def reasons(pattern: str, *collected: str, **options: Any) -> list[str]:
    converted = compute_iso8601(text(*collected), format=parse_date_format(pattern, **options))
    assert converted.refused.tolist() == [reason != "" for reason in converted.reason]
    return converted.reason.tolist()


@pytest.mark.parametrize(
    ("pattern", "collected", "expected"),
    [
        ("dd MMM yyyy", "21 MAR 2019", "2019-03-21"),
        ("dd MMM yyyy", "1 mar 2019", "2019-03-01"),
        ("dd MMM yyyy", "21  Sept  2019", "2019-09-21"),
        ("dd MMM yyyy", "21 September 2019", "2019-09-21"),
        ("dd-MMM-yyyy", "02-Jan-2014", "2014-01-02"),
        ("MM/dd/yyyy", "01/16/2014", "2014-01-16"),
        ("MM-dd-yyyy", "07-02-2014", "2014-07-02"),
        ("yyyy/MM/dd", "2019/3/5", "2019-03-05"),
        ("y/m/d", "2019/3/5", "2019-03-05"),
        ("yyyyMMdd", "20190305", "2019-03-05"),
        ("ddMMMyyyy", "05MAR2019", "2019-03-05"),
        ("yyyy年MM月dd日", "2019年3月5日", "2019-03-05"),
        ("yyyy/MM/dd hh:mm", "2019/03/05 9:07", "2019-03-05T09:07"),
        ("yyyy-MM-dd hh:mm:ss", "2019-03-05 09:07:30", "2019-03-05T09:07:30"),
        ("dd MMM yyyy", "  21 MAR 2019 ", "2019-03-21"),
        ("dd MMM yyyy", "", ""),
    ],
)
def test_collected_dates_become_iso(pattern: str, collected: str, expected: str) -> None:
    """Every way to write a date leads to the same ISO text."""
    assert convert(pattern, collected) == [expected]


@pytest.mark.parametrize(
    ("collected", "expected"),
    [
        ("UN UNK 2018", "2018"),
        ("UN MAR 2018", "2018-03"),
        ("un mar 2018", "2018-03"),
        ("15 UNK 2018", "2018---15"),
        ("15 MAR UNK", "--03-15"),
        ("UN MAR UNK", "--03"),
        ("29 FEB UNK", "--02-29"),
        ("UN UNK UNK", ""),
        ("UNK", ""),
    ],
)
def test_unknown_parts(collected: str, expected: str) -> None:
    """An unknown part is left out at the end and is a hyphen in the middle; all unknown is missing, not refused."""
    assert convert("dd MMM yyyy", collected, unknown=("UN", "UNK")) == [expected]
    assert reasons("dd MMM yyyy", collected, unknown=("UN", "UNK")) == [""]


def test_unknown_parts_in_other_exports() -> None:
    """Each export has its own tokens: UK, question marks, 99, hyphens."""
    assert convert("yyyy-MM-dd", "2019-05-UK", "2019-UK-UK", "UK", unknown=("UK",)) == ["2019-05", "2019", ""]
    assert convert("dd/MM/yyyy", "??/03/2018", "??/??/????", unknown=("??", "????")) == ["2018-03", ""]
    assert convert("dd/MM/yyyy", "99/03/2018", "99/99/2018", unknown=("99", "9999")) == ["2018-03", "2018"]
    assert convert("dd-MMM-yyyy", "---MAR-2018", unknown=("--",)) == ["2018-03"]


def test_without_a_token_an_unknown_part_is_refused() -> None:
    """A token that the specification does not name is not guessed."""
    assert reasons("dd MMM yyyy", "UN MAR 2018") == ["not in the form dd MMM yyyy"]


def test_alternatives_are_tried_in_order() -> None:
    """One column may hold dates of different completeness."""
    pattern = "dd-MMM-yyyy | MMM-yyyy | yyyy"
    assert convert(pattern, "26-DEC-2013", "DEC-2013", "2013") == ["2013-12-26", "2013-12", "2013"]
    assert reasons(pattern, "2013-12") == ["not in the form dd-MMM-yyyy or MMM-yyyy or yyyy"]


def test_the_first_alternative_that_fits_decides() -> None:
    """A month 25 is not taken for a day: mixed day-month orders are reported, not guessed."""
    assert reasons("dd/MM/yyyy | MM/dd/yyyy", "03/25/2019") == ["the month 25 does not exist"]


@pytest.mark.parametrize(
    ("collected", "reason", "unknown_day"),
    [
        ("31 FEB 2018", "31 February does not exist", "2018-02"),
        ("29 FEB 2019", "29 February 2019 does not exist", "2019-02"),
        ("29 FEB 1900", "29 February 1900 does not exist", "1900-02"),
        ("31 APR 2018", "31 April does not exist", "2018-04"),
        ("60 FEB 2020", "the day 60 does not exist", "2020-02"),
        ("00 FEB 2020", "the day 0 does not exist", "2020-02"),
    ],
)
def test_impossible_days(collected: str, reason: str, unknown_day: str) -> None:
    """A day that does not exist is refused, or is treated as unknown; it is reported in both cases."""
    assert convert("dd MMM yyyy", collected) == [""]
    assert reasons("dd MMM yyyy", collected) == [reason]
    assert convert("dd MMM yyyy", collected, impossible="unknown_day") == [unknown_day]
    assert reasons("dd MMM yyyy", collected, impossible="unknown_day") == [f"{reason}, the day is treated as unknown"]


def test_impossible_months_and_years() -> None:
    """Of a month 13 nothing but the year is left; a year 0 leaves nothing."""
    assert convert("dd/MM/yyyy", "05/13/2019", "05/03/0000") == ["", ""]
    assert convert("dd/MM/yyyy", "05/13/2019", "05/03/0000", impossible="unknown_day") == ["2019", ""]
    assert reasons("dd/MM/yyyy", "05/13/2019", impossible="unknown_day") == [
        "the month 13 does not exist, month and day are treated as unknown"
    ]


def test_leap_days_that_exist() -> None:
    """29 February exists in 2020 and in 2000."""
    assert convert("dd MMM yyyy", "29 FEB 2020", "29 FEB 2000") == ["2020-02-29", "2000-02-29"]


@pytest.mark.parametrize(
    "collected",
    ["2019-03-21", "21 MAR 19", "21.03.2019", "21 MRZ 2019", "43545", "20081210.0", "21 MAR 2019?", "1-Jan"],
)
def test_other_forms_are_refused(collected: str) -> None:
    """What is not in the declared form is refused, also what a spreadsheet made of it."""
    assert convert("dd MMM yyyy", collected) == [""]
    assert reasons("dd MMM yyyy", collected) == ["not in the form dd MMM yyyy"]


def test_full_width_digits_are_refused() -> None:
    """Digits of other scripts are not digits of a date."""
    assert reasons("yyyy-MM-dd", "２０１９-03-21") == ["not in the form yyyy-MM-dd"]


def test_two_digit_years_need_a_pivot() -> None:
    """Years below the pivot are of this century, the others of the last."""
    assert convert("dd-MMM-yy", "05-MAR-19", "05-MAR-49", "05-MAR-50", pivot=50) == [
        "2019-03-05",
        "2049-03-05",
        "1950-03-05",
    ]
    with pytest.raises(ValueError, match="two-digit year and no pivot"):
        parse_date_format("dd-MMM-yy")


def test_years_of_the_republic_of_china() -> None:
    """Year 108 is 2019; a leap day is checked in the Gregorian year."""
    assert convert("y/m/d", "108/03/21", "99/1/5", "109/02/29", calendar="roc") == [
        "2019-03-21",
        "2010-01-05",
        "2020-02-29",
    ]
    assert reasons("y/m/d", "108/02/29", "2019/03/21", calendar="roc") == [
        "29 February 2019 does not exist",
        "not in the form y/m/d",
    ]
    assert convert("yyyMMdd", "1080321", calendar="roc") == ["2019-03-21"]


def test_iso_passes_unchanged() -> None:
    """Where the column is ISO, a valid date stays as it is, complete or not; one that is not valid is refused."""
    assert convert("yyyy-MM-dd", "2019-03-21", "2019-03", "2019", "2018---15", "--03-15") == [
        "2019-03-21",
        "2019-03",
        "2019",
        "2018---15",
        "--03-15",
    ]
    assert convert("yyyy-MM-ddThh:mm", "2019-03-21T10:05:30", "2019-03") == ["2019-03-21T10:05:30", "2019-03"]
    assert convert("yyyy-MM-dd", "2019-02-30", "2019-13", "2019-03-21T10:05") == ["", "", ""]


def test_time_of_its_own_column() -> None:
    """A time is put to a date that is complete; an unknown or missing time leaves the date."""
    table = [
        # date, time, expected
        ("21 MAR 2019", "09:07", "2019-03-21T09:07"),
        ("21 MAR 2019", "9:07", "2019-03-21T09:07"),
        ("21 MAR 2019", "00:00", "2019-03-21T00:00"),
        ("21 MAR 2019", "", "2019-03-21"),
        ("21 MAR 2019", "UN", "2019-03-21"),
        ("21 MAR 2019", "UN:UN", "2019-03-21"),
        ("21 MAR 2019", "09:UN", "2019-03-21T09"),
        ("21 MAR 2019", "UN:30", "2019-03-21T-:30"),
        ("UN MAR 2019", "", "2019-03"),
        ("", "", ""),
    ]
    dates, times, expected = zip(*table, strict=True)
    format = parse_date_format("dd MMM yyyy", unknown=("UN", "UNK"))
    converted = compute_iso8601(text(*dates), format=format, time=text(*times))
    assert converted.values.tolist() == list(expected)
    assert not converted.refused.any()


@pytest.mark.parametrize(
    ("date", "time", "expected", "reason"),
    [
        ("21 MAR 2019", "24:00", "2019-03-21", "the hour 24 does not exist"),
        ("21 MAR 2019", "25:10", "2019-03-21", "the hour 25 does not exist"),
        ("21 MAR 2019", "10:60", "2019-03-21", "the minute 60 does not exist"),
        ("21 MAR 2019", "noon", "2019-03-21", "the time is not in the form hh:mm"),
        ("UN MAR 2019", "10:05", "2019-03", "a time without a complete date cannot be carried"),
        ("", "10:05", "", "a time without a date"),
        ("31 FEB 2019", "10:05", "", "31 February does not exist"),
    ],
)
def test_times_that_cannot_be_carried(date: str, time: str, expected: str, reason: str) -> None:
    """The date stays, the time is reported."""
    converted = compute_iso8601(text(date), format=parse_date_format("dd MMM yyyy", unknown=("UN",)), time=text(time))
    assert (converted.values[0], converted.refused[0], converted.reason[0]) == (expected, True, reason)


def test_impossible_time_in_one_column() -> None:
    """Also where date and time are one column the date stays."""
    converted = compute_iso8601(text("2019/03/05 24:00"), format=parse_date_format("yyyy/MM/dd hh:mm"))
    assert (converted.values[0], converted.reason[0]) == ("2019-03-05", "the hour 24 does not exist")


def test_index_and_missing_values_are_kept() -> None:
    """The result lies on the rows of the input; a missing value is the empty text."""
    column = pd.Series(["21 MAR 2019", None, "x"], index=[7, 3, 5], dtype="str")
    converted = compute_iso8601(column, format=parse_date_format("dd MMM yyyy"))
    assert converted.values.to_dict() == {7: "2019-03-21", 3: "", 5: ""}
    assert converted.refused.to_dict() == {7: False, 3: False, 5: True}
    assert converted.values.dtype == "str"
    assert compute_iso8601(text(), format=parse_date_format("yyyy"), time=text()).values.empty


@pytest.mark.parametrize(
    ("pattern", "options", "reason"),
    [
        ("", {}, "the pattern is empty"),
        ("dd MMM", {}, "has no year"),
        ("dd yyyy", {}, "has the day but not the month"),
        ("yyyy-MM hh:mm", {}, "has the hour but not the day"),
        ("dd/dd/yyyy", {}, "has the day twice"),
        ("dd MMM yyyy Q", {}, "'Q' in 'dd MMM yyyy Q' is no part of a date"),
        ("ddd yyyy", {}, "'ddd' in 'ddd yyyy' is no part of a date"),
        ("yyyy | dd", {}, "'dd' has no year"),
        ("yyyy", {"impossible": "guess"}, "refuse or unknown_day"),
        ("yyyy", {"calendar": "julian"}, "gregorian or roc"),
        ("yyyy", {"unknown": ("",)}, "token for an unknown part is empty"),
        ("yyyy", {"pivot": 300}, "between 0 and 100"),
    ],
)
def test_bad_formats(pattern: str, options: dict[str, Any], reason: str) -> None:
    """A format that means nothing is refused with the reason, before a row is read."""
    with pytest.raises(ValueError, match=r".") as raised:
        parse_date_format(pattern, **options)
    assert reason in str(raised.value)


@pytest.mark.parametrize("pattern", ["", "mm", "yyyy", "hh:ss", "hh:mm xx"])
def test_bad_time_formats(pattern: str) -> None:
    """A time has hours, minutes after hours, seconds after minutes."""
    with pytest.raises(ValueError, match=r"."):
        parse_time_format(pattern)


def test_time_alternatives() -> None:
    """A time column may hold seconds in some rows."""
    format = parse_date_format("yyyy-MM-dd")
    pattern = parse_time_format("hh:mm:ss | hh:mm | hhmm")
    converted = compute_iso8601(
        text(*["2019-03-05"] * 3), format=format, time=text("09:07:30", "09:07", "0907"), time_format=pattern
    )
    assert converted.values.tolist() == ["2019-03-05T09:07:30", "2019-03-05T09:07", "2019-03-05T09:07"]


@pytest.mark.parametrize(
    ("dtc", "reference", "day"),
    [
        ("2019-03-21", "2019-03-21", 1),
        ("2019-03-22", "2019-03-21", 2),
        ("2019-03-20", "2019-03-21", -1),
        ("2019-03-21T23:59", "2019-03-21T08:00", 1),
        ("2020-03-01", "2020-02-28", 3),
        ("2019-03", "2019-03-21", None),
        ("2018---15", "2018-01-01", None),
        ("2019-03-21", "2019", None),
        ("2019-03-21", "", None),
        ("", "2019-03-21", None),
        ("2019-02-30", "2019-03-21", None),
        ("2019-03-01/2019-03-04", "2019-03-21", None),
    ],
)
def test_study_day(dtc: str, reference: str, day: int | None) -> None:
    """Day 1 is the reference, the day before is -1, there is no day 0; incomplete dates have none."""
    computed = compute_study_day(text(dtc), reference=text(reference))
    assert computed.dtype == "float64"
    assert computed.isna()[0] if day is None else computed[0] == day


def test_study_day_leaves_partial_dates_alone() -> None:
    """Computing the day does not overwrite the date."""
    dtc = text("2019-03", "2019-03-21T10:00")
    compute_study_day(dtc, reference=text("2019-03-01", "2019-03-01"))
    assert dtc.tolist() == ["2019-03", "2019-03-21T10:00"]


@pytest.mark.parametrize(
    ("dtc", "earliest", "latest"),
    [
        ("2018-03-21", "2018-03-21", "2018-03-21"),
        ("2018-03-21T10:05", "2018-03-21", "2018-03-21"),
        ("2018-02", "2018-02-01", "2018-02-28"),
        ("2020-02", "2020-02-01", "2020-02-29"),
        ("2018", "2018-01-01", "2018-12-31"),
        ("2018---15", "2018-01-15", "2018-12-15"),
        ("2018---31", "2018-01-31", "2018-12-31"),
        ("2018-01/2018-03-05", "2018-01-01", "2018-03-05"),
        ("--03-15", None, None),
        ("", None, None),
        ("2018-02-30", None, None),
    ],
)
def test_bounds(dtc: str, earliest: str | None, latest: str | None) -> None:
    """The earliest and latest day that an incomplete date may stand for."""
    first, last = compute_bounds(text(dtc))
    assert first.dtype == last.dtype == "datetime64[s]"
    assert first[0] is pd.NaT if earliest is None else first[0] == pd.Timestamp(earliest)
    assert last[0] is pd.NaT if latest is None else last[0] == pd.Timestamp(str(latest))


@pytest.mark.parametrize(
    ("dtc", "valid", "complete"),
    [
        ("2018-03-21", True, True),
        ("2018-03-21T10", True, True),
        ("2018-03-21T10:05", True, True),
        ("2018-03-21T10:05:59", True, True),
        ("2018-03-21T10:05:59.123", True, True),
        ("2018-03-21T10:05Z", True, True),
        ("2018-03-21T10:05+08:00", True, True),
        ("2018-03-21T-:05", True, True),
        ("2018-03", True, False),
        ("2018", True, False),
        ("2018---15", True, False),
        ("--03-15", True, False),
        ("--03", True, False),
        ("-----T07:15", True, False),
        ("2018-03--T07:15", True, False),
        ("2018-03-01/2018-03-04", True, False),
        ("--02-29", True, False),
        ("", False, False),
        ("-", False, False),
        ("2018-", False, False),
        ("2018-3-1", False, False),
        ("2018-02-30", False, False),
        ("2019-02-29", False, False),
        ("2020-02-60", False, False),
        ("2018-13", False, False),
        ("2018-00-10", False, False),
        ("0000-01-01", False, False),
        ("2018-03-21T", False, False),
        ("2018-03-21T24:00", False, False),
        ("2018-03-21T10:60", False, False),
        ("2018-03T10:05", False, False),
        ("2018-03-21 10:05", False, False),
        ("2018-03-01/", False, False),
        ("2018-03-01/2018-02-30", False, False),
        ("21MAR2018", False, False),
        ("２０１８-03-21", False, False),
    ],
)
def test_validity(dtc: str, valid: bool, complete: bool) -> None:
    """Which texts may stand in --DTC, and which are complete to the day."""
    assert check_iso8601(text(dtc)).tolist() == [valid]
    assert is_complete(text(dtc)).tolist() == [complete]


@pytest.mark.parametrize(
    ("birth", "reference", "age"),
    [
        ("1950-06-15", "2019-06-15", 69),
        ("1950-06-15", "2019-06-14", 68),
        ("1948-02-29", "2019-02-28", 70),
        ("1948-02-29", "2019-03-01", 71),
        ("1959-01-01", "2019-01-01", 60),  # 365.25 days a year would say 59
        ("1950-06", "2019-07-01", 69),
        ("1950-06", "2019-05-31", 68),
        ("1950-06", "2019-06-15", None),
        ("1950-06", "2019-06-30", 69),
        ("1950", "2019-12-31", 69),
        ("1950", "2019-06-15", None),
        ("1950-06-15", "2019", None),
        ("1950-06-15", "2019-07", 69),
        ("--06-15", "2019-06-15", None),
        ("2019-06-16", "2019-06-15", None),
        ("", "2019-06-15", None),
    ],
)
def test_age(birth: str, reference: str, age: int | None) -> None:
    """Whole years by the calendar; with an incomplete date only when every possible day gives the same."""
    computed = compute_age(text(birth), reference_dtc=text(reference))
    assert computed.isna()[0] if age is None else computed[0] == age


def test_date_part() -> None:
    """The date of a date and time; nothing where only the time is known."""
    parts = compute_date_part(text("2018-03-21T10:05", "2018-03", "-----T07:15", "2018-03-01/2018-03-04", ""))
    assert parts.tolist() == ["2018-03-21", "2018-03", "", "2018-03-01", ""]


@settings(max_examples=50, deadline=None)
@given(st.dates(), st.dates())
def test_study_day_and_back(day: object, reference: object) -> None:
    """The study day leads back to the date, whatever the two dates are."""
    number = compute_study_day(text(str(day)), reference=text(str(reference)))[0]
    assert number != 0
    shift = pd.Timedelta(days=number - (number > 0))
    assert pd.Timestamp(str(reference)).as_unit("s") + shift == pd.Timestamp(str(day)).as_unit("s")


@settings(max_examples=50, deadline=None)
@given(st.dates(), st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d", "%Y---%d", "--%m-%d"]))
def test_written_dates_are_valid(day: object, precision: str) -> None:
    """A date of any precision written as --DTC is valid, and its bounds hold the date."""
    dtc = text(_shorten(str(day), precision))
    assert check_iso8601(dtc)[0]
    first, last = compute_bounds(dtc)
    if "%Y" in precision:
        assert str(first[0])[:10] <= str(day) <= str(last[0])[:10]


def _shorten(iso: str, precision: str) -> str:
    year, month, day = iso.split("-")
    return precision.replace("%Y", year).replace("%m", month).replace("%d", day)


@pytest.mark.parametrize(
    ("domain", "raw_column", "variable", "rows"),
    [("AE", "AESTDAT", "AESTDTC", 1191), ("AE", "AEENDAT", "AEENDTC", 1191), ("CM", "CMSTDAT", "CMSTDTC", 7510)],
)
def test_dates_of_the_published_pilot(shared: Shared, domain: str, raw_column: str, variable: str, rows: int) -> None:
    """The collected dates of the CDISC pilot become the published ones, subject by subject."""
    raw = pd.read_csv(shared(f"oracles/lzzt/raw/{domain}.csv"), dtype="str", keep_default_na=False)
    raw = raw[raw["AEYN"] == "Y"] if domain == "AE" else raw
    published, _ = pyreadstat.read_xport(shared(f"oracles/lzzt/sdtm_oracle_xpt/{domain.lower()}.xpt"))
    converted = compute_iso8601(raw[raw_column], format=parse_date_format("dd-MMM-yyyy | MMM-yyyy | yyyy"))
    subjects = published["USUBJID"].str[-4:]
    assert len(raw) == rows
    assert not converted.refused.any()
    assert Counter(zip(raw["SUBJID"], converted.values, strict=True)) == Counter(
        zip(subjects, published[variable].fillna(""), strict=True)
    )


def test_ages_agree_with_an_independent_table(shared: Shared) -> None:
    """Whole calendar years as another implementation computed them."""
    with shared("oracles/onco/unit/duration.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if (row["unit"], row["add_one"], row["trunc_out"], row["type"]) == ("years", "FALSE", "TRUE", "interval")
            and row["start"] <= row["end"]
        ]
    ages = compute_age(text(*[row["start"] for row in rows]), reference_dtc=text(*[row["end"] for row in rows]))
    differing = [(row, age) for row, age in zip(rows, ages, strict=True) if float(row["value"]) != age]
    assert len(rows) > 20
    assert differing == []
