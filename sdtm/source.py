"""
From raw tables to the rows of one block: helpers, joins, wide to long and long to wide, conditions.

Every step is on whole columns. Rows that a condition or a key leaves out are counted, join faults are findings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from sdtm.conventions import Conventions
from sdtm.expressions import Expression, evaluate
from sdtm.mapping import Block, Join, LongItem, Unique, Wide
from sdtm.rawtable import RawTable
from sdtm.results import Result, join_text, make_findings
from sdtm.rows import STUDY_NAMES, Rows, strip_blanks
from specs.findings import Finding
from specs.model import Specs
from specs.rules import RULES

BASE = "_base"


@dataclass(frozen=True)
class Account:
    """What became of the rows of one block: how many there were (after its stacks and joins), how many were kept."""

    table: str
    rows: int
    kept: int
    where: str


@dataclass(frozen=True)
class Selected:
    """The rows of a block: their columns, where each came from in the source table, and the account of them."""

    data: pd.DataFrame
    origin: pd.DataFrame
    account: Account
    findings: list[Finding] = field(default_factory=list)


def select_rows(
    block: Block,
    *,
    tables: Mapping[str, RawTable],
    conventions: Conventions,
    specs: Specs,
    dataset: str,
    subjects: pd.Series | None = None,
) -> Selected:
    """
    Make the rows of *block*: one per record to come, with all columns its rules may name.

    In this order: long to wide, wide to long, helpers and joins (a helper as soon as what it reads is there),
    condition, unique.
    """
    source = tables[block.source]
    findings: list[Finding] = []
    data = source.data.assign(**{BASE: np.arange(len(source.data))})
    if block.wide is not None:
        data = pivot_wide(data, block.wide, origin=source.origin, findings=findings, dataset=dataset)
    stacked = [name for item in block.long for name in item.columns.values()]
    needed = {*block.reads, *stacked}
    data = data[[name for name in data.columns if name == BASE or name in needed]]
    data = stack_long(data, block.long, keep=block.reads)
    refused: list[pd.DataFrame] = []
    helpers = partial(
        _add_helpers, block=block, conventions=conventions, specs=specs, subjects=subjects, refused=refused
    )
    data = helpers(data)
    for join in block.joins:
        data = helpers(
            join_table(
                data,
                join,
                table=tables[join.table],
                origin=source.origin,
                findings=findings,
                dataset=dataset,
                wanted=block.reads,
            )
        )
    before = len(data)
    data = _keep(data, block.where, conventions, specs)
    if block.unique is not None:
        data = keep_unique(data, block.unique, origin=source.origin, findings=findings, dataset=dataset)
    _report_helpers(refused, data, origin=source.origin, findings=findings, dataset=dataset)
    origin = source.origin.take(data[BASE].to_numpy()).reset_index(drop=True)
    origin = origin.assign(table=pd.Series(block.source, index=origin.index, dtype="str"))
    kept = data.drop(columns=BASE).reset_index(drop=True)
    account = Account(block.source, before, len(kept), block.where.text if block.where else "")
    return Selected(kept, origin, account, findings)


def _keep(data: pd.DataFrame, where: Expression | None, conventions: Conventions, specs: Specs) -> pd.DataFrame:
    if where is None:
        return data
    rows = Rows(data, conventions, specs)
    return data[rows.evaluate(where).values.astype("bool")]


def _add_helpers(
    data: pd.DataFrame, *, block: Block, conventions: Conventions, specs: Specs, subjects: pd.Series | None,
    refused: list[pd.DataFrame],
) -> pd.DataFrame:  # fmt: skip
    """Add the helpers whose columns are there by now, in the order in which they stand; note what they refuse."""
    for name, rule in block.helpers.items():
        if name not in data and rule.reads <= {*data.columns, *STUDY_NAMES}:
            rows = Rows(data, conventions, specs, subjects=subjects)
            result: Result = rule.operation.function(rows, **rule.arguments)
            for item in result.refusals:
                places = data.loc[item.text.index, BASE]
                noted = pd.DataFrame({BASE: places, "text": item.text, "reason": item.reason})
                refused.append(noted.assign(name=name, rule=item.rule))
            data = data.assign(**{name: result.values})
    return data


def _report_helpers(
    refused: list[pd.DataFrame], data: pd.DataFrame, *, origin: pd.DataFrame, findings: list[Finding], dataset: str
) -> None:
    """Report what helpers refused in rows that became records; a row left out has nothing to lose."""
    for noted in refused:
        kept = noted[noted[BASE].isin(data[BASE])].drop_duplicates()
        name, rule = noted["name"].iloc[0], noted["rule"].iloc[0]
        messages = [
            f"{text!r}: {reason} (helper {name})" for text, reason in zip(kept["text"], kept["reason"], strict=True)
        ]
        at = origin.iloc[kept[BASE].to_numpy()]
        findings += make_findings(rule, origin=at, values=kept["text"], messages=messages, dataset=dataset)


def join_table(
    data: pd.DataFrame, join: Join, *, table: RawTable, origin: pd.DataFrame, findings: list[Finding], dataset: str,
    wanted: Collection[str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """
    Join a raw table: its columns (those *wanted*) come as ``alias.column``, empty where nothing matches.

    Growth of rows is allowed only by one-to-many. With the other cardinalities a second match is a finding and the
    first match counts; with one-to-one also a row of the other table that matches twice. ``required`` makes a row
    without a match a finding.
    """
    right = _prepared(join, table)
    left = pd.DataFrame({f"_k{n}": strip_blanks(data[name]) for n, name in enumerate(join.on)}, index=data.index)
    left["_left"] = np.arange(len(data))
    pairs = left.merge(right, on=[f"_k{n}" for n in range(len(join.on))], how="inner", sort=False)
    pairs = _within(pairs, join, data, table)
    pairs = pairs.sort_values(["_left", "_right"], kind="stable")
    if join.cardinality != "one-to-many":
        twice = pairs["_left"].duplicated()
        _report(pairs.loc[twice, "_left"], data, origin, findings, rule="MAP-JOIN-MANY", join=join, dataset=dataset)
        pairs = pairs[~twice]
    if join.cardinality == "one-to-one":
        shared = pairs["_right"].duplicated()
        _report(
            pairs.loc[shared, "_left"], data, origin, findings, rule="MAP-JOIN-SHARED", join=join, dataset=dataset
        )
    if join.required:
        missing = np.setdiff1d(np.arange(len(data)), pairs["_left"].to_numpy())
        _report(missing, data, origin, findings, rule="MAP-JOIN-NONE", join=join, dataset=dataset)
    return _joined(data, pairs, join, table, wanted=wanted)


def _prepared(join: Join, table: RawTable) -> pd.DataFrame:
    keys = {f"_k{n}": strip_blanks(table.data[name]) for n, name in enumerate(join.on.values())}
    right = pd.DataFrame(keys, index=table.data.index)
    right["_right"] = np.arange(len(table.data))
    if join.where is not None:
        kept = evaluate(join.where, lambda name: strip_blanks(table.data[name]), index=table.data.index).values
        right = right[kept]
    blank = pd.Series(False, index=right.index)
    for key in keys:
        blank |= right[key] == ""
    return right[~blank]


def _within(pairs: pd.DataFrame, join: Join, data: pd.DataFrame, table: RawTable) -> pd.DataFrame:
    """Keep the pairs whose value lies between the table's bounds (an empty one is open), or that meet a wildcard."""
    for name, (low, high) in join.between.items():
        value = _orderable(strip_blanks(data[name]).iloc[pairs["_left"]])
        lower = _orderable(strip_blanks(table.data[low]).iloc[pairs["_right"]])
        upper = _orderable(strip_blanks(table.data[high]).iloc[pairs["_right"]])
        inside = (value.to_numpy() >= lower.to_numpy()) | lower.isna().to_numpy()
        inside &= (value.to_numpy() <= upper.to_numpy()) | upper.isna().to_numpy()
        pairs = pairs[inside & value.notna().to_numpy()]
    for name, (other, anything) in join.wildcard.items():
        here = strip_blanks(data[name]).iloc[pairs["_left"]].str.casefold().to_numpy()
        there = strip_blanks(table.data[other]).iloc[pairs["_right"]].str.casefold().to_numpy()
        pairs = pairs[(here == there) | (there == anything.casefold())]
    return pairs


