"""Propose what all tables of a study share: its name, its date formats, its subjects; and a block for each table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from sdtm.dateformat import parse_date_format
from sdtm.dates import compute_iso8601
from specs.model import Specs
from trialmill.cdash_facts import find_role
from trialmill.date_shapes import DateShape
from trialmill.profile import ColumnProfile
from trialmill.proposal_rules import Proposal, Shared, spell_name
from trialmill.propose import Block, propose_block, propose_domain
from trialmill.raw import TableSource
from trialmill.yaml_text import spell_text

NO_CUTOFF = "2000-01-01"
Columns = Mapping[str, tuple[ColumnProfile, ...]]


@dataclass(frozen=True)
class Subjects:
    """The table that lists every subject once, its column with their numbers, and the numbers."""

    table: str
    column: str
    numbers: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """
    What is proposed for a study.

    ``formats``: per pattern of a whole date its name and how the study's dates of this hand are written. ``cutoff``:
    the latest date in the files, in place of the data cut-off that only a person knows. ``visits``: the visit codes.
    """

    name: str
    cutoff: str
    formats: Mapping[str, tuple[str, DateShape]]
    subjects: Subjects | None
    visits: tuple[str, ...]
    blocks: tuple[Block, ...]


def propose_study(sources: Sequence[TableSource], *, columns: Columns, specs: Specs, fallback: str) -> Plan:
    """
    Propose a study from its raw tables, profiled.

    *columns*: by table name, in the order of *sources*; *fallback*: the study's name where no column says it.
    """
    files = {source.name: source.file for source in sources}
    domains = {
        name: propose_domain(file=files[name], columns=profiled, specs=specs) for name, profiled in columns.items()
    }
    name = _study_name(columns) or fallback
    formats = find_formats(columns)
    subjects = find_subjects(columns, domains={table: domain for table, (domain, _) in domains.items()})
    subject = {table: item for table in columns if (item := _subject(columns[table], subjects, study=name))}
    shared = Shared(specs, {pattern: named for pattern, (named, _) in formats.items()}, subject)
    blocks = tuple(
        propose_block(columns[table], domain=domain, basis=basis, shared=shared) if domain else Block(table, "", "")
        for table, (domain, basis) in domains.items()
    )
    return Plan(name, _latest_date(columns) or NO_CUTOFF, formats, subjects, _visits(columns), blocks)


def _study_name(columns: Columns) -> str:
    for profiled in columns.values():
        for item in profiled:
            if find_role(item.column)[0] == "study" and item.distinct == 1:
                return item.values[0]
    return ""


def find_formats(columns: Columns) -> dict[str, tuple[str, DateShape]]:
    """Put the dates of all columns that are written alike under one format; its name is its pattern in letters."""
    shapes: dict[str, list[DateShape]] = {}
    for profiled in columns.values():
        for item in profiled:
            if item.shape is not None and item.shape.pattern and not find_role(item.column)[0]:
                shapes.setdefault(item.shape.pattern, []).append(item.shape)
    found: dict[str, tuple[str, DateShape]] = {}
    for pattern, alike in shapes.items():
        partial = sorted({one for shape in alike for one in shape.partial}, key=lambda one: (-len(one), one))
        unknown = sorted({word for shape in alike for word in shape.unknown})
        base = re.sub(r"[^a-z]+", "_", pattern.casefold()).strip("_")
        taken = {name for name, _ in found.values()}
        numbered = (base, *(f"{base}_{number}" for number in range(2, len(taken) + 2)))
        name = next(name for name in numbered if name not in taken)
        found[pattern] = (name, DateShape(pattern, tuple(partial), tuple(unknown)))
    return found


def find_subjects(columns: Columns, *, domains: Mapping[str, str]) -> Subjects | None:
    """Find the table that lists every subject once: that of DM, or else the one with most subjects."""
    found = []
    for table, profiled in columns.items():
        item = _subject_column(profiled)
        if item is not None and item.distinct == item.rows > 0:
            found.append(
                (domains[table] == "DM", item.distinct, Subjects(table, item.column, frozenset(item.values)))
            )
    return max(found, key=lambda one: one[:2], default=(False, 0, None))[2]


def _subject_column(profiled: Sequence[ColumnProfile]) -> ColumnProfile | None:
    found = [item for item in profiled if find_role(item.column)[0] == "subject"]
    return next((item for item in found if item.column.upper() != "USUBJID"), found[0] if found else None)


def _subject(profiled: Sequence[ColumnProfile], subjects: Subjects | None, *, study: str) -> Proposal | None:
    item = _subject_column(profiled)
    if item is None:
        return None
    if subjects is None:
        quoted = study.replace("'", "''")
        formula = spell_text(f"concat('{quoted}-', {spell_name(item.column)})")
        return Proposal("USUBJID", f"{{expr: {formula}}}", (item.column,), sure=True, basis="column of the subject")
    known = sum(value in subjects.numbers for value in item.values)
    sure = 2 * known > item.distinct
    why = "" if sure else f"; {item.distinct - known} of {item.distinct} numbers are not in {subjects.table}"
    rule = f"{{subject: {spell_text(spell_name(item.column))}}}"
    return Proposal("USUBJID", rule, (item.column,), sure, f"column of the subject{why}")


def _latest_date(columns: Columns) -> str:
    """Return the latest whole date in columns that are read throughout, the EDC's own columns left out."""
    latest = ""
    for profiled in columns.values():
        for item in profiled:
            shape = item.shape
            if shape is not None and shape.pattern and shape.fits and not find_role(item.column)[0]:
                format = parse_date_format(shape.spelled, unknown=shape.unknown)
                dates = compute_iso8601(pd.Series(item.values, dtype="str"), format=format).values.str.slice(0, 10)
                latest = max(latest, max(dates[dates.str.len() == 10], default=""))
    return latest


def _visits(columns: Columns) -> tuple[str, ...]:
    """Return the visit codes of all tables, those of the table with most of them first."""
    found = [
        item.values for profiled in columns.values() for item in profiled if find_role(item.column)[0] == "visit"
    ]
    return tuple(dict.fromkeys(code for values in sorted(found, key=len, reverse=True) for code in values))
