"""
Propose, for raw tables that nobody has mapped yet, a domain for each and variables for their columns.

What a proposal rests on: the names (CDASH conventions and the habits of EDCs, ``trialmill/cdash/*.csv``), the labels
where the format has them, and the values. A proposal is sure when name and values agree: every date is read, every
value is a term of the variable's codelist, every number is one. Whatever is not sure is for a person to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from specs.ct import match_terms
from specs.model import DATETIME, Dataset, Specs, Variable
from trialmill.cdash_facts import find_form_domains, find_labelled, find_role, find_targets, name_column
from trialmill.profile import CODE, TIME, ColumnProfile
from trialmill.proposal_rules import (
    CODES_FIRST,
    TEXTS_FIRST,
    Proposal,
    Shared,
    best_value,
    date_proposal,
    flag_proposal,
    pick,
    spell_name,
    value_proposal,
)
from trialmill.propose_tests import propose_tests
from trialmill.yaml_text import spell_column

GENERAL = ("Interventions", "Events", "Findings")
SPECIAL = ("DM", "SV", "CO")


@dataclass(frozen=True)
class Block:
    """
    What is proposed for one raw table: a domain (and why), its rules, the rows that count, rows made of columns.

    ``missing``: required variables without a sure rule; a block that lacks none can run. ``reasons``: why columns are
    not submitted, of those whose convention says so.
    """

    table: str
    domain: str
    basis: str
    proposals: tuple[Proposal, ...] = ()
    derived: tuple[Proposal, ...] = ()
    long: tuple[str, ...] = ()
    where: str = ""
    missing: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def used(self) -> frozenset[str]:
        """The columns that sure rules read."""
        return frozenset(name for item in self.proposals if item.sure for name in item.columns)


# --- the domain -----------------------------------------------------------------------------------------------------


def propose_domain(*, file: str, columns: Sequence[ColumnProfile], specs: Specs) -> tuple[str, str]:
    """
    Propose a table's domain, with what it rests on; both empty where nothing speaks for one.

    In this order: the form's name in the data, a domain's name in the file's name, the prefix of most of the columns,
    the words of the file's name.
    """
    hits = {name: _hits(columns, dataset) for name, dataset in specs.datasets.items() if _is_collected(dataset)}
    tokens = [token for token in re.split(r"[^A-Z]+", _stem(file).upper()) if token in hits]
    for form in _form_names(columns):
        domains = [name for name in find_form_domains(form) if name in hits]
        if domains:
            return next((name for name in domains if name in tokens), domains[0]), f"the form is called {form!r}"
    best = max(hits, key=lambda name: (hits[name], name in tokens), default="")
    for token in tokens:
        if hits[token] or hits[best] < 2:
            return token, f"the file is called {file!r}"
    if best and hits[best] > 1:
        return best, f"{hits[best]} columns are named like variables of {best}"
    worded = [name for name in find_form_domains(_stem(file)) if name in hits]
    return (worded[0], f"the file is called {file!r}") if worded else ("", "")


def _is_collected(dataset: Dataset) -> bool:
    return dataset.cls in GENERAL or dataset.name in SPECIAL


def _stem(file: str) -> str:
    return re.sub(r"\.[^.]*\Z", "", re.split(r"[/!]", file)[-1])


def _form_names(columns: Sequence[ColumnProfile]) -> list[str]:
    found = [item for item in columns if find_role(item.column)[0] == "form" and item.distinct == 1]
    return [item.values[0] for item in found]


def _hits(columns: Sequence[ColumnProfile], dataset: Dataset) -> int:
    """Count the columns that are named like a variable which only this domain has, also behind a test's name."""
    count = 0
    for item in columns:
        stem = name_column(item.column).stem.rpartition("_")[2]
        own = stem.startswith(dataset.prefix) or dataset.name == "DM"
        targets = [target for target, _, _ in find_targets(stem, prefix=dataset.prefix)]
        named = any(dataset.variable(name) is not None for name in (stem, *targets))
        count += own and named and not find_role(item.column)[0]
    return count


# --- the variables --------------------------------------------------------------------------------------------------


