"""LEADER's treatments and histories in the second transfer: nothing lost, numbers of a person screened twice apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from read_back import read_csv, read_findings, rows

TRANSFER = "studies/leader/transfers/2021-07-07"
Read = Callable[[str], pd.DataFrame]
Raw = Callable[[str], list[dict[str, str]]]
MEDICAL = ("CM", "CO", "EC", "FA", "MH", "PR", "RELREC")


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path], shared: Callable[[str], Path]) -> Path:
    """Run the study on the second transfer once."""
    return run_study("leader", raw=shared(TRANSFER))


@pytest.fixture(scope="module")
def raw(shared: Callable[[str], Path]) -> Raw:
    """Return a function that reads a raw CSV file with the standard library."""

    def read(name: str) -> list[dict[str, str]]:
        return read_csv(shared(f"{TRANSFER}/{name}.csv"))

    return read


def test_every_line_of_the_pages_is_a_record(sdtm: Read, raw: Raw) -> None:
    """EDC records by their number, as the raw files have them; pages that say none are no records."""
    wanted = {
        "EC": [row for form in ("EXE", "EXL") for row in raw(form)],
        "CM": raw("CM")
        + [row for row in raw("PST") if row["PSTYN_STD"] == "Y"]
        + [row for row in raw("SAT") if row["SATTYPE_STD"] == "1"],
        "PR": [row for row in raw("PRT") if row["PRTYN_STD"] == "Y"]
        + [row for row in raw("PSU") if row["PSUYN_STD"] == "Y"]
        + [row for row in raw("SAT") if row["SATTYPE_STD"] in ("2", "3")],
    }
    for name, lines in wanted.items():
        assert Counter(sdtm(name)[f"{name}SPID"]) == Counter(row["RecordId"] for row in lines), name
    history = sdtm("MH")
    assert Counter(history["MHCAT"]) == {
        "GENERAL MEDICAL HISTORY": sum(row["MHYN_STD"] == "Y" for row in raw("MH")),
        "PRIMARY DIAGNOSIS": 2 * len(raw("DH")),
    }
    assert len(sdtm("FA")) == 10 * len(raw("DH"))
    assert len(sdtm("CO")) == sum(row["RSCOMM"] != "" for row in raw("RS"))


def test_the_subject_that_was_numbered_in_error_is_told_by_its_new_number(sdtm: Read, raw: Raw) -> None:
    """01-014 is 01-031 in all files: its records keep their numbers and belong to the new one."""
    assert "LEADER-01-014" not in {subject for name in MEDICAL for subject in sdtm(name)["USUBJID"]}
    for name, form in (("EC", "EXE"), ("CM", "CM")):
        mine = {row["RecordId"] for row in raw(form) if row["Subject"] == "01-031"}
        data = sdtm(name)
        assert mine
        assert mine <= set(data.loc[data["USUBJID"] == "LEADER-01-031", f"{name}SPID"])


def test_a_person_screened_twice_keeps_both_histories(sdtm: Read) -> None:
    """01-022 failed the wash-out and came back as 01-023: four lines of history then, one now, under one USUBJID."""
    mh = sdtm("MH")
    mine = mh[(mh["USUBJID"] == "LEADER-01-022") & (mh["MHCAT"] == "GENERAL MEDICAL HISTORY")].sort_values("MHSPID")
    assert rows(mine, "MHSPID MHTERM MHSTDTC") == [
        ["3132005", "Fatty liver", "2011"],
        ["3132006", "Diabetes mellitus, type 2", "2019"],
        ["3132007", "constipation", "2009"],
        ["3132008", "Hyperlipidemia", "2013"],
        ["3136005", "asthma", "2008-07-20"],
    ]
    assert "LEADER-01-023" not in set(mh["USUBJID"])


def test_line_numbers_of_a_first_screening_do_not_meet_those_of_the_second(sdtm: Read) -> None:
    """Metformin and MgO of 01-022 are for lines 2 and 3 of its own history page, not for lines of 01-023."""
    relrec, mh, cm = sdtm("RELREC"), sdtm("MH"), sdtm("CM")
    mine = relrec[(relrec["USUBJID"] == "LEADER-01-022") & relrec["RELID"].str.startswith("MHCM")]
    named = {("MH", f"{number:g}"): term for number, term in rows_of(mh, "MHSEQ", "MHTERM")}
    named |= {("CM", f"{number:g}"): term for number, term in rows_of(cm, "CMSEQ", "CMTRT")}
    together: dict[str, set[str]] = {}
    for relid, domain, number in mine[["RELID", "RDOMAIN", "IDVARVAL"]].to_numpy():
        together.setdefault(relid, set()).add(named[domain, number])
    assert sorted(map(sorted, together.values())) == [
        ["Diabetes mellitus, type 2", "Metformin"],
        ["MgO", "constipation"],
    ]


def rows_of(data: pd.DataFrame, *columns: str) -> list[list[object]]:
    """Return the columns of the records of the person screened twice."""
    return data.loc[data["USUBJID"] == "LEADER-01-022", list(columns)].to_numpy(dtype=object).tolist()


def test_ongoing_means_at_the_cutoff_of_this_transfer(sdtm: Read) -> None:
    """30 June 2021, in every domain that has something ongoing."""
    for name in ("EC", "EX", "CM", "MH"):
        data = sdtm(name)
        assert set(data.loc[data[f"{name}ENRTPT"] == "ONGOING", f"{name}ENTPT"]) == {"2021-06-30"}, name


def test_only_the_impossible_day_is_found_in_these_domains(out: Path) -> None:
    """31 FEB 2019 has not been corrected since the first transfer; nothing else is refused or breaks a rule."""
    found = [row for row in read_findings(out) if row["dataset"].removeprefix("SUPP") in MEDICAL]
    assert [(row["rule"], row["severity"], row["dataset"], row["variables"], row["record"]) for row in found] == [
        ("MAP-DATE-PART", "warning", "CM", "CMSTDTC", "3012179")
    ]
