"""
The one bridge to pandera: schemas generated from the specifications, and their failures as findings.

pandera runs the checks and keeps their outcomes apart (passed, failed, raised); nothing of it leaves this module. A
check of cells gives pandera a mask, of which only a few failures are kept on its side: the findings are made from the
mask. A check of records or of the layout answers with one truth value, because pandera would repeat every failing
record once per column; the records are asked for again only where it fails.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from specs.checks import ColumnCheck, LayoutCheck, RecordCheck, column_checks, layout_checks, mistyped, record_checks
from specs.findings import CheckResult, Finding, Outcome
from specs.model import Dataset, Specs
from specs.relations import check_relations, check_subjects
from specs.reporting import Records, report
from specs.rules import RULES, SDTM_RULES

Check = ColumnCheck | RecordCheck | LayoutCheck

_FEW = 5  # failures that pandera itself keeps of a check; ours come from the mask


def make_schema(dataset: Dataset, specs: Specs, *, columns: Collection[str] | None = None) -> pa.DataFrameSchema:
    """
    Make the pandera schema of a dataset: every check of ``specs.checks``, for *columns* where they are given.

    Each check's ``error`` is its rule's id and its ``name`` the address ``RULE|VARIABLE``. Presence and types are
    checks of the whole frame like the others: pandera's own type check costs five milliseconds a text column. A
    check of records passes where one of its variables is not there.
    """
    cells: dict[str, list[pa.Check]] = {name: [] for name in dataset.names if columns is None or name in columns}
    for check in column_checks(dataset, specs):
        if check.variable in cells:
            cells[check.variable].append(_pandera_check(check))
    whole_checks: list[Check] = [*layout_checks(dataset, specs), *record_checks(dataset, specs)]
    whole = [_pandera_check(check) for check in whole_checks]
    found = {name: pa.Column(None, checks, nullable=True, required=False) for name, checks in cells.items()}
    return pa.DataFrameSchema(found, checks=whole, name=dataset.name)


def _pandera_check(check: Check) -> pa.Check:
    if isinstance(check, ColumnCheck):
        return pa.Check(check.passes, name=_address(check), error=check.rule, n_failure_cases=_FEW, ignore_na=False)
    if isinstance(check, RecordCheck):
        return pa.Check(partial(_all_pass, check), name=_address(check), error=check.rule)
    return pa.Check(lambda frame: not check.wrong(frame), name=_address(check), error=check.rule)


def _all_pass(check: RecordCheck, frame: pd.DataFrame) -> bool:
    return not set(check.variables) <= set(frame.columns) or bool(check.passes(frame).all())


def _address(check: Check) -> str:
    if isinstance(check, LayoutCheck):
        return check.rule
    return "|".join((check.rule, *check.variables))


@dataclass
class _Tally:
    """What came of each rule: the findings, why a part was not evaluated, how many cells were known already."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)

    def results(self, rules: Collection[str], dataset: str) -> list[CheckResult]:
        """Give one result per rule, in the catalogue's order."""
        return [self._result(rule, dataset) for rule in SDTM_RULES if rule in rules]

    def _result(self, rule: str, dataset: str) -> CheckResult:
        found, reasons = tuple(self.findings.get(rule, ())), self.reasons.get(rule, [])
        known = self.known.get(rule, 0)
        said = [*reasons, f"{known} already reported where the data was mapped"] if known else reasons
        unharmed = Outcome.NOT_EVALUATED if reasons else Outcome.PASSED
        outcome = Outcome.FAILED if found or known else unharmed
        return CheckResult(rule, dataset, outcome, found, "; ".join(said))