def propose_block(columns: Sequence[ColumnProfile], *, domain: str, basis: str, shared: Shared) -> Block:
    """Propose the rules of one raw table for its domain; see ``Block``."""
    dataset = shared.specs.datasets[domain]
    table = columns[0].table
    items = group_columns(columns)
    found, reasons = _identify(columns, dataset, shared), dict[str, str]()
    tests = propose_tests(items, dataset=dataset, shared=shared)
    rest = {
        stem: group for stem, group in items.items() if tests.used.isdisjoint(item.column for item in group.values())
    }
    for stem, group in rest.items():
        found += _propose_item(stem, group, items=rest, dataset=dataset, shared=shared)
        reasons.update(_prompts(stem, group, dataset))
    found = [*_once([*found, *tests.proposals])]
    used = {name for item in found if item.sure for name in item.columns}
    reasons.update(_siblings(items, used))
    sure = {item.variable for item in (*found, *tests.derived) if item.sure}
    automatic = {"STUDYID", "DOMAIN", dataset.sequence}
    missing = [one.name for one in dataset.variables if one.is_required and one.name not in sure | automatic]
    where = tests.where or _where(found, columns, dataset)
    return Block(table, domain, basis, tuple(found), tests.derived, tests.long, where, tuple(missing), reasons)


def group_columns(columns: Sequence[ColumnProfile]) -> dict[str, dict[str, ColumnProfile]]:
    """Group the columns of an item (``AESER``, ``AESER_STD``) by stem and part; columns of the EDC are left out."""
    groups: dict[str, dict[str, ColumnProfile]] = {}
    for item in columns:
        if not find_role(item.column)[0]:
            named = name_column(item.column)
            groups.setdefault(named.stem, {}).setdefault(named.part, item)
    return groups


def _identify(columns: Sequence[ColumnProfile], dataset: Dataset, shared: Shared) -> list[Proposal]:
    """Propose what names the record: USUBJID, in DM also SUBJID and SITEID, and VISIT where a column is called so."""
    table = columns[0].table
    found = [shared.subject[table]] if table in shared.subject else []
    roles = {find_role(item.column)[0]: item.column for item in reversed(columns)}
    wanted = {"SUBJID": "subject", "SITEID": "site"} if dataset.name == "DM" else {}
    for variable, role in wanted.items():
        if role in roles:
            name = roles[role]
            rule = f"{{assign: {spell_column(name)}}}"
            found.append(Proposal(variable, rule, (name,), sure=True, basis=f"column of the {role}"))
    for item in columns:
        if item.column.upper() == "VISIT" and dataset.variable("VISIT") is not None:
            found.append(value_proposal(dataset.variable("VISIT"), item, basis="name of the variable", shared=shared))
    return found


def _propose_item(
    stem: str, group: Mapping[str, ColumnProfile], *, items: Mapping[str, Mapping[str, ColumnProfile]],
    dataset: Dataset, shared: Shared,
) -> list[Proposal]:  # fmt: skip
    """Propose the variables of one item: by its name; else, never sure, by its label, its values or half its name."""
    found = []
    for target, use, note in _named_targets(stem, dataset):
        variable = dataset.variable(target)
        if variable is None or use == "time":
            continue
        if use == "date" or variable.described == DATETIME:
            clock = _find_clock(variable, items, dataset)
            found.append(date_proposal(variable, group, clock=clock, basis=note, shared=shared))
        elif use == "value":
            found.append(best_value(variable, group, basis=note, shared=shared))
        elif use in ("ongoing", "performed"):
            found.append(flag_proposal(target, pick(group, CODES_FIRST), use=use, basis=note))
    return found or _guess(stem, group, dataset=dataset, shared=shared)


def _named_targets(stem: str, dataset: Dataset) -> list[tuple[str, str, str]]:
    named = dataset.variable(stem)
    own = [(stem, "value", "name of the variable")] if named is not None and named.name != dataset.sequence else []
    return [*own, *find_targets(stem, prefix=dataset.prefix)]


