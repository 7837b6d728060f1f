"""What holds between datasets: every subject is in DM, every related record exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from specs.checks import shown
from specs.findings import CheckResult, Outcome
from specs.model import Specs
from specs.reporting import Records, Rows, report

Frames = Mapping[str, pd.DataFrame]

_SUBJECTS = "DM"
_REFERENCE = ("RDOMAIN", "IDVAR", "IDVARVAL")


def check_subjects(datasets: Frames, *, specs: Specs, origins: Frames | None = None) -> list[CheckResult]:
    """
    Check that every USUBJID of every dataset is in DM; not evaluated without DM. One finding per subject.

    SUPP-- datasets are left to the check that each qualifier has its parent record, whose subject is checked here.
    """
    results = []
    for name, records in _known(datasets, specs, origins):
        if name == _SUBJECTS or name.startswith("SUPP") or "USUBJID" not in records.frame.columns:
            continue
        if "USUBJID" not in getattr(datasets.get(_SUBJECTS), "columns", ()):
            results.append(CheckResult("SDTM-SUBJECT", name, Outcome.NOT_EVALUATED, reason="there is no DM.USUBJID"))
            continue
        subjects = records.frame["USUBJID"]
        absent = ~subjects.isin(datasets[_SUBJECTS]["USUBJID"]) & (subjects != "")
        found = report(records, _rows(absent), rule="SDTM-SUBJECT", variables=["USUBJID"], tell=_tell_absent)
        results.append(CheckResult.of("SDTM-SUBJECT", name, found))
    return results


def check_relations(datasets: Frames, *, specs: Specs, origins: Frames | None = None) -> list[CheckResult]:
    """
    Check every dataset that points to others (SUPP--, CO, RELREC) against them.

    RDOMAIN, IDVAR and IDVARVAL must name a record of the same subject that exists; QNAM must not be a variable of
    the parent; RELTYPE is filled exactly where datasets and not records are related.
    """
    results = []
    for name, records in _known(datasets, specs, origins):
        if {*_REFERENCE, "USUBJID"} <= set(records.frame.columns):
            results.append(_check_references(name, records, datasets))
            results += [_check_qualifiers(name, records, specs)] if name.startswith("SUPP") else []
            results += [_check_reltype(name, records)] if "RELTYPE" in records.frame.columns else []
    return results


def _check_references(name: str, records: Records, datasets: Frames) -> CheckResult:
    supplemental = name.startswith("SUPP")
    rule = "SDTM-SUPP" if supplemental else "SDTM-RELATED"
    astray = _points_astray(records.frame, datasets, parent=name.removeprefix("SUPP") if supplemental else "")
    variables = ("USUBJID", *_REFERENCE)
    found = report(records, _rows(astray), rule=rule, variables=variables, tell=_tell_astray)
    return CheckResult.of(rule, name, found)


def _check_qualifiers(name: str, records: Records, specs: Specs) -> CheckResult:
    parent = specs.dataset(name.removeprefix("SUPP"))
    taken = records.frame["QNAM"].isin(parent.names if parent else ())
    found = report(records, _rows(taken), rule="SDTM-QNAM", variables=["QNAM"], tell=_tell_taken)
    return CheckResult.of("SDTM-QNAM", name, found)


def _check_reltype(name: str, records: Records) -> CheckResult:
    frame = records.frame
    whole = (frame["USUBJID"] == "") & (frame["IDVARVAL"] == "")
    wrong = (frame["RELTYPE"] != "") != whole
    found = report(records, _rows(wrong), rule="SDTM-RELTYPE", variables=["RELTYPE"], tell=_tell_reltype)
    return CheckResult.of("SDTM-RELTYPE", name, found)


def _rows(marked: pd.Series) -> Rows:
    return np.flatnonzero(marked.to_numpy(dtype=bool))


def _known(datasets: Frames, specs: Specs, origins: Frames | None) -> Iterable[tuple[str, Records]]:
    for name, frame in datasets.items():
        dataset = specs.dataset(name)
        if dataset is not None:
            yield name, Records(dataset, frame, (origins or {}).get(name))


def _points_astray(frame: pd.DataFrame, datasets: Frames, *, parent: str) -> pd.Series:
    """Mark the records whose reference leads nowhere; *parent* is the only RDOMAIN allowed, where it is said."""
    numbered = frame.reset_index(drop=True)
    astray = pd.Series(False, index=numbered.index)
    for (domain, variable), part in numbered.groupby(["RDOMAIN", "IDVAR"], sort=False):
        wrong_parent = bool(parent) and domain != parent
        astray[part.index] = wrong_parent | ~_leads(part, str(domain), str(variable), datasets)
    return astray


def _leads(part: pd.DataFrame, domain: str, variable: str, datasets: Frames) -> pd.Series:
    """Say of references to one variable of one dataset whether each finds its record."""
    target = datasets.get(domain)
    if target is None:  # a comment on nothing in particular has no RDOMAIN
        return pd.Series(domain == "" and variable == "", index=part.index)
    if variable == "":
        return part["USUBJID"].isin(target["USUBJID"]) if "USUBJID" in target.columns else part["USUBJID"] == ""
    if variable not in target.columns:
        return pd.Series(False, index=part.index)
    whole_dataset = (part["USUBJID"] == "") & (part["IDVARVAL"] == "")
    return whole_dataset | _finds(part, target, variable)


def _finds(part: pd.DataFrame, target: pd.DataFrame, variable: str) -> pd.Series:
    is_number = pd.api.types.is_numeric_dtype(target[variable].dtype)
    wanted = pd.DataFrame(
        {"value": pd.to_numeric(part["IDVARVAL"], errors="coerce") if is_number else part["IDVARVAL"]}
    )
    there = pd.DataFrame({"value": target[variable]})
    if "USUBJID" in target.columns:
        wanted["subject"], there["subject"] = part["USUBJID"], target["USUBJID"]
    there = there[(there["value"].notna()) & (there["value"] != "")].drop_duplicates().assign(found=True)
    found = wanted.merge(there, how="left", on=[name for name in there.columns if name != "found"])["found"]
    return pd.Series(found.notna().to_numpy(), index=part.index)


def _tell_absent(subject: str) -> str:
    return f"{subject} is not in DM"


def _tell_astray(subject: str, domain: str, variable: str, value: str) -> str:
    if not variable:
        return f"{domain or 'an empty RDOMAIN'} has no record of {subject or 'an empty USUBJID'}"
    return (
        f"{domain or 'an empty RDOMAIN'} has no record with {variable} {shown(value)} of {subject or 'any subject'}"
    )


def _tell_taken(name: str) -> str:
    return f"{name} is a variable of the parent"


def _tell_reltype(kind: str) -> str:
    return f"RELTYPE is {shown(kind)} on a record-level relationship" if kind else "RELTYPE is empty between datasets"