def _orderable(values: pd.Series) -> pd.Series:
    """Numbers where all filled values are numbers, else dates cut to the day."""
    if values.dtype != "str":
        return values.astype("float64")
    filled = values[values != ""]
    numbers = pd.to_numeric(filled, errors="coerce")
    if numbers.notna().all():
        return pd.to_numeric(values, errors="coerce")
    days = pd.to_datetime(values.str.slice(0, 10).str.replace("/", "-"), errors="coerce", format="%Y-%m-%d")
    return (days - pd.Timestamp("1900-01-01")).dt.days.astype("float64")


def _joined(
    data: pd.DataFrame, pairs: pd.DataFrame, join: Join, table: RawTable, *, wanted: Collection[str] | None
) -> pd.DataFrame:
    all_left = pd.DataFrame({"_left": np.arange(len(data))})
    matched = all_left.merge(pairs[["_left", "_right"]], on="_left", how="left")
    left = data.iloc[matched["_left"].to_numpy()].reset_index(drop=True)
    position = matched["_right"].fillna(-1).astype("int64").to_numpy()
    names = [name for name in table.columns if wanted is None or f"{join.alias}.{name}" in wanted]
    right = table.data[names].reset_index(drop=True).reindex(position).reset_index(drop=True)
    return left.join(right.fillna("").astype("str").add_prefix(f"{join.alias}."))


