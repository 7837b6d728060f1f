"""Spell the rule that fills a variable from a raw column, and say whether the column's values suit it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from specs.ct import match_terms
from specs.model import Codelist, Specs, Variable
from trialmill.date_shapes import DateShape
from trialmill.profile import CODE, EMPTY, NUMBER, ColumnProfile
from trialmill.yaml_text import spell_column, spell_flow, spell_text

MOST_BYTES, MOST_UNKNOWN = 200, 20
# Of the columns of one item, which is tried first: a code to be recoded, or the text to be copied.
CODES_FIRST = ("code", "", "item", "entered", "interpreted")
TEXTS_FIRST = ("", "item", "entered", "code", "interpreted")
DATES_FIRST = ("entered", "", "item", "interpreted")


@dataclass(frozen=True)
class Proposal:
    """
    One variable proposed from raw columns.

    ``rule``: as a mapping spells it. ``basis``: what it rests on, in words; of one that is not sure also why not.
    """

    variable: str
    rule: str
    columns: tuple[str, ...]
    sure: bool
    basis: str


@dataclass(frozen=True)
class Shared:
    """
    What all tables of a study share.

    ``formats``: the name of the date format that reads a pattern. ``subject``: how a table's subjects become USUBJID,
    with whether its numbers are those of the subjects' table; None where a table has no column of subjects.
    """

    specs: Specs
    formats: Mapping[str, str]
    subject: Mapping[str, Proposal]


def pick(group: Mapping[str, ColumnProfile], order: Iterable[str]) -> ColumnProfile:
    """Return the first column of an item in an order of parts, or else any."""
    return next((group[part] for part in order if part in group), next(iter(group.values())))


def date_proposal(
    variable: Variable, group: Mapping[str, ColumnProfile], *, clock: ColumnProfile | None, basis: str, shared: Shared
) -> Proposal:
    """Propose the date of an item with its time of day, sure where a date format of the study reads every value."""
    dated = [group[part] for part in DATES_FIRST if part in group and group[part].shape is not None]
    readable = [
        item for item in dated if item.shape is not None and item.shape.fits and format_of(item.shape, shared)
    ]
    item = (readable or dated or [pick(group, DATES_FIRST)])[0]
    name = format_of(item.shape, shared) or "?"
    parts = {"date": spell_column(item.column), "format": name}
    if clock is not None and not (item.shape and item.shape.has_time):
        parts["time"] = spell_column(clock.column)
        if any(value.count(":") == 2 for value in clock.values):
            parts["time_format"] = spell_text("hh:mm:ss | hh:mm")
    rule = f"{{iso8601: {spell_flow(parts)}}}"
    columns = (item.column, *((clock.column,) if "time" in parts and clock is not None else ()))
    why = "" if readable else _say_unread(item)
    return Proposal(variable.name, rule, columns, bool(readable), f"{basis}{why}")


def _say_unread(item: ColumnProfile) -> str:
    if item.kind == EMPTY:
        return "; no values"
    if item.shape is None:
        return "; the values are no dates"
    return f"; {item.shape.spelled} does not read every value" if item.shape.pattern else f"; {item.shape.spelled}?"


def format_of(shape: DateShape | None, shared: Shared) -> str:
    """Return the name of the study's date format that reads a column, empty where it is not decided."""
    if shape is None:
        return ""
    named = {shared.formats[pattern] for pattern in shape.either or (shape.pattern,) if pattern in shared.formats}
    return named.pop() if len(named) == 1 else ""


def best_value(variable: Variable, group: Mapping[str, ColumnProfile], *, basis: str, shared: Shared) -> Proposal:
    """Propose a variable from the column of an item that suits it best: a code to recode, a text to copy."""
    order = CODES_FIRST if shared.specs.codelists_of(variable) else TEXTS_FIRST
    made = [value_proposal(variable, group[part], basis=basis, shared=shared) for part in order if part in group]
    if not made:
        item = next(iter(group.values()))
        return Proposal(variable.name, f"{{assign: {spell_column(item.column)}}}", (item.column,), False, f"{basis}?")
    return next((item for item in made if item.sure), made[0])


def value_proposal(variable: Variable | None, item: ColumnProfile, *, basis: str, shared: Shared) -> Proposal:
    """Propose to copy or recode a column, sure where all its values suit the variable."""
    if variable is None:
        raise ValueError("no variable to propose for")
    column = spell_column(item.column)
    codelists = shared.specs.codelists_of(variable)
    if codelists:
        return _recoded(variable, item, codelists, basis=basis)
    why = _say_unsuitable(variable, item)
    return Proposal(variable.name, f"{{assign: {column}}}", (item.column,), not why, f"{basis}{why}")


def _say_unsuitable(variable: Variable, item: ColumnProfile) -> str:
    if item.kind == EMPTY:
        return "; no values"
    if not variable.is_text:
        numeric = pd.to_numeric(pd.Series(item.values, dtype="str"), errors="coerce").notna().all()
        return "" if numeric else "; not every value is a number"
    if item.longest > MOST_BYTES:
        return f"; values of up to {item.longest} bytes"
    return "" if all(value.isascii() for value in item.values) else "; letters outside ASCII"


def _recoded(variable: Variable, item: ColumnProfile, codelists: tuple[Codelist, ...], *, basis: str) -> Proposal:
    column = spell_column(item.column)
    values = pd.Series(item.values, dtype="str")
    for codelist in codelists:
        _, refused = match_terms(values, codelist=codelist)
        if item.values and not refused.any():
            chosen = "" if len(codelists) == 1 else codelist.short
            rule = spell_flow({"column": column, "codelist": chosen}) if chosen else column
            says = f"{basis}; every value is a term of {codelist.short}"
            return Proposal(variable.name, f"{{assign_ct: {rule}}}", (item.column,), True, says)
    _, refused = match_terms(values, codelist=codelists[0])
    unknown = {spell_text(value): '"?"' for value in values[refused]}
    rule = spell_flow({"column": column, "map": spell_flow(unknown)}) if 0 < len(unknown) <= 20 else column
    why = f"{len(unknown)} value(s) are no terms of {codelists[0].short}" if item.values else "no values"
    return Proposal(variable.name, f"{{assign_ct: {rule}}}", (item.column,), False, f"{basis}; {why}")


def flag_proposal(target: str, item: ColumnProfile, *, use: str, basis: str) -> Proposal:
    """Propose what a yes or no stands for; never sure, because the reference (the cut-off, the visit) is a choice."""
    yes, term = ("Y", "ONGOING") if use == "ongoing" else ("N", "NOT DONE")
    rule = f"""{{case: [{{when: "{spell_name(item.column)} = '{yes}'", then: "'{term}'"}}]}}"""
    return Proposal(target, rule, (item.column,), False, basis)


def spell_name(column: str) -> str:
    """Spell a column in an expression: in backquotes where it is no plain word."""
    return column if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) else f"`{column}`"


def is_numeric(item: ColumnProfile) -> bool:
    """Say whether a column holds numbers, perhaps as codes."""
    digits = all(value.replace(".", "").isdigit() for value in item.values)
    return item.kind == NUMBER or (item.kind == CODE and digits)
