"""What a run wrote and what went into it, read by other readers than ours."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pyreadstat

Row = dict[str, str]


def read_csv(path: Path, *, encoding: str = "utf-8-sig") -> list[Row]:
    """Read a CSV file with the standard library."""
    with path.open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream))


def read_findings(out: Path) -> list[Row]:
    """Read the findings of a run's report, accepted ones and notes included."""
    return read_csv(out / "report" / "findings.csv")


@cache
def read_dataset(path: Path) -> pd.DataFrame:
    """Read a transport file once; missing text is the empty text."""
    data, _ = pyreadstat.read_xport(path)
    return data


def read_forms(path: Path) -> Callable[[str], list[Row]]:
    """Return a function that gives the rows of one form in an EDC's flat export: those where the form is used."""
    exported = read_csv(path)

    def read(name: str) -> list[Row]:
        return [row for row in exported if row[f"{name}_complete"] != ""]

    return read


def rows(data: pd.DataFrame, columns: str) -> list[list[str]]:
    """Spell rows as text, numbers shortest."""
    return [
        ["" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value) for value in row]
        for row in data[columns.split()].to_numpy(dtype=object).tolist()
    ]