def _report(
    where: Iterable[int], data: pd.DataFrame, origin: pd.DataFrame, findings: list[Finding], *, rule: str, join: Join,
    dataset: str,
) -> None:  # fmt: skip
    rows = np.unique(np.array(list(where), dtype="int64"))
    if not len(rows):
        return
    keys = join_text(data.iloc[rows][list(join.on)])
    names = " / ".join(join.on)
    messages = [f"{names} {key!r}: {RULES[rule].title} ({join.table})" for key in keys]
    at = origin.iloc[data[BASE].to_numpy()[rows]]
    findings += make_findings(rule, origin=at, values=keys, messages=messages, dataset=dataset)


def stack_long(data: pd.DataFrame, items: tuple[LongItem, ...], *, keep: Collection[str]) -> pd.DataFrame:
    """
    Make one row per row and item of *long*, in the items' order; new columns are empty where unnamed.

    Of the other columns only those in *keep* go along: the stacked ones would only be carried as copies.
    """
    if not items:
        return data
    names = list(dict.fromkeys(name for item in items for name in (*item.columns, *item.values)))
    carried = data[[name for name in data.columns if name == BASE or name in keep]]
    parts = []
    for item in items:
        part = carried.copy(deep=False)
        for name in names:
            part[name] = data[item.columns[name]] if name in item.columns else item.values.get(name, "")
            part[name] = part[name].astype("str")
        parts.append(part)
    stacked = pd.concat(parts)
    order = np.argsort(np.tile(np.arange(len(data)), len(items)), kind="stable")
    return stacked.iloc[order].reset_index(drop=True)


def pivot_wide(
    data: pd.DataFrame, wide: Wide, *, origin: pd.DataFrame, findings: list[Finding], dataset: str
) -> pd.DataFrame:
    """
    Make one row per ``by`` with a column for each listed name; the row's origin is that of its first raw row.

    A second value for the same column of the same row is a finding (the first counts), as is a name not listed.
    """
    by = list(wide.by)
    names = strip_blanks(data[wide.name])
    listed = names.map(dict(wide.columns))
    _report_cells(data[listed.isna() & (names != "")], names, origin, findings, rule="MAP-WIDE-NAME", dataset=dataset)
    cells = data.loc[listed.notna(), [*by, wide.value, BASE]].assign(_name=listed[listed.notna()])
    twice = cells.duplicated([*by, "_name"])
    _report_cells(data.loc[cells.index[twice]], names, origin, findings, rule="MAP-WIDE-TWICE", dataset=dataset)
    cells = cells[~twice]
    table = cells.pivot(index=by, columns="_name", values=wide.value)
    table = table.reindex(columns=list(wide.columns.values())).fillna("").astype("str")
    first = cells.groupby(by, sort=False)[BASE].min()
    return table.join(first).reset_index().sort_values(BASE, ignore_index=True).rename_axis(columns=None)


def keep_unique(
    data: pd.DataFrame, unique: Unique, *, origin: pd.DataFrame, findings: list[Finding], dataset: str
) -> pd.DataFrame:
    """
    Count rows with the same key once: the last (or first) in the order of a column.

    The others are findings, unless the form is meant to repeat (``expected``).
    """
    ordered = data.sort_values(unique.order, kind="stable") if unique.order else data
    keys = pd.DataFrame({name: strip_blanks(ordered[name]) for name in unique.by})
    left_out = keys.duplicated(keep="first" if unique.keep == "first" else "last")
    dropped = ordered[left_out].sort_index()
    if not unique.expected:
        _report_cells(dropped, join_text(keys), origin, findings, rule="MAP-DUPLICATE", dataset=dataset)
    return ordered[~left_out].sort_index()


def _report_cells(
    rows: pd.DataFrame, text: pd.Series, origin: pd.DataFrame, findings: list[Finding], *, rule: str, dataset: str
) -> None:
    values = text.loc[rows.index]
    messages = [f"{value!r}: {RULES[rule].title}" for value in values]
    at = origin.iloc[rows[BASE].to_numpy()]
    findings += make_findings(rule, origin=at, values=values, messages=messages, dataset=dataset)
