"""LEADER's conduct of the study in the second transfer: a person screened twice, a new field, deaths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from read_back import read_csv, read_findings, rows

TRANSFER = "studies/leader/transfers/2021-07-07"
MINE = ("TA", "TE", "TV", "TI", "TS", "SE", "SV", "IE", "DS", "SS", "DD")
Read = Callable[[str], pd.DataFrame]
Raw = Callable[[str], list[dict[str, str]]]


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


def of(data: pd.DataFrame, subject: str) -> pd.DataFrame:
    """Take the records of one subject."""
    return data[data["USUBJID"] == f"LEADER-{subject}"]


def test_nothing_is_wrong_in_these_domains_but_the_dosed_screening_failure(out: Path) -> None:
    """Findings of the domains of this module, accepted ones included."""
    found = [row for row in read_findings(out) if row["dataset"] in MINE]
    assert [(row["rule"], row["dataset"], row["key"], bool(row["explanation"])) for row in found] == [
        ("SDTM-TIME-ORDER", "SE", "USUBJID=LEADER-01-003 SESEQ=2", True)
    ]


def test_the_new_field_says_which_visits_the_pandemic_affected(sdtm: Read, raw: Raw) -> None:
    """SVCOVID, asked from February 2020 on."""
    sv, forms = sdtm("SV"), raw("SV")
    wanted = Counter(row["SVCOVID_STD"] for row in forms if row["SVCOVID_STD"])
    assert Counter(sv.loc[sv["SVEPCHGI"] != "", "SVEPCHGI"]) == wanted == {"Y": 10, "N": 285}
    affected = {(f"LEADER-{row['Subject']}", row["VISDAT_INT"]) for row in forms if row["SVCOVID_STD"] == "Y"}
    found = sv[sv["SVEPCHGI"] == "Y"]
    once = {"LEADER-01-022": "LEADER-01-023"}  # the number of the second screening on the forms
    subjects = [once.get(subject, subject) for subject in found["USUBJID"]]
    assert set(zip(subjects, found["SVSTDTC"], strict=True)) == affected


def test_a_person_screened_twice_has_two_screenings(sdtm: Read) -> None:
    """01-022 failed, came again as 01-023 and was treated: one person, both consents, the failed criterion kept."""
    assert rows(of(sdtm("SE"), "01-022"), "ETCD SESTDTC SEENDTC") == [
        ["SCRN", "2020-06-01", "2020-06-08"],
        ["SCRN", "2020-06-25", "2020-07-13"],
        ["LENERI", "2020-07-13", "2020-10-09"],
        ["FUP", "2020-10-09", ""],
    ]
    assert rows(of(sdtm("DS"), "01-022"), "DSDECOD DSSCAT EPOCH DSSTDTC") == [
        ["INFORMED CONSENT OBTAINED", "", "SCREENING", "2020-06-01"],
        ["SCREEN FAILURE", "STUDY PARTICIPATION", "SCREENING", "2020-06-08"],
        ["INFORMED CONSENT OBTAINED", "", "SCREENING", "2020-06-25"],
        ["ENTERED INTO TRIAL", "", "SCREENING", "2020-07-13"],
        ["PROGRESSIVE DISEASE", "ERIBULIN", "TREATMENT", "2020-10-08"],
        ["PROGRESSIVE DISEASE", "LENVATINIB", "TREATMENT", "2020-10-08"],
    ]
    assert rows(of(sdtm("IE"), "01-022"), "IETESTCD IEORRES") == [["INCL10B", "N"]]
    dm = of(sdtm("DM"), "01-022")
    assert rows(dm, "SUBJID ARMCD ARMNRS RFXSTDTC RFPENDTC") == [["01-023", "LENERI", "", "2020-07-13", ""]]
    assert of(sdtm("DM"), "01-023").empty


def test_both_screening_visits_of_that_person_are_kept(sdtm: Read) -> None:
    """They have one number, SCREENING, and two dates."""
    sv = of(sdtm("SV"), "01-022")
    assert rows(sv[sv["VISITNUM"] == 1], "VISIT SVOCCUR SVSTDTC") == [
        ["SCREENING", "Y", "2020-06-02"],
        ["SCREENING", "Y", "2020-06-29"],
    ]


def test_an_assessment_outside_the_schedule_is_an_unscheduled_visit(sdtm: Read) -> None:
    """01-020 after week 12."""
    sv = of(sdtm("SV"), "01-020")
    assert rows(sv[sv["VISITNUM"].between(1012.01, 1017)], "VISITNUM VISIT SVPRESP SVOCCUR SVUPDES") == [
        ["1012.1", "UNSCHEDULED 1012.1", "", "", "UNSCHEDULED TUMOR ASSESSMENT"]
    ]


def test_every_death_has_its_cause_and_its_dates_agree(sdtm: Read, raw: Raw) -> None:
    """DD, DS, SS and DM tell the same thirteen deaths."""
    deaths = {f"LEADER-{row['Subject']}": row["DTHDAT_INT"] for row in raw("DTH")}
    dd, ds, dm, ss = sdtm("DD"), sdtm("DS"), sdtm("DM"), sdtm("SS")
    assert len(deaths) == 13
    assert dict(zip(dd["USUBJID"], dd["DDDTC"], strict=True)) == deaths
    assert Counter(dd["DDSTRESC"]) == {"DISEASE UNDER STUDY": 11, "ADVERSE EVENT": 2}
    died = ds[(ds["DSDECOD"] == "DEATH") & (ds["DSSCAT"] == "STUDY PARTICIPATION")]
    assert dict(zip(died["USUBJID"], died["DSSTDTC"], strict=True)) == deaths
    dead = dm[dm["DTHFL"] == "Y"]
    assert dict(zip(dead["USUBJID"], dead["DTHDTC"], strict=True)) == deaths
    told = ss[ss["SSSTRESC"] == "DEAD"]
    assert set(told["USUBJID"]) <= set(deaths)
    assert all(date >= deaths[subject] for subject, date in zip(told["USUBJID"], told["SSDTC"], strict=True))


def test_the_trial_summary_follows_the_transfer(sdtm: Read, raw: Raw) -> None:
    """Cut-off and number of enrolled subjects."""
    ts = sdtm("TS").set_index("TSPARMCD")
    assert ts.loc["DCUTDTC", "TSVAL"] == "2021-06-30"
    assert ts.loc["ACTSUB", "TSVAL"] == str(sum(row["ENRYN_STD"] == "Y" for row in raw("ENR"))) == "31"


def test_the_subject_that_was_numbered_in_error_is_told_by_its_new_number(sdtm: Read) -> None:
    """01-014 of the first transfer is 01-031 now."""
    for name in ("SE", "SV", "DS", "SS", "DD"):
        subjects = set(sdtm(name)["USUBJID"])
        assert "LEADER-01-014" not in subjects
        assert "LEADER-01-031" in subjects


def test_every_visit_of_a_record_is_a_visit_of_its_subject(sdtm: Read) -> None:
    """In all domains with visits, apart from the laboratory's number 01-041, which is nobody's."""
    columns = ["USUBJID", "VISITNUM", "VISIT"]
    visits = {tuple(row) for row in sdtm("SV")[columns].to_numpy().tolist()}
    used = pd.concat([sdtm(name)[columns] for name in ("EC", "EG", "IE", "LB", "RS", "SS", "TR", "TU", "VS")])
    used = used[used["VISITNUM"].notna() & (used["USUBJID"] != "LEADER-01-041")].drop_duplicates()
    assert {tuple(row) for row in used.to_numpy().tolist()} - visits == set()
