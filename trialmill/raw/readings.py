"""Compare two readings of the same REDCap snapshot, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding
from specs.rules import RULES


def compare_readings(data: Mapping[str, RawTable], odm: Mapping[str, RawTable]) -> list[Finding]:
    """
    Return a finding for each place where the flat export (*data*) and ODM-XML (*odm*) disagree.

    RAW-READINGS-ROW: a row that only one of them has; RAW-READINGS-DIFFER: a value that is not the same. Columns that
    only one has are told against the dictionary (``lay_out_columns``).
    """
    return [finding for name, table in data.items() for finding in _compare(name, table, odm[name])]


def _compare(name: str, data: RawTable, odm: RawTable) -> list[Finding]:
    ours, theirs = _number_rows(data), _number_rows(odm)
    alone = [_row_alone(data, place, odm.facts["file"]) for place in _missing(ours, theirs)]
    alone += [_row_alone(odm, place, data.facts["file"]) for place in _missing(theirs, ours)]
    both = ours.intersection(theirs, sort=False)
    left, right = ours.get_indexer(both), theirs.get_indexer(both)
    columns = [column for column in data.columns if column in odm.data]
    ours_text, theirs_text = data.data[columns].to_numpy(), odm.data[columns].to_numpy()
    rows, places = np.nonzero(ours_text[left] != theirs_text[right])
    differences = [
        _difference(name, columns[place], (data, int(left[row])), (odm, int(right[row])))
        for row, place in zip(rows, places, strict=True)
    ]
    return alone + differences


def _number_rows(table: RawTable) -> pd.MultiIndex:
    """Name the rows by their key; a key that stands several times is counted."""
    record = table.origin["record"]
    return pd.MultiIndex.from_arrays([record, record.groupby(record).cumcount()])


def _missing(ours: pd.MultiIndex, theirs: pd.MultiIndex) -> list[int]:
    return [int(place) for place in np.flatnonzero(~ours.isin(theirs))]


def _row_alone(table: RawTable, place: int, other: str) -> Finding:
    origin = table.origin.iloc[place]
    message = f"{origin['record']} is in this file and not in {other}"
    return RULES["RAW-READINGS-ROW"].finding(
        message, file=str(origin["file"]), row=int(origin["row"]), record=str(origin["record"])
    )


def _difference(name: str, column: str, data: tuple[RawTable, int], odm: tuple[RawTable, int]) -> Finding:
    (ours, left), (theirs, right) = data, odm
    values = str(ours.data[column].iloc[left]), str(theirs.data[column].iloc[right])
    here, there = ours.origin.iloc[left], theirs.origin.iloc[right]
    message = (
        f"{name}.{column} of {here['record']} is {values[0]!r} here "
        f"and {values[1]!r} in {there['file']}, form at line {there['row']}"
    )
    return RULES["RAW-READINGS-DIFFER"].finding(
        message, variables=(column,), values=values, file=str(here["file"]), row=int(here["row"]),
        record=str(here["record"]),
    )  # fmt: skip
