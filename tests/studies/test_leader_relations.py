"""LEADER's RELREC: which datasets and which records belong together, looked up from the raw files' own references."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from read_back import read_csv

STUDY = Path(__file__).parents[2] / "mappings" / "leader"
RAW = STUDY / "raw" / "2020-01-06"
Read = Callable[[str], pd.DataFrame]
Pairs = Callable[[str], set[tuple[str, str, str]]]


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path]) -> Path:
    """Run the first transfer once."""
    return run_study("leader")


@pytest.fixture(scope="module")
def pairs(sdtm: Read) -> Pairs:
    """Return a function that gives a relation's pairs: subject, and the EDC's identifiers of both records."""
    relrec = sdtm("RELREC")
    names = {"AE": "AESPID", "EC": "ECSPID", "CM": "CMSPID", "MH": "MHSPID"}
    identifiers = {
        domain: {
            (subject, f"{number:g}"): identifier
            for subject, number, identifier in sdtm(domain)[["USUBJID", f"{domain}SEQ", name]].to_numpy(dtype=object)
        }
        for domain, name in names.items()
    }

    def find(relation: str) -> set[tuple[str, str, str]]:
        mine = relrec[relrec["RELID"].str.fullmatch(relation + "[0-9]+")]
        found = {}
        for domain, subject, number, relid in mine[["RDOMAIN", "USUBJID", "IDVARVAL", "RELID"]].to_numpy():
            found.setdefault((subject, relid), {})[domain] = identifiers[domain][subject, number]
        left, right = relation[:2], relation[2:]
        result = {(subject, sides[left], sides[right]) for (subject, _), sides in found.items()}
        assert len(result) == len(found) == len(mine) / 2
        return result

    return find


def raw(name: str) -> list[dict[str, str]]:
    """Read a raw CSV file with the standard library."""
    return read_csv(RAW / f"{name}.csv")


def test_datasets_are_related_by_lesion_assessment_dose_and_diagnosis(sdtm: Read) -> None:
    """One lesion has many measurements, one assessment too; a dose as collected is one dose received."""
    relrec = sdtm("RELREC")
    whole = relrec[relrec["RELTYPE"] != ""]
    assert set(whole["USUBJID"]) | set(whole["IDVARVAL"]) == {""}
    assert whole[["RELID", "RDOMAIN", "IDVAR", "RELTYPE"]].to_numpy().tolist()[:8] == [
        ["TUTR", "TU", "TULNKID", "ONE"],
        ["TUTR", "TR", "TRLNKID", "MANY"],
        ["TRRS", "TR", "TRLNKGRP", "MANY"],
        ["TRRS", "RS", "RSLNKGRP", "ONE"],
        ["ECEX", "EC", "ECLNKID", "ONE"],
        ["ECEX", "EX", "EXLNKID", "ONE"],
        ["MHFA", "MH", "MHSPID", "ONE"],
        ["MHFA", "FA", "FASPID", "MANY"],
    ]


@pytest.mark.parametrize(
    ("one", "name_there", "many", "name_here"),
    [
        ("TU", "TULNKID", "TR", "TRLNKID"),
        ("EC", "ECLNKID", "EX", "EXLNKID"),
        ("MH", "MHSPID", "FA", "FASPID"),
    ],
)
def test_every_link_between_datasets_arrives(
    sdtm: Read, one: str, name_there: str, many: str, name_here: str
) -> None:
    """What a record's link names is there, for the same subject."""
    there, here = sdtm(one), sdtm(many)
    here = here[here[name_here] != ""]
    assert set(zip(here["USUBJID"], here[name_here], strict=True)) <= set(
        zip(there["USUBJID"], there[name_there], strict=True)
    )


def test_an_event_and_the_doses_that_it_changed(pairs: Pairs) -> None:
    """EXEAENO and EXLAENO name a line of the event page: doses not given, delayed or reduced, interruptions."""
    wanted = {
        (f"LEADER-{row['Subject']}", row[column], row["RecordId"])
        for form, column in (("EXE", "EXEAENO"), ("EXL", "EXLAENO"))
        for row in raw(form)
        if row[column]
    }
    assert pairs("AEEC") == wanted
    assert ("LEADER-01-001", "17", "3004206") in wanted


def test_an_event_and_the_medication_given_for_it(pairs: Pairs) -> None:
    """CMAENO names a line of the event page."""
    wanted = {(f"LEADER-{row['Subject']}", row["CMAENO"], row["RecordId"]) for row in raw("CM") if row["CMAENO"]}
    assert len(wanted) == 105
    assert pairs("AECM") == wanted


def test_a_history_and_the_medication_taken_for_it(pairs: Pairs) -> None:
    """CMMHNO names a position on the history page of the same subject: Nexium of 01-001 is for GERD, line 2."""
    line = {(row["Subject"], row["RecordPosition"]): row["RecordId"] for row in raw("MH")}
    wanted = {
        (f"LEADER-{row['Subject']}", line[row["Subject"], row["CMMHNO"]], row["RecordId"])
        for row in raw("CM")
        if row["CMMHNO"]
    }
    assert pairs("MHCM") == wanted
    assert ("LEADER-01-001", "3004006", "3004235") in wanted


def test_related_records_have_a_number_and_no_type(sdtm: Read) -> None:
    """RELTYPE is empty between records, IDVAR is the sequence number, every RELID of a subject stands twice."""
    relrec = sdtm("RELREC")
    records = relrec[relrec["USUBJID"] != ""]
    assert set(records["RELTYPE"]) == {""}
    assert (records["IDVAR"] == records["RDOMAIN"] + "SEQ").all()
    assert set(records.groupby(["USUBJID", "RELID"]).size()) == {2}