def _find_clock(
    variable: Variable, items: Mapping[str, Mapping[str, ColumnProfile]], dataset: Dataset
) -> ColumnProfile | None:
    """Find the item with the time of day that belongs to a date."""
    for stem, group in items.items():
        for target, use, _ in find_targets(stem, prefix=dataset.prefix):
            if use == "time" and target == variable.name:
                return next((item for item in group.values() if item.kind == TIME), None)
    return None


def _guess(stem: str, group: Mapping[str, ColumnProfile], *, dataset: Dataset, shared: Shared) -> list[Proposal]:
    """Propose a variable by the label, by half the name or by the values of an item; never sure."""
    item = pick(group, TEXTS_FIRST)
    labels = {one.label.casefold(): one for one in dataset.variables}
    guesses = [
        (labels.get(item.label.casefold()), f"its label is {item.label!r}") if item.label else (None, ""),
        (dataset.variable(dataset.prefix + stem), f"{dataset.prefix} put before its name"),
        (dataset.variable(find_labelled(item.label or stem, prefix=dataset.prefix)), f"its label is {item.label!r}"),
        (_by_values(item, dataset, shared), "its values"),
    ]
    variable, basis = next(((one, why) for one, why in guesses if one is not None), (None, ""))
    if variable is None:
        return []
    dated = variable.described == DATETIME
    made = (
        date_proposal(variable, group, clock=None, basis=basis, shared=shared)
        if dated
        else best_value(variable, group, basis=basis, shared=shared)
    )
    return [replace(made, sure=False)]


def _by_values(item: ColumnProfile, dataset: Dataset, shared: Shared) -> Variable | None:
    """Find the one variable of the domain whose codelist has all values of a column of codes."""
    words = [value for value in item.values if len(value) > 1 and not value.isdigit()]
    if item.kind != CODE or len(words) < 2:
        return None
    values = pd.Series(words, dtype="str")
    fitting = []
    for variable in dataset.variables:
        lists = [one for one in shared.specs.codelists_of(variable) if one.short != "NY"]
        if any(not match_terms(values, codelist=one)[1].any() for one in lists):
            fitting.append(variable)
    return fitting[0] if len(fitting) == 1 else None


def _prompts(stem: str, group: Mapping[str, ColumnProfile], dataset: Dataset) -> dict[str, str]:
    for target, use, _ in find_targets(stem, prefix=dataset.prefix):
        if use == "prompt" and not target:
            return {item.column: "asks whether there is a line at all" for item in group.values()}
    return {}


def _siblings(items: Mapping[str, Mapping[str, ColumnProfile]], used: set[str]) -> dict[str, str]:
    """Say of the other columns of an item that is mapped what they are to the mapped one."""
    words = {
        "": "the text of",
        "item": "the text of",
        "code": "the code of",
        "interpreted": "the EDC's reading of",
        "entered": "what was entered for",
    }
    reasons = {}
    for group in items.values():
        mapped = [item.column for item in group.values() if item.column in used]
        for part, item in group.items():
            if part == "dictionary":
                reasons[item.column] = "the coding dictionary, named in define.xml"
            elif mapped and item.column not in used and part in words:
                reasons[item.column] = f"{words[part]} {mapped[0]}, which is mapped"
    return reasons


def _once(found: Iterable[Proposal]) -> Iterable[Proposal]:
    """Keep one sure proposal per variable; a later one is no longer sure."""
    taken: set[str] = set()
    for item in found:
        again = item.sure and item.variable in taken
        taken |= {item.variable} if item.sure else set()
        yield replace(item, sure=False, basis=f"{item.basis}; {item.variable} has a rule already") if again else item


def _where(found: Sequence[Proposal], columns: Sequence[ColumnProfile], dataset: Dataset) -> str:
    """Leave out the rows without the value of a required variable: a page that says that there is none."""
    fills = {item.column: item.fill for item in columns}
    blank = [
        item.columns[0]
        for item in found
        if item.sure and fills.get(item.columns[0], 1) < 1 and _is_required(dataset, item.variable)
    ]
    return " and ".join(f"{spell_name(name)} is not missing" for name in dict.fromkeys(blank))


def _is_required(dataset: Dataset, name: str) -> bool:
    variable = dataset.variable(name)
    return variable is not None and variable.is_required
