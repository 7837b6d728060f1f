"""Profile raw tables before anybody maps them: how full every column is, and what its values look like."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from sdtm.rawtable import RawTable
from sdtm.rows import strip_blanks
from trialmill.date_shapes import DateShape, are_times, find_date_shape

EMPTY, CODE, NUMBER, DATE, DATETIME, TIME, TEXT = "empty", "code", "number", "date", "date and time", "time", "text"
PROFILE_COLUMNS = (
    "table", "column", "label", "rows", "filled", "fill", "distinct", "longest", "kind", "format", "unknown",
    "examples",
)  # fmt: skip
MOST_CODES, MOST_EXAMPLES, EXAMPLE_LENGTH = 20, 5, 40
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WHOLE = re.compile(r"\d{1,2}")


@dataclass(frozen=True)
class ColumnProfile:
    """
    What is in one raw column: cells without the blanks around them, an empty cell is not filled.

    ``fill`` is the share of filled cells, ``longest`` the most bytes of a value, ``kind`` what the values look like;
    ``values`` are the distinct ones, the most frequent first.
    """

    table: str
    column: str
    label: str
    rows: int
    filled: int
    fill: float
    distinct: int
    longest: int
    kind: str
    shape: DateShape | None = None
    values: tuple[str, ...] = field(default=(), repr=False)

    @property
    def examples(self) -> str:
        """The most frequent values, for people."""
        shown = [value if len(value) <= EXAMPLE_LENGTH else f"{value[:EXAMPLE_LENGTH]}..." for value in self.values]
        return " | ".join(" ".join(value.split()) for value in shown[:MOST_EXAMPLES])


def profile_table(raw: RawTable) -> pd.DataFrame:
    """
    Profile a raw table: one row per column, in the order received.

    Out: table, column, label; rows, filled, distinct, longest (int64); fill (share of filled cells, 0 to 1); kind
    (empty, code, number, date, date and time, time, text), format (of dates, in the mapping language), unknown (the
    words for an unknown part of a date) and examples.
    """
    return frame_profiles(profile_columns(raw))


def frame_profiles(columns: Iterable[ColumnProfile]) -> pd.DataFrame:
    """Put profiles into the frame that ``profile_table`` describes."""
    return pd.DataFrame([_spell(column) for column in columns], columns=list(PROFILE_COLUMNS))


def _spell(column: ColumnProfile) -> dict[str, object]:
    shape = column.shape
    found = {name: value for name, value in asdict(column).items() if name in PROFILE_COLUMNS}
    return {
        **found,
        "format": shape.spelled if shape else "",
        "unknown": " ".join(shape.unknown) if shape else "",
        "examples": column.examples,
    }


def profile_columns(raw: RawTable) -> tuple[ColumnProfile, ...]:
    """Profile every column of a raw table, in the order received."""
    return tuple(_profile_column(raw, name) for name in raw.columns)


def _profile_column(raw: RawTable, name: str) -> ColumnProfile:
    cells = strip_blanks(raw.data[name])
    filled = cells[cells != ""]
    codes, unique = pd.factorize(filled)
    order = np.argsort(-np.bincount(codes, minlength=len(unique)), kind="stable")
    values = tuple(str(unique[place]) for place in order)
    kind, shape = _look_at(values, filled=len(filled))
    return ColumnProfile(
        table=raw.name,
        column=name,
        label=raw.labels.get(name, ""),
        rows=len(cells),
        filled=len(filled),
        fill=round(len(filled) / len(cells), 3) if len(cells) else 0.0,
        distinct=len(values),
        longest=max((len(value.encode()) for value in values), default=0),
        kind=kind,
        shape=shape,
        values=values,
    )


def _look_at(values: tuple[str, ...], *, filled: int) -> tuple[str, DateShape | None]:
    """Say what distinct values look like, and of dates how they are written."""
    if not values:
        return EMPTY, None
    shape = find_date_shape(values)
    if shape is not None:
        return DATETIME if shape.has_time else DATE, shape
    if are_times(values):
        return TIME, None
    few = len(values) <= MOST_CODES and (len(values) == 1 or filled >= 2 * len(values))
    if all(_NUMBER.fullmatch(value) for value in values):
        return CODE if few and all(_WHOLE.fullmatch(value) for value in values) else NUMBER, None
    return CODE if few else TEXT, None