def check_dataset(
    frame: pd.DataFrame,
    *,
    name: str,
    specs: Specs,
    origin: pd.DataFrame | None = None,
    skip: frozenset[tuple[int, str]] = frozenset(),
) -> list[CheckResult]:
    """
    Check one dataset against its specification; one result for every rule that applies to it.

    *frame*: one row per record, text columns ``str`` with "" for missing, numbers float64 with NaN. *origin*: same
    index, columns ``file``, ``row`` and ``record`` of the raw data. *skip*: cells, as (index label, variable), that
    were reported already; a rule that only such cells break is failed without findings.

    A rule on cells gives a finding per cell, a rule on records one per record; where the value is at fault and not
    the record (``BY_VALUE`` of ``specs.reporting``) it is one per value. What could not be evaluated says why.
    """
    dataset = specs.dataset(name)
    if dataset is None:
        finding = RULES["SDTM-DATASET"].finding(f"{specs.standard} has no dataset {name}", dataset=name)
        return [CheckResult.of("SDTM-DATASET", name, [finding])]
    whole_numbers = frame.select_dtypes("integer").columns
    frame = frame.astype(dict.fromkeys(whole_numbers, "float64")) if len(whole_numbers) else frame
    records, tally = Records(dataset, frame, origin, skip), _Tally()
    errors = _validate(frame, make_schema(dataset, specs, columns=set(frame.columns)))
    applied = _applied_checks(dataset, specs, frame, tally)
    by_address = {_address(check): check for check in applied}
    for error in errors:
        check = by_address.get(str(getattr(error.check, "name", "")))
        if check is not None:
            _tell(error, check, records, tally)
    rules = {check.rule for check in applied} | set(tally.reasons)
    return tally.results(rules | {"SDTM-DATASET"}, name)


def _validate(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> Sequence[SchemaError]:
    """Run a schema to its end, whatever PANDERA_* says in the environment."""
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            schema.validate(frame, lazy=True, inplace=True)
        except SchemaErrors as failed:
            return list(failed.schema_errors)
    return ()


def _applied_checks(dataset: Dataset, specs: Specs, frame: pd.DataFrame, tally: _Tally) -> list[Check]:
    """Return the checks whose variables are there; say which could not be made or lack a required variable."""
    applied: list[Check] = list(layout_checks(dataset, specs))
    applied += [check for check in column_checks(dataset, specs) if check.variable in frame.columns]
    for check in record_checks(dataset, specs):
        absent = [name for name in check.variables if name not in frame.columns]
        if not absent:
            applied.append(check)
        elif getattr(dataset.variable(absent[0]), "is_required", False):
            tally.reasons.setdefault(check.rule, []).append(f"{absent[0]} is absent")
    for variable in dataset.variables:
        if variable.name in frame.columns and variable.codelists and not specs.codelists_of(variable):
            reason = (
                f"{specs.terminology.version} has no codelist {' or '.join(variable.codelists)} for {variable.name}"
            )
            tally.reasons.setdefault("SDTM-CT", []).append(reason)
    return applied


def _tell(error: SchemaError, check: Check, records: Records, tally: _Tally) -> None:
    """Turn one failed check into findings, or into the reason why it was not evaluated."""
    if error.reason_code == SchemaErrorReason.CHECK_ERROR:
        names = () if isinstance(check, LayoutCheck) else check.variables
        wrong = [name for name in mistyped(records.dataset, records.frame) if name in names]
        reason = (
            f"{wrong[0]} has the wrong type" if wrong else f"the check {_address(check)} broke: {error.failure_cases}"
        )
        if reason not in tally.reasons.setdefault(check.rule, []):
            tally.reasons[check.rule].append(reason)
        return
    findings = tally.findings.setdefault(check.rule, [])
    if isinstance(check, LayoutCheck):
        wrong_ones = check.wrong(records.frame)
        findings += [
            RULES[check.rule].finding(message, dataset=records.dataset.name, variables=(variable,))
            for variable, message in wrong_ones.items()
        ]
        return
    failed = _failed_rows(error, check, records.frame)
    fresh = records.not_reported(failed, check.cells)
    tally.known[check.rule] = tally.known.get(check.rule, 0) + len(failed) - len(fresh)
    findings += report(records, fresh, rule=check.rule, variables=check.variables, tell=check.tell)


def _failed_rows(error: SchemaError, check: ColumnCheck | RecordCheck, frame: pd.DataFrame) -> NDArray[np.intp]:
    passed = error.check_output if isinstance(check, ColumnCheck) else check.passes(frame)
    return np.flatnonzero(~np.asarray(passed, dtype=bool))


def check_study(
    datasets: Mapping[str, pd.DataFrame], *, specs: Specs, origins: Mapping[str, pd.DataFrame] | None = None
) -> list[CheckResult]:
    """Check the datasets against each other: every subject in DM, every related record there."""
    return [
        *check_subjects(datasets, specs=specs, origins=origins),
        *check_relations(datasets, specs=specs, origins=origins),
    ]
