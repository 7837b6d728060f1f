"""Turn the failed records of a check into findings: whole lists at once, never record by record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specs.findings import Finding
from specs.model import Dataset
from specs.rules import RULES

Rows = NDArray[np.intp]

# the value is at fault and not the record: one finding per value, with the first record's raw location
BY_VALUE = frozenset(
    {"SDTM-CT-EXTENDED", "SDTM-TESTCD", "SDTM-TEST-LENGTH", "SDTM-TEST-PAIR", "SDTM-QNAM", "SDTM-SUBJECT"}
)


@dataclass(frozen=True)
class Records:
    """A dataset's records as they are checked: the frame, where each came from, the cells reported already."""

    dataset: Dataset
    frame: pd.DataFrame
    origin: pd.DataFrame | None = None
    skip: frozenset[tuple[int, str]] = frozenset()

    def not_reported(self, rows: Rows, variables: Sequence[str]) -> Rows:
        """Leave out the rows of which one of the *variables* was reported already."""
        labels = [label for label, variable in self.skip if variable in variables]
        return rows[~self.frame.index[rows].isin(labels)] if labels else rows

    def texts(self, name: str, rows: Rows) -> list[str]:
        """Return a column's cells as text; a whole number has no decimal point, a missing one is empty."""
        cells = self.frame[name].iloc[rows]
        if not pd.api.types.is_numeric_dtype(cells.dtype):
            return [str(cell) for cell in cells.tolist()]
        return [number_text(cell) for cell in cells.tolist()]

    def keys(self, rows: Rows, names: Sequence[str]) -> list[tuple[tuple[str, str], ...]]:
        """Return each row's keys as (variable, value) pairs, those that the frame has."""
        present = [name for name in names if name in self.frame.columns]
        columns = [[(name, text) for text in self.texts(name, rows)] for name in present]
        return list(zip(*columns, strict=True)) if columns else [()] * len(rows)

    def places(self, rows: Rows) -> list[tuple[str, int | None, str]]:
        """Return each row's raw file, row and record id."""
        if self.origin is None:
            return [("", None, "")] * len(rows)
        found = self.origin.iloc[rows]
        files, numbers, records = (found[column].tolist() for column in ("file", "row", "record"))
        return [
            (str(file), None if pd.isna(number) else int(number), str(record))
            for file, number, record in zip(files, numbers, records, strict=True)
        ]


def number_text(number: float) -> str:
    """Write a number as a person does."""
    if pd.isna(number):
        return ""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def report(
    records: Records, rows: Rows, *, rule: str, variables: Sequence[str], tell: Callable[..., str]
) -> list[Finding]:
    """
    Make the findings of *rule* for the failed *rows*, by value or by record (``BY_VALUE``).

    *tell* makes the message from the row's values of *variables*, each a text.
    """
    if len(rows) == 0:
        return []
    present = tuple(name for name in variables if name in records.frame.columns)
    values = list(zip(*(records.texts(name, rows) for name in present), strict=True))
    messages = {value: tell(*value) for value in set(values)}
    key_names = records.dataset.record_keys
    if rule in BY_VALUE:
        counts = Counter(values)
        rows = rows[_first_places(values)]
        values = list(counts)
        messages = {value: f"{messages[value]}; {_counted(count)}" for value, count in counts.items()}
        key_names = tuple(name for name in present if name == "USUBJID")
    found, name = RULES[rule], records.dataset.name
    told = zip(values, records.keys(rows, key_names), records.places(rows), strict=True)
    return [
        Finding(found.id, found.severity, messages[value], name, present, value, key, *place, found.cure)
        for value, key, place in told
    ]


def _first_places(values: list[tuple[str, ...]]) -> list[int]:
    first: dict[tuple[str, ...], int] = {}
    for place, value in enumerate(values):
        first.setdefault(value, place)
    return list(first.values())


def _counted(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"
