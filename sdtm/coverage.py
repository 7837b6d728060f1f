"""Account for every raw column: mapped, listed as not submitted with a reason, or a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import pandas as pd

from sdtm.mapping import Block, StudyMapping
from sdtm.rawtable import RawTable
from specs.findings import Finding
from specs.rules import RULES


def used_columns(study: StudyMapping) -> frozenset[tuple[str, str]]:
    """Return the raw columns, as (table, column), that some rule of the study reads."""
    found: set[tuple[str, str]] = set()
    for mapping in study.domains.values():
        for block in mapping.blocks:
            found.update(_used_by(block))
    subjects = study.conventions.subjects
    if subjects is not None:
        names = (subjects.id, subjects.previous, *subjects.known_as)
        found.update((subjects.table, name) for name in names if name)
    for item in study.conventions.visits.occurrences:
        read = {item.date, item.instance, *item.subject.columns}
        read |= (item.code.columns if item.code else frozenset()) | (
            item.where.columns if item.where else frozenset()
        )
        found.update((item.table, name) for name in read if name)
    return frozenset(found)


def _used_by(block: Block) -> Iterator[tuple[str, str]]:
    names = [*block.reads, *(name for item in block.long for name in item.columns.values())]
    names += [*block.wide.by, block.wide.name, block.wide.value] if block.wide else []
    for join in block.joins:
        theirs = [name for pair in join.between.values() for name in pair] + [
            name for name, _ in join.wildcard.values()
        ]
        theirs += [*join.on.values(), *(join.where.columns if join.where else ())]
        yield from ((join.table, name) for name in theirs)
    yield from (resolve_column(block, name) for name in names)


def resolve_column(block: Block, name: str) -> tuple[str, str]:
    """Resolve a name of a block to its raw table and column: ``alias.column`` is the joined table's."""
    alias, _, rest = name.partition(".")
    tables = {join.alias: join.table for join in block.joins}
    return (tables[alias], rest) if rest and alias in tables else (block.source, name)


def describe_coverage(
    study: StudyMapping, *, tables: Mapping[str, RawTable], not_submitted: Mapping[str, Mapping[str, str]]
) -> list[dict[str, str]]:
    """Say of every raw column whether it is mapped, not submitted (and why) or neither, and how full it is."""
    used = used_columns(study)
    listed = {(block.source, name): why for mapping in study.domains.values() for block in mapping.blocks
              for name, why in block.not_submitted.items()}  # fmt: skip
    rows = []
    for name, table in tables.items():
        for column in table.columns:
            status, reason = _status(name, column, used, listed, not_submitted.get(name, {}))
            filled = int((table.data[column].str.strip() != "").sum())
            row = {"table": name, "column": column, "rows": str(len(table.data)), "filled": str(filled)}
            rows.append({**row, "status": status, "reason": reason})
    return rows


def _status(
    table: str, column: str, used: frozenset[tuple[str, str]], listed: Mapping[tuple[str, str], str],
    everywhere: Mapping[str, str],
) -> tuple[str, str]:  # fmt: skip
    if (table, column) in used:
        return "mapped", ""
    if (table, column) in listed:
        return "not submitted", listed[table, column]
    for pattern, reason in everywhere.items():
        if fnmatchcase(column, pattern):
            return "not submitted", reason
    return "unmapped", ""


def check_coverage(
    study: StudyMapping, *, tables: Mapping[str, RawTable], not_submitted: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    """
    Report each raw column that is neither mapped nor listed as not submitted.

    ``not_submitted``: by table, the columns (or patterns such as ``*_INT``) that study.yaml lists with a reason. A
    column with data is an error, an empty one a note; the finding tells how many cells are filled, and the first.
    """
    coverage = describe_coverage(study, tables=tables, not_submitted=not_submitted)
    return [_unmapped(tables[row["table"]], row["column"]) for row in coverage if row["status"] == "unmapped"]


def _unmapped(table: RawTable, column: str) -> Finding:
    filled = table.data[column].str.strip() != ""
    file = str(table.origin["file"].iloc[0]) if len(table.origin) else table.facts.get("file", table.name)
    first: pd.Series = table.origin["row"][filled]
    count = int(filled.sum())
    message = (
        f"column {column} is neither mapped nor listed as not submitted; {count} of {len(filled)} rows have a value"
    )
    return RULES["MAP-COLUMN" if count else "MAP-COLUMN-EMPTY"].finding(
        message=message,
        variables=(column,),
        values=(str(table.data[column][filled].iloc[0]),) if count else (),
        file=file,
        row=int(first.iloc[0]) if count else None,
    )
