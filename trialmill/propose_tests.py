"""Propose rows from columns for the findings domains: a column per test becomes a record per test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from specs.model import DATETIME, Dataset
from trialmill.cdash_facts import find_targets, find_test
from trialmill.profile import CODE, ColumnProfile
from trialmill.proposal_rules import Proposal, Shared, format_of, is_numeric, value_proposal
from trialmill.yaml_text import spell_column, spell_flow, spell_text

RESULT, UNIT = "result", "unit"


@dataclass(frozen=True)
class Tests:
    """What is proposed of the columns with tests; nothing where there are none."""

    proposals: tuple[Proposal, ...] = ()
    derived: tuple[Proposal, ...] = ()
    long: tuple[str, ...] = ()
    where: str = ""
    used: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Item:
    """The columns of one test by the variable each stands for; ``unit`` where the column's name says it."""

    test: str
    columns: Mapping[str, ColumnProfile] = field(default_factory=dict)
    unit: str = ""


def propose_tests(items: Mapping[str, Mapping[str, ColumnProfile]], *, dataset: Dataset, shared: Shared) -> Tests:
    """Propose ``long:`` and its rules for a table whose columns are tests (``SBP``, ``PULSE_VSORRES``)."""
    prefix = dataset.prefix
    code, name = dataset.variable(f"{prefix}TESTCD"), dataset.variable(f"{prefix}TEST")
    if code is None or name is None or code.name in items:
        return Tests()
    known = {value for one in shared.specs.codelists_of(code) for value in one.values}
    found = _by_test(items, dataset=dataset, known=known)
    if not found:
        return Tests()
    names = _helper_names(found, prefix)
    proposals = [_copied(code.name, "test", found, "the columns are named after tests")]
    proposals += [_merged(variable, helper, found, dataset, shared) for variable, helper in names.items()]
    if any(item.unit for item in found):
        proposals.append(_stated_unit(f"{prefix}ORRESU", found))
    lists = [one.short for one in shared.specs.codelists_of(name) if one.short.startswith(prefix)]
    paired = (
        code.name
        if len(shared.specs.codelists_of(name)) == 1
        else spell_flow({"column": code.name, "codelist": lists[0] if lists else "?"})
    )
    derived = Proposal(name.name, f"{{decode: {paired}}}", (), True, "the name of the test")
    used = frozenset(column.column for item in found for column in item.columns.values())
    status = names.get(f"{prefix}STAT")
    where = f"{RESULT} is not missing" + (f" or {status} is not missing" if status else "")
    return Tests(tuple(proposals), (derived,), tuple(_line(item, names) for item in found), where, used)


def _by_test(items: Mapping[str, Mapping[str, ColumnProfile]], *, dataset: Dataset, known: set[str]) -> list[_Item]:
    columns: dict[str, dict[str, ColumnProfile]] = {}
    units: dict[str, str] = {}
    for stem, group in items.items():
        item = group.get("") or group.get("item") or next(iter(group.values()))
        test, variable, unit = _read_name(stem, item, dataset=dataset, known=known)
        if test and variable not in columns.get(test, {}):
            columns.setdefault(test, {})[variable] = item
            units.setdefault(test, unit)
    result = f"{dataset.prefix}ORRES"
    return [_Item(test, named, units[test]) for test, named in columns.items() if result in named]


def _read_name(stem: str, item: ColumnProfile, *, dataset: Dataset, known: set[str]) -> tuple[str, str, str]:
    """Read ``TEST_VARIABLE``, a test's name, or one by which a test is known; empty where it is none of these."""
    prefix = dataset.prefix
    both = re.fullmatch(r"([A-Z0-9]+)_([A-Z0-9]+)", stem)
    if both and both[1] in known:
        targets = [target for target, use, _ in find_targets(both[2], prefix=prefix) if use in ("date", "value")]
        names = [name for name in (both[2], *targets, prefix + both[2]) if dataset.variable(name) is not None]
        return (both[1], names[0], "") if names else ("", "", "")
    if dataset.variable(stem) is not None:
        return "", "", ""
    short = stem if stem in known else stem.removeprefix(prefix)
    test, unit = (short, "") if short in known else find_test(stem, domain=dataset.name)
    return (test, f"{prefix}ORRES", unit) if test and (is_numeric(item) or item.kind == CODE) else ("", "", "")


def _helper_names(found: Sequence[_Item], prefix: str) -> dict[str, str]:
    variables = dict.fromkeys(name for item in found for name in item.columns)
    fixed = {f"{prefix}ORRES": RESULT, f"{prefix}ORRESU": UNIT}
    return {name: fixed.get(name, name.removeprefix(prefix).lower()) for name in variables}


def _line(item: _Item, names: Mapping[str, str]) -> str:
    columns = {names[variable]: spell_column(column.column) for variable, column in item.columns.items()}
    values = {"test": spell_text(item.test), **({"stated": spell_text(item.unit)} if item.unit else {})}
    return f"{{columns: {spell_flow(columns)}, values: {spell_flow(values)}}}"


def _copied(variable: str, helper: str, found: Sequence[_Item], basis: str) -> Proposal:
    results = variable.replace("TESTCD", "ORRES")
    columns = tuple(item.columns[results].column for item in found)
    return Proposal(variable, f"{{assign: {helper}}}", columns, True, basis)


def _merged(variable: str, helper: str, found: Sequence[_Item], dataset: Dataset, shared: Shared) -> Proposal:
    """Propose a variable of the stacked rows: the values of all its columns together decide."""
    parts = [item.columns[variable] for item in found if variable in item.columns]
    values = tuple(dict.fromkeys(value for part in parts for value in part.values))
    kinds = {part.kind for part in parts if part.values}
    merged = replace(
        parts[0], column=helper, values=values, longest=max(part.longest for part in parts),
        kind=kinds.pop() if len(kinds) == 1 else "text" if kinds else "empty",
    )  # fmt: skip
    named = dataset.variable(variable)
    columns = tuple(part.column for part in parts)
    if named is not None and named.described == DATETIME:
        formats = {format_of(part.shape, shared) for part in parts if part.values}
        name = formats.pop() if len(formats) == 1 else ""
        fits = bool(name) and all(part.shape is not None and part.shape.fits for part in parts if part.values)
        rule = f"{{iso8601: {spell_flow({'date': helper, 'format': name or '?'})}}}"
        return Proposal(variable, rule, columns, fits, "the columns are named after tests")
    made = value_proposal(named, merged, basis="the columns are named after tests", shared=shared)
    return replace(made, columns=columns)


def _stated_unit(variable: str, found: Sequence[_Item]) -> Proposal:
    columns = tuple(column.column for item in found if item.unit for column in item.columns.values())
    rule = f"{{case: [{{when: {RESULT} is not missing, then: stated}}]}}"
    return Proposal(variable, rule, columns, True, "the columns' names say the unit")
