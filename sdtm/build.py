"""
Build all domains of a study: raw rows to records, then what is derived, then order, sequence and supplements.

This is the flow of the engine on one page; each step is a function of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sdtm.link import submitted
from sdtm.mapping import Block, DomainMapping, Rule, StudyMapping
from sdtm.rawtable import RawTable
from sdtm.relrec import RELREC, build_relrec
from sdtm.results import Refusal, Result, make_findings, refuse
from sdtm.row_operations import number_text
from sdtm.rows import SUBJECT, Records, Rows
from sdtm.source import Account, select_rows
from sdtm.subjects import read_first_numbers
from sdtm.supp import build_supp
from sdtm.visits import derive_visit_table
from specs.findings import Finding
from specs.model import Dataset, Specs
from specs.rules import RULES


@dataclass
class Domain:
    """
    One domain, finished: ``data`` as it is submitted, ``supp`` its SUPP-- (None where there is nothing).

    ``origin`` has the rows of ``data`` and says where each record came from (table, file, row, record);
    ``refused`` are the cells (row of ``data``, variable) that already have a finding; ``accounts`` say of each block
    how many rows it had and kept.
    """

    name: str
    data: pd.DataFrame
    origin: pd.DataFrame
    supp: pd.DataFrame | None
    refused: frozenset[tuple[int, str]]
    accounts: tuple[Account, ...]


@dataclass
class Built:
    """What a run of the engine came to; ``seconds`` is the time that each domain took."""

    domains: Mapping[str, Domain]
    findings: list[Finding]
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass
class _Work:
    data: pd.DataFrame
    origin: pd.DataFrame
    supp: pd.DataFrame
    findings: list[Finding] = field(default_factory=list)
    refused: set[tuple[int, str]] = field(default_factory=set)
    accounts: list[Account] = field(default_factory=list)
    seconds: float = 0.0


def build_study(
    study: StudyMapping,
    *,
    tables: Mapping[str, RawTable],
    specs: Specs,
    progress: Callable[[str], None] = lambda _: None,
) -> Built:
    """
    Build every domain of a compiled and linked study from its raw tables.

    Faults of the data are findings; nothing here raises for what a raw file contains.
    """
    conventions = study.conventions
    known = read_first_numbers(conventions.subjects, tables)
    visits = derive_visit_table(conventions, tables=tables, known=known)
    works: dict[str, _Work] = {}
    for name, mapping in study.domains.items():
        progress(name)
        started = time.perf_counter()
        works[name] = _build_rows(mapping, study=study, tables=tables, specs=specs, known=known, visits=visits)
        works[name].seconds = time.perf_counter() - started
    progress("derived variables")
    _derive(study, works, specs=specs)
    finished = {
        name: _finish(study.domains[name], works[name], works=works, study=study, specs=specs) for name in works
    }
    domains = {name: domain for name, (domain, _) in finished.items()}
    if study.relations:
        records = {name: data for name, (_, data) in finished.items()}
        domains[RELREC] = _relrec(build_relrec(study, records=records))
    seconds = {name: work.seconds for name, work in works.items()}
    return Built(domains, [finding for work in works.values() for finding in work.findings], seconds)


def _relrec(data: pd.DataFrame) -> Domain:
    nowhere = {"file": "", "row": 0, "record": "", "table": ""}
    origin = pd.DataFrame(nowhere, index=data.index).astype({"file": "str", "record": "str", "table": "str"})
    return Domain(RELREC, data, origin, None, frozenset(), ())


def _build_rows(
    mapping: DomainMapping, *, study: StudyMapping, tables: Mapping[str, RawTable], specs: Specs, known: pd.Series,
    visits: pd.DataFrame,
) -> _Work:  # fmt: skip
    dataset = specs.datasets[mapping.domain]
    parts = []
    for block in mapping.blocks:
        selected = select_rows(
            block, tables=tables, conventions=study.conventions, specs=specs, dataset=mapping.domain, subjects=known
        )
        rows = Rows(selected.data, study.conventions, specs, visits=visits, subjects=known)
        part = _Work(pd.DataFrame(index=rows.index), selected.origin, pd.DataFrame(index=rows.index))
        part.findings += selected.findings
        part.accounts.append(selected.account)
        _fill_rows(block, rows, part, dataset=dataset)
        parts.append(part)
    return _stacked(parts, mapping, dataset)


def _fill_rows(block: Block, rows: Rows, work: _Work, *, dataset: Dataset) -> None:
    # The subject is known first, because visits are looked up by subject.
    ordered = sorted(block.variables, key=lambda rule: SUBJECT not in rule.targets)
    for rule in ordered:
        for target, result in run_rule(rule, rows, dataset=dataset).items():
            work.data[target] = result.values
            _note(result, target, work, dataset=dataset)
        if SUBJECT in rule.targets:
            rows.usubjid = work.data[SUBJECT]
    for supp in block.supp:
        result = run_rule(supp.rule, rows, dataset=dataset)[supp.name]
        work.supp[supp.name] = result.values
        _note(result, supp.name, work, dataset=dataset)


def run_rule(rule: Rule, rows: Rows, *, dataset: Dataset) -> dict[str, Result]:
    """Run one rule; each target comes in the type that the standard gives it."""
    found = rule.operation.function(rows, **rule.arguments)
    if not rule.operation.outputs:
        return {rule.targets[0]: _typed(found, rule.targets[0], dataset)}
    by_name = {name.replace("--", dataset.prefix): result for name, result in found.items()}
    # What an output refuses is told even when the mapping does not ask for that output.
    unasked = tuple(refusal for name in by_name if name not in rule.targets for refusal in by_name[name].refusals)
    first = by_name[rule.targets[0]]
    by_name[rule.targets[0]] = Result(first.values, (*first.refusals, *unasked))
    return {target: _typed(by_name[target], target, dataset) for target in rule.targets}


def _typed(result: Result, target: str, dataset: Dataset) -> Result:
    variable = dataset.variable(target)
    if variable is not None and variable.type == "Num" and result.values.dtype == "str":
        return _as_number(result)
    if (variable is None or variable.type == "Char") and result.values.dtype != "str":
        helper = variable is None and target.startswith("_")
        return result if helper else Result(number_text(result.values), result.refusals)
    return result


def _as_number(result: Result) -> Result:
    text = result.values
    numbers = pd.to_numeric(text.where(text != ""), errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    refusals = refuse("MAP-NUMBER", mask=numbers.isna() & (text != ""), text=text, reason="not a number")
    return Result(numbers, (*result.refusals, *refusals))


def _note(result: Result, target: str, work: _Work, *, dataset: Dataset) -> None:
    for refusal in result.refusals:
        labels = refusal.text.index
        work.refused |= {(int(label), target) for label in labels}
        work.findings += _refusal_findings(refusal, target, work, dataset=dataset)


def _refusal_findings(refusal: Refusal, target: str, work: _Work, *, dataset: Dataset) -> list[Finding]:
    labels = refusal.text.index
    subjects = work.data.loc[labels, SUBJECT] if SUBJECT in work.data else None
    messages = [
        f"{text!r}: {reason}" if text else reason for text, reason in zip(refusal.text, refusal.reason, strict=True)
    ]
    return make_findings(
        refusal.rule, origin=work.origin.loc[labels], values=refusal.text, messages=messages,
        dataset=dataset.name, variables=(target,), subjects=subjects,
    )  # fmt: skip


def _stacked(parts: list[_Work], mapping: DomainMapping, dataset: Dataset) -> _Work:
    offsets = np.cumsum([0, *(len(part.data) for part in parts)])
    data = pd.concat([part.data for part in parts], ignore_index=True)
    for name in data.columns:
        variable = dataset.variable(name)
        if not (variable is not None and variable.type == "Num") and data[name].dtype != "float64":
            data[name] = data[name].fillna("").astype("str")
    supp = pd.concat([part.supp for part in parts], ignore_index=True)
    supp = supp.fillna("").astype("str")
    origin = pd.concat([part.origin for part in parts], ignore_index=True)
    work = _Work(data, origin, supp)
    for part, offset in zip(parts, offsets, strict=False):
        work.findings += part.findings
        work.refused |= {(label + int(offset), target) for label, target in part.refused}
        work.accounts += part.accounts
    return work


def _derive(study: StudyMapping, works: Mapping[str, _Work], *, specs: Specs) -> None:
    for name, rule in study.order:
        work, started = works[name], time.perf_counter()
        frames = {domain: other.data for domain, other in works.items()}
        records = Records(work.data, study.conventions, specs, domain=name, domains=frames)
        for target, result in run_rule(rule, records, dataset=specs.datasets[name]).items():
            work.data[target] = result.values
            _note(result, target, work, dataset=specs.datasets[name])
        work.seconds += time.perf_counter() - started


def _finish(
    mapping: DomainMapping, work: _Work, *, works: Mapping[str, _Work], study: StudyMapping, specs: Specs
) -> tuple[Domain, pd.DataFrame]:
    """Finish a domain; beside it its records with helpers and --SEQ, for RELREC."""
    dataset = specs.datasets[mapping.domain]
    _drop_after_cutoff(mapping, work, study=study)
    _keep(mapping, work, works=works, study=study, specs=specs)
    order = [name for name in (mapping.order or dataset.keys) if name in work.data]
    data = work.data.sort_values(order, kind="stable") if order else work.data
    labels = data.index
    sequence = f"{dataset.prefix}SEQ"
    if dataset.variable("STUDYID"):
        data = data.assign(STUDYID=study.conventions.study)
    if dataset.variable("DOMAIN"):
        data = data.assign(DOMAIN=mapping.domain)
    if dataset.variable(sequence) and sequence not in data:
        data = data.assign(**{sequence: _number_records(data, dataset)})
    supp = build_supp(data, work.supp.loc[labels], mapping=mapping, study=study.conventions.study, dataset=dataset)
    position = pd.Series(np.arange(len(labels)), index=labels)
    refused = frozenset((int(position[label]), target) for label, target in work.refused if label in position.index)
    finished = _complete(data, submitted(mapping, dataset), dataset).reset_index(drop=True)
    origin = work.origin.loc[labels].reset_index(drop=True)
    return Domain(mapping.domain, finished, origin, supp, refused, tuple(work.accounts)), data


def _number_records(data: pd.DataFrame, dataset: Dataset) -> pd.Series:
    """Number records from 1 within the subject (in trial design datasets within what stands before --SEQ)."""
    scope = [name for name in dataset.sequence_scope if name in data]
    count = data.groupby(scope).cumcount() if scope else pd.Series(np.arange(len(data)), index=data.index)
    return count.add(1).astype("float64")


def _keep(
    mapping: DomainMapping, work: _Work, *, works: Mapping[str, _Work], study: StudyMapping, specs: Specs
) -> None:
    if mapping.keep is None:
        return
    frames = {domain: other.data for domain, other in works.items()}
    records = Records(work.data, study.conventions, specs, domain=mapping.domain, domains=frames)
    kept = records.evaluate(mapping.keep).values.astype("bool")
    work.accounts.append(Account("(records)", len(kept), int(kept.sum()), mapping.keep.text))
    work.data, work.supp = work.data[kept], work.supp[kept]


def _drop_after_cutoff(mapping: DomainMapping, work: _Work, *, study: StudyMapping) -> None:
    cutoff = study.conventions.cutoff
    if not mapping.cutoff or not cutoff:
        return
    after = work.data[mapping.cutoff].str.slice(0, 10) > cutoff
    dropped = work.data[after]
    dates = dropped[mapping.cutoff]
    messages = [f"{date} is after the cut-off {cutoff}: {RULES['MAP-CUTOFF'].title}" for date in dates]
    work.findings += make_findings(
        "MAP-CUTOFF", origin=work.origin.loc[dropped.index], values=dates, messages=messages,
        dataset=mapping.domain, variables=(mapping.cutoff,), subjects=dropped[SUBJECT],
    )  # fmt: skip
    work.data, work.supp = work.data[~after], work.supp[~after]


def _complete(data: pd.DataFrame, names: tuple[str, ...], dataset: Dataset) -> pd.DataFrame:
    """Put the variables in the standard's order, expected ones that nothing fills as empty columns."""
    columns = {}
    for name in names:
        variable = dataset.variable(name)
        number = variable is not None and variable.type == "Num"
        if name in data:
            columns[name] = data[name].astype("float64" if number else "str")
        else:
            columns[name] = pd.Series(
                np.nan if number else "", index=data.index, dtype="float64" if number else "str"
            )
    return pd.DataFrame(columns, index=data.index)
