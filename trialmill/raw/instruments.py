"""
A REDCap project's instruments: what the data dictionary says of them, and the raw table of each.

The flat export and ODM-XML are two readings of the same snapshot; what both need stands here, so that both give the
same tables: which columns an instrument has, in which rows it is in use, and in which order the rows stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding
from specs.rules import RULES

EVENT, REPEATED, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
KEYS = (EVENT, REPEATED, INSTANCE)
SYSTEM = "redcap_"  # such as redcap_data_access_group: of the record, and so of the first instrument
COMPLETE, TIMESTAMP, BOX = "_complete", "_timestamp", "___"
NOT_TICKED = "0"
UNTOUCHED = ("", "0")  # REDCap exports the status of an instrument that nobody opened as empty or as 0
NO_COLUMN = "descriptive"
YES_NO = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Field:
    """One field of the data dictionary; ``choices``: its codes and what they mean; ``validation``: of its text."""

    name: str
    instrument: str
    type: str
    label: str = ""
    validation: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dictionary:
    """A data dictionary: its fields by name and in order, the first of which is the record id; and its file."""

    fields: Mapping[str, Field]
    file: str = ""

    @property
    def record(self) -> str:
        """The field with the record id."""
        return next(iter(self.fields))

    @property
    def instruments(self) -> tuple[str, ...]:
        """The instruments in order."""
        return tuple(dict.fromkeys(item.instrument for item in self.fields.values()))


def parse_choices(text: str) -> dict[str, str]:
    """Parse ``1, Male | 2, Female`` to codes and labels; a choice without a comma is its own label."""
    found = {}
    for choice in text.split("|"):
        code, _, label = choice.strip().partition(",")
        if code.strip():
            found[code.strip()] = label.strip() or code.strip()
    return found


def list_columns(item: Field) -> tuple[str, ...]:
    """
    Return the columns in which a field is exported: none, itself, or ``field___code`` for each box of a check box.

    REDCap writes the code in lower case, ``-`` and ``.`` as ``_``, and leaves out what cannot be in a name.
    """
    if item.type == NO_COLUMN:
        return ()
    if item.type != "checkbox":
        return (item.name,)
    codes = (re.sub(r"[-.]", "_", code.lower()) for code in item.choices)
    return tuple(f"{item.name}{BOX}{re.sub(r'[^a-z_0-9]', '', code)}" for code in codes)


def is_box(column: str, dictionary: Dictionary) -> bool:
    """Say whether a column is a box of a check box field."""
    base, mark, _ = column.partition(BOX)
    return bool(mark) and base in dictionary.fields and dictionary.fields[base].type == "checkbox"


def lay_out_columns(
    present: Mapping[str, str], dictionary: Dictionary, *, file: str
) -> tuple[dict[str, tuple[str, ...]], list[Finding]]:
    """
    Return each instrument's columns: survey and system columns, its fields as in the dictionary, its status.

    ``present``: the columns that *file* has, and the instrument each stands with there ("" where that is not known).
    A column that the dictionary does not have stays with its neighbours; it is a RAW-DICTIONARY finding, as is a
    field that the file lacks.
    """
    known = {column: item.instrument for item in dictionary.fields.values() for column in list_columns(item)}
    known.pop(dictionary.record, None)
    homes: dict[str, list[str]] = {name: [] for name in dictionary.instruments}
    findings = []
    for column, neighbour in present.items():
        home = known.get(column) or _implied_home(column, dictionary)
        if not home:
            home = neighbour or dictionary.instruments[-1]
            findings.append(_not_in_dictionary(column, home, file))
        elif column not in known and is_box(column, dictionary):
            findings.append(_not_in_dictionary(column, home, file))
        homes[home].append(column)
    findings += [_not_in_file(column, home, file) for column, home in known.items() if column not in present]
    ranks = {column: rank for rank, column in enumerate(known)}
    return {name: _in_order(columns, name, ranks) for name, columns in homes.items()}, findings


def _implied_home(column: str, dictionary: Dictionary) -> str:
    """Return the instrument of a column that is no field: status, survey time, system column or unknown box."""
    for ending in (COMPLETE, TIMESTAMP):
        if column.endswith(ending) and column.removesuffix(ending) in dictionary.instruments:
            return column.removesuffix(ending)
    if column.startswith(SYSTEM):
        return dictionary.instruments[0]
    return dictionary.fields[column.partition(BOX)[0]].instrument if is_box(column, dictionary) else ""


def _in_order(columns: list[str], instrument: str, ranks: Mapping[str, int]) -> tuple[str, ...]:
    def place(column: str) -> tuple[int, int]:
        if column == instrument + COMPLETE:
            return 3, 0
        if column in ranks:
            return 1, ranks[column]
        return (0, 0) if column.startswith(SYSTEM) or column.endswith(TIMESTAMP) else (2, 0)

    return tuple(sorted(columns, key=place))


def _not_in_dictionary(column: str, home: str, file: str) -> Finding:
    message = f"{column} is not in the data dictionary; it is read with the instrument {home}"
    return RULES["RAW-DICTIONARY"].finding(message, variables=(column,), file=file)


def _not_in_file(column: str, home: str, file: str) -> Finding:
    message = f"{column} of the instrument {home} is in the data dictionary and not in this file"
    return RULES["RAW-DICTIONARY"].finding(message, variables=(column,), file=file)


def make_instrument(
    instrument: str, frame: pd.DataFrame, *, dictionary: Dictionary, lines: Lines, file: str, facts: Mapping[str, str]
) -> RawTable:
    """
    Make the raw table of an instrument from rows that may be anyone's.

    ``frame``: the record id, ``KEYS`` and the instrument's columns, all text; ``lines``: where its rows stand in
    *file*. Kept are the rows where the instrument is in use: something was entered, or its status is not that of an
    untouched form. They are ordered by record, event, instance, numbers as numbers. The record id of a row's origin
    is its whole key.
    """
    record = dictionary.record
    used = _is_in_use(frame.drop(columns=[record, *KEYS]), instrument, dictionary)
    order = _order_rows(frame.loc[used, [record, *KEYS]])
    kept = np.flatnonzero(used)[order]
    data = frame.iloc[kept].reset_index(drop=True)
    origin = pd.DataFrame(
        {
            "file": pd.Categorical([file]).take(np.zeros(len(data), np.int8)),
            "row": lines[kept],
            "record": _name_rows(data, record, instrument),
        }
    )
    known = {**facts, "instrument": instrument, "rows": str(len(data)), "columns": str(len(data.columns))}
    return RawTable(instrument, data, origin, known)


def _is_in_use(frame: pd.DataFrame, instrument: str, dictionary: Dictionary) -> npt.NDArray[np.bool_]:
    used = np.zeros(len(frame), dtype=bool)
    for column in frame.columns:
        if column == instrument + COMPLETE:
            used |= ~frame[column].isin(UNTOUCHED).to_numpy()
        elif is_box(column, dictionary):
            used |= ~frame[column].isin(("", NOT_TICKED)).to_numpy()
        elif not column.startswith(SYSTEM):
            used |= (frame[column] != "").to_numpy()
    return used


def _order_rows(keys: pd.DataFrame) -> npt.NDArray[np.int64]:
    record, *_ = keys.columns
    # A rule of the rows' content alone: the order of the events in the project is not in the flat export
    columns = [_rank(keys[name]) for name in (REPEATED, INSTANCE, EVENT, record)]
    return np.lexsort(columns)


def _rank(texts: pd.Series[str]) -> npt.NDArray[np.int64]:
    """Rank texts in their natural order: 2 before 10, A-2 before A-10."""
    codes, uniques = pd.factorize(texts)
    ranks = np.empty(len(uniques), dtype=np.int64)
    ranks[sorted(range(len(uniques)), key=lambda place: _natural(str(uniques[place])))] = np.arange(len(uniques))
    return ranks[codes]


def _natural(text: str) -> tuple[list[tuple[bool, int, str]], str]:
    parts = re.findall(r"\d+|\D+", text, flags=re.ASCII)
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts], text


def _name_rows(data: pd.DataFrame, record: str, instrument: str) -> pd.Series[str]:
    """Name every row by record, event, instrument and instance, as far as it has them."""
    event = (" " + data[EVENT]).where(data[EVENT] != "", "")
    instance = (" " + data[INSTANCE]).where(data[INSTANCE] != "", "")
    return data[record] + event + f" {instrument}" + instance


def find_twice(tables: Sequence[RawTable]) -> list[Finding]:
    """Report rows of an instrument whose record, event and instance were there before."""
    findings = []
    for table in tables:
        origin = table.origin[table.origin["record"].duplicated()]
        for file, row, record in zip(origin["file"], origin["row"], origin["record"], strict=True):
            message = f"{record} stands twice; both rows are read"
            findings.append(RULES["RAW-KEY-TWICE"].finding(message, file=file, row=int(row), record=record))
    return findings
