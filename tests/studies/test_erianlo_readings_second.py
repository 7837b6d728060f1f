"""ERIANLO, second transfer: the one place where the exports disagree is a finding, and the one difference in SDTM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sdtm.build import build_study
from specs.findings import Finding
from trialmill.run import read_tables
from trialmill.study import read_study

TRANSFER = "studies/anlotinib-breast/transfers/2023-04-06"
Built = tuple[dict[str, pd.DataFrame], list[Finding]]


@pytest.fixture(scope="module")
def built(project: Path, shared: Callable[[str], Path]) -> dict[str, Built]:
    """Every dataset, and what reading found, by the export that was mapped."""
    found = {}
    for reading in ("data", "odm"):
        study = read_study(project / "mappings/anlotinib-breast", raw=shared(TRANSFER), reading=reading)
        tables, findings = read_tables(study)
        domains = build_study(study.mapping, tables=tables, specs=study.specs).domains
        supp = {f"SUPP{name}": domain.supp for name, domain in domains.items() if domain.supp is not None}
        found[reading] = {name: domain.data for name, domain in domains.items()} | supp, findings
    return found


def test_disagreement_is_a_finding(built: dict[str, Built]) -> None:
    """Raw: line 2815 of the flat export has weight 72.1, ODM-XML 74.0; whichever is mapped, it is told."""
    for _, findings in built.values():
        told = [item for item in findings if item.rule.startswith("RAW-READINGS")]
        assert [(item.row, item.record, item.variables, item.values) for item in told] == [
            (2815, "41 cycle_day_1_arm_1 vitals 3", ("weight",), ("72.1", "74.0"))
        ]


def test_no_other_dataset_differs(built: dict[str, Built]) -> None:
    """What does not come from that value is the same."""
    (data, _), (odm, _) = built["data"], built["odm"]
    assert data.keys() == odm.keys()
    assert [name for name, frame in data.items() if not frame.equals(odm[name])] == ["VS"]


def test_the_weight_is_that_of_the_export_mapped(built: dict[str, Built]) -> None:
    """One record differs: the weight of record 41 at cycle 3 day 1."""
    data, odm = built["data"][0]["VS"], built["odm"][0]["VS"]
    differs = (data["VSORRES"] != odm["VSORRES"]).to_numpy()
    assert data.loc[differs, ["USUBJID", "VSTESTCD", "VISITNUM", "VSORRES"]].to_numpy().tolist() == [
        ["ERIANLO-01-EA041", "WEIGHT", 31.0, "72.1"]
    ]
    assert odm.loc[differs, "VSORRES"].tolist() == ["74.0"]
