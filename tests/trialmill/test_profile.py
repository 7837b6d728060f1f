"""The profile of a raw table: how full every column is and what its values look like."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sdtm.rawtable import RawTable
from trialmill.date_shapes import find_date_shape
from trialmill.profile import profile_table
from trialmill.raw import TableSource, read_table


def raw_table(text: str, **labels: str) -> RawTable:
    """Make a raw table from CSV text."""
    data = pd.read_csv(io.StringIO(text.strip()), dtype="str", keep_default_na=False)
    origin = pd.DataFrame({"file": "X.csv", "row": range(2, len(data) + 2), "record": ""}, index=data.index)
    return RawTable("x", data, origin, {}, labels)


def profiled(text: str, columns: str, **labels: str) -> list[list[object]]:
    """Profile a table and take some columns of its profile."""
    return profile_table(raw_table(text, **labels))[columns.split()].to_numpy(dtype=object).tolist()


def test_fill_distinct_values_and_examples() -> None:
    """Blanks around a value do not count, an empty cell is not filled; the most frequent values come first."""
    table = "SUBJ,TERM\n1, rash\n2,cold\n3,\n4,rash\n"
    assert profiled(table, "column rows filled fill distinct longest examples") == [
        ["SUBJ", 4, 4, 1.0, 4, 1, "1 | 2 | 3 | 4"],
        ["TERM", 4, 3, 0.75, 2, 4, "rash | cold"],
    ]


def test_what_the_values_look_like() -> None:
    """A column is empty, of codes, numbers, dates, times or text."""
    table = """
NONE,SEX,GRADE,WEIGHT,DAT,TIM,AT,TERM
,F,1,60.5,02 JAN 2019,08:30,2019/01/02 08:30,Headache
,M,2,71,UN JAN 2019,09:05,2019/01/03 09:15,Low platelets
,F,1,82.25,UN UNK 2018,23:59,2019/01/04 10:00,Rash
,F,2,59.9,31 DEC 2018,00:00,2019/01/05 11:30,Fever
"""
    assert profiled(table, "column kind format unknown") == [
        ["NONE", "empty", "", ""],
        ["SEX", "code", "", ""],
        ["GRADE", "code", "", ""],
        ["WEIGHT", "number", "", ""],
        ["DAT", "date", "dd MMM yyyy", "UN UNK"],
        ["TIM", "time", "", ""],
        ["AT", "date and time", "yyyy/MM/dd hh:mm", ""],
        ["TERM", "text", "", ""],
    ]


def test_labels_stand_beside_their_columns() -> None:
    """Where the format has labels they are in the profile."""
    assert profiled("A,B\n1,2\n", "column label", A="Age at consent") == [["A", "Age at consent"], ["B", ""]]


@pytest.mark.parametrize(
    ("values", "pattern", "fits"),
    [
        ("2019-01-02|2019-12-31", "yyyy-MM-dd", True),
        ("2019-01-02|2019-02|2018", "yyyy-MM-dd | yyyy-MM | yyyy", True),
        ("02-JAN-2019|JAN-2019|2018", "dd-MMM-yyyy | MMM-yyyy | yyyy", True),
        ("2-Jan-2019|13-September-2018", "dd-MMM-yyyy", True),
        ("02JAN2019|31DEC2018", "ddMMMyyyy", True),
        ("20190102|20181231", "yyyyMMdd", True),
        ("12/31/2018|01/02/2019", "MM/dd/yyyy", True),
        ("31/12/2018|01/02/2019", "dd/MM/yyyy", True),
        ("01/02/2019|03/04/2019", "MM/dd/yyyy or dd/MM/yyyy", True),
        ("2019-01-02T08:30:00|2019-01-03T09:00:00", "yyyy-MM-ddThh:mm:ss", True),
        ("2019-01-02 08:30|2019-01-03", "yyyy-MM-dd hh:mm | yyyy-MM-dd", True),
        ("31 FEB 2019|02 MAR 2019", "dd MMM yyyy", True),
        ("UN UNK UNK|02 MAR 2019", "dd MMM yyyy", True),
    ],
)
def test_how_dates_are_written(values: str, pattern: str, fits: bool) -> None:
    """The pattern of the mapping language that reads all values; month or day first only where the values tell."""
    shape = find_date_shape(values.split("|"))
    assert shape is not None
    assert (shape.spelled, shape.fits) == (pattern, fits)


def test_a_column_of_dates_with_one_that_is_none() -> None:
    """Nine in ten values make a column of dates; the tenth keeps it from being read throughout."""
    shape = find_date_shape([*(f"{day:02d} JAN 2019" for day in range(1, 20)), "unknown"])
    assert shape is not None
    assert (shape.spelled, shape.fits) == ("dd MMM yyyy", False)


@pytest.mark.parametrize(
    "values", ["1957|1962|1977", "01-001|01-002", "13/14/2019|14/13/2019", "99999999", "120/80", "May"]
)
def test_what_is_no_date(values: str) -> None:
    """Years alone, subject numbers, a month that cannot be, a number of eight digits, a blood pressure, a word."""
    assert find_date_shape(values.split("|")) is None


def test_a_transport_file_brings_its_labels(shared: Callable[[str], Path]) -> None:
    """VS.xpt of a real study: labels, and SAS dates and times as such."""
    file = shared("studies/leader/transfers/2020-01-06/VS.xpt")
    table, _ = read_table(TableSource("vs", file.name), folder=file.parent)
    found = profile_table(table).set_index("column")[["label", "kind", "format"]]
    assert found.loc["VSDT"].tolist() == ["Date of examination", "date", "yyyy-MM-dd"]
    assert found.loc["VSTM"].tolist() == ["Time of examination", "time", ""]
