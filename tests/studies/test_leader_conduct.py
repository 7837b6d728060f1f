"""LEADER's conduct of the study in the first transfer: elements, visits, eligibility, disposition, survival, death."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from read_back import read_csv, rows

STUDY = Path(__file__).parents[2] / "mappings" / "leader"
RAW = STUDY / "raw" / "2020-01-06"
Read = Callable[[str], pd.DataFrame]


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path]) -> Path:
    """Run the first transfer once."""
    return run_study("leader")


def raw(name: str) -> list[dict[str, str]]:
    """Read a raw CSV file with the standard library."""
    return read_csv(RAW / f"{name}.csv")


def of(data: pd.DataFrame, subject: str) -> pd.DataFrame:
    """Take the records of one subject."""
    return data[data["USUBJID"] == f"LEADER-{subject}"]


# --- elements -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "elements"),
    [
        ("01-001", [  # in follow-up at the cut-off
            ["SCRN", "SCREENING", "2018-07-12", "2018-07-23"],
            ["LENERI", "TREATMENT", "2018-07-23", "2019-07-23"],
            ["FUP", "FOLLOW-UP", "2019-07-23", ""],
        ]),
        ("01-016", [  # on treatment at the cut-off
            ["SCRN", "SCREENING", "2019-10-30", "2019-11-14"],
            ["LENERI", "TREATMENT", "2019-11-14", ""],
        ]),
        ("02-002", [  # withdrew consent on the day of the last dose
            ["SCRN", "SCREENING", "2018-09-10", "2018-09-26"],
            ["LENERI", "TREATMENT", "2018-09-26", "2019-02-10"],
        ]),
        ("01-012", [["SCRN", "SCREENING", "2019-03-19", "2019-03-27"]]),  # a screening failure
        ("02-008", [["SCRN", "SCREENING", "2019-07-29", "2019-08-17"]]),  # enrolled, never dosed
        ("01-017", [["SCRN", "SCREENING", "2019-12-16", ""]]),  # in screening at the cut-off
    ],
)  # fmt: skip
def test_elements_as_they_went(sdtm: Read, subject: str, elements: list[list[str]]) -> None:
    """One element after the other, without gaps; no follow-up for whom the participation ended with the last dose."""
    assert rows(of(sdtm("SE"), subject), "ETCD EPOCH SESTDTC SEENDTC") == elements


def test_a_dose_of_a_screening_failure_stays_as_recorded(sdtm: Read) -> None:
    """01-003 failed screening on 9 August; a lenvatinib period from 14 August was entered: both dates stand."""
    assert rows(of(sdtm("SE"), "01-003"), "ETCD SESTDTC SEENDTC") == [
        ["SCRN", "2018-08-02", "2018-08-14"],
        ["LENERI", "2018-08-14", "2018-08-09"],
    ]
    assert rows(of(sdtm("DM"), "01-003"), "RFXSTDTC RFPENDTC ARMCD ARMNRS") == [
        ["2018-08-14", "2018-08-09", "", "SCREEN FAILURE"]
    ]


def test_elements_are_those_of_the_design(sdtm: Read) -> None:
    """Code, name, order and epoch of every element are in TA."""
    columns = ["ETCD", "ELEMENT", "TAETORD", "EPOCH"]
    planned = {tuple(row) for row in sdtm("TA")[columns].to_numpy().tolist()}
    assert {tuple(row) for row in sdtm("SE")[columns].to_numpy().tolist()} == planned


def test_the_epoch_of_a_date_is_that_of_its_element(sdtm: Read) -> None:
    """02-002's last lenvatinib and 01-001's first survival contact."""
    ex, ss = sdtm("EX"), sdtm("SS")
    assert set(of(ex, "02-002")["EPOCH"]) == {"TREATMENT"}
    assert rows(of(ss, "01-001").head(1), "SSDTC EPOCH") == [["2019-10-09", "FOLLOW-UP"]]


# --- visits -------------------------------------------------------------------------------------------------------------


def test_every_visit_form_assessment_and_contact_is_a_visit(sdtm: Read) -> None:
    """Counted with the standard library; the other visits are laboratory samples without a form."""
    sv = sdtm("SV")
    wanted = len(raw("SV")) + sum(row["Folder"] == "TA" for row in raw("RS")) + len(raw("SU"))
    assert (sv["SVUPDES"] != "LABORATORY SAMPLE WITHOUT A VISIT FORM").sum() == wanted


def test_visits_that_did_not_take_place_say_why(sdtm: Read) -> None:
    """No date, planned, not occurred, with the reason."""
    sv = sdtm("SV")
    assert rows(sv[sv["SVOCCUR"] == "N"], "USUBJID VISITNUM VISITDY SVPRESP SVREASOC SVCNTMOD SVSTDTC") == [
        ["LEADER-01-007", "118", "218", "Y", "PATIENT'S PERSONAL REASON", "", ""],
        ["LEADER-01-008", "58", "92", "Y", "TYPHOON", "", ""],
        ["LEADER-02-001", "1018", "127", "Y", "PATIENT REFUSED SCAN", "", ""],
        ["LEADER-02-001", "1024", "169", "Y", "PATIENT ABROAD", "", ""],
    ]


def test_an_unscheduled_visit_was_not_planned(sdtm: Read) -> None:
    """01-007 between day 8 of cycle 1 and day 1 of cycle 2."""
    sv = of(sdtm("SV"), "01-007")
    assert rows(sv[sv["SVSTDTC"] == "2018-11-06"], "VISITNUM VISIT VISITDY SVPRESP SVOCCUR SVCNTMOD SVUPDES") == [
        ["18.1", "UNSCHEDULED 18.1", "", "", "", "IN PERSON", "TREATMENT HELD BECAUSE OF ADVERSE EVENT"]
    ]


def test_a_sample_without_a_visit_form_is_a_visit_once(sdtm: Read) -> None:
    """02-002's specimens stand on several sheets of the laboratory's workbook; each day is one visit."""
    sv = of(sdtm("SV"), "02-002")
    alone = sv[sv["SVUPDES"].str.startswith("LABORATORY")]
    assert rows(alone, "VISITNUM SVPRESP SVSTDTC") == [
        ["28.1", "", "2018-10-26"],
        ["28.2", "", "2018-10-30"],
        ["31.1", "", "2018-11-09"],
        ["41.1", "", "2018-12-02"],
        ["48.1", "", "2018-12-06"],
        ["48.2", "", "2018-12-11"],
    ]


@pytest.mark.parametrize("domain", ["EC", "EG", "IE", "LB", "RS", "SS", "TR", "TU", "VS"])
def test_every_visit_of_a_record_is_a_visit_of_its_subject(sdtm: Read, domain: str) -> None:
    """Apart from the laboratory's number 01-041, which is nobody's."""
    columns = ["USUBJID", "VISITNUM", "VISIT"]
    visits = {tuple(row) for row in sdtm("SV")[columns].to_numpy().tolist()}
    data = sdtm(domain)
    used = data[data["VISITNUM"].notna() & (data["USUBJID"] != "LEADER-01-041")]
    assert {tuple(row) for row in used[columns].drop_duplicates().to_numpy().tolist()} - visits == set()


def test_planned_visits_are_planned_in_the_design_and_others_are_not(sdtm: Read) -> None:
    """Number, name and day of a planned visit are those of TV; SVPRESP says which are planned."""
    sv, columns = sdtm("SV"), ["VISITNUM", "VISIT", "VISITDY"]
    planned = {tuple(row) for row in sdtm("TV")[columns].fillna(0).to_numpy().tolist()}
    asked = sv[sv["SVPRESP"] == "Y"][columns].fillna(0).drop_duplicates().to_numpy().tolist()
    assert {tuple(row) for row in asked} <= planned
    assert not set(sv.loc[sv["SVPRESP"] == "", "VISITNUM"]) & set(sdtm("TV")["VISITNUM"])


def test_nobody_asked_about_the_pandemic_yet(sdtm: Read) -> None:
    """The field came with the second transfer."""
    assert set(sdtm("SV")["SVEPCHGI"]) == {""}


# --- eligibility --------------------------------------------------------------------------------------------------------


def test_criteria_not_met_in_the_words_of_the_protocol(sdtm: Read) -> None:
    """An inclusion criterion is answered No, an exclusion criterion Yes; both point to TI."""
    ie, ti = sdtm("IE"), sdtm("TI")
    assert rows(ie, "USUBJID IETESTCD IECAT IEORRES IESTRESC VISITNUM EPOCH") == [
        ["LEADER-01-003", "INCL05B", "INCLUSION", "N", "N", "1", "SCREENING"],
        ["LEADER-01-012", "INCL05H", "INCLUSION", "N", "N", "1", "SCREENING"],
        ["LEADER-02-004", "EXCL04", "EXCLUSION", "Y", "Y", "1", "SCREENING"],
    ]
    criteria = dict(zip(ti["IETESTCD"], ti["IETEST"], strict=True))
    assert ie["IETEST"].tolist() == [criteria[number] for number in ie["IETESTCD"]]


def test_the_forms_own_words_are_kept_where_they_differ(sdtm: Read) -> None:
    """The form prints EXCL04 shorter than the protocol."""
    assert rows(sdtm("SUPPIE"), "USUBJID QNAM QVAL") == [[
        "LEADER-02-004",
        "IETESTC",
        "Uncontrollable hypertension (SBP > 140 mmHg and/or DBP > 90 mmHg despite medication)",
    ]]  # fmt: skip


def test_who_fails_a_criterion_is_a_screening_failure(sdtm: Read) -> None:
    """In IE, in DS and in DM."""
    ds, dm = sdtm("DS"), sdtm("DM")
    failures = set(sdtm("IE")["USUBJID"])
    assert set(ds.loc[ds["DSDECOD"] == "SCREEN FAILURE", "USUBJID"]) == failures
    assert set(dm.loc[dm["ARMNRS"] == "SCREEN FAILURE", "USUBJID"]) == failures


# --- disposition --------------------------------------------------------------------------------------------------------


def test_the_disposition_of_a_subject(sdtm: Read) -> None:
    """01-009: each drug ended by itself, and DSSCAT names it; enrolled on the day of the first dose, before it."""
    assert rows(of(sdtm("DS"), "01-009"), "DSTERM DSDECOD DSCAT DSSCAT EPOCH DSSTDTC DSSTDY") == [
        ["INFORMED CONSENT OBTAINED", "INFORMED CONSENT OBTAINED", "PROTOCOL MILESTONE", "", "SCREENING", "2018-11-26", "-14"],
        ["ENROLLED", "ENTERED INTO TRIAL", "PROTOCOL MILESTONE", "", "SCREENING", "2018-12-10", "1"],
        ["ADVERSE EVENT", "ADVERSE EVENT", "DISPOSITION EVENT", "LENVATINIB", "TREATMENT", "2019-09-18", "283"],
        ["DISEASE PROGRESSION (RECIST)", "PROGRESSIVE DISEASE", "DISPOSITION EVENT", "ERIBULIN", "FOLLOW-UP", "2019-10-01", "296"],
    ]  # fmt: skip


def test_every_page_is_an_event(sdtm: Read) -> None:
    """Consents, enrolments, ends of treatment and ends of study, counted from the raw files."""
    forms = raw("ENR")
    wanted = {
        "INFORMED CONSENT OBTAINED": len(forms),
        "ENTERED INTO TRIAL": sum(row["ENRYN_STD"] == "Y" for row in forms),
    }
    ds = sdtm("DS")
    assert Counter(ds.loc[ds["DSCAT"] == "PROTOCOL MILESTONE", "DSDECOD"]) == wanted
    drugs = Counter(row["EOTDRUG"].upper() for row in raw("EOT"))
    wanted = {**drugs, "STUDY PARTICIPATION": len(raw("EOS"))}
    assert Counter(ds.loc[ds["DSCAT"] == "DISPOSITION EVENT", "DSSCAT"]) == wanted


def test_the_last_dose_that_the_page_names_stands_beside_it(sdtm: Read) -> None:
    """Dosing dates come from the dosing records; the page of 01-009's lenvatinib also names the event that ended it."""
    supp = of(sdtm("SUPPDS"), "01-009")
    assert rows(supp, "IDVARVAL QNAM QVAL") == [
        ["3", "DSLSTDOS", "2019-09-17"],
        ["3", "DSAENO", "13"],
        ["4", "DSLSTDOS", "2019-09-25"],
    ]


def test_the_end_of_participation_is_the_end_of_study(sdtm: Read) -> None:
    """RFPENDTC and DTHDTC of DM are the dates of the events of DS."""
    ds, dm = sdtm("DS"), sdtm("DM").set_index("USUBJID")
    ended = ds[ds["DSSCAT"] == "STUDY PARTICIPATION"].set_index("USUBJID")
    assert ended["DSSTDTC"].to_dict() == dm.loc[dm["RFPENDTC"] != "", "RFPENDTC"].to_dict()
    died = ended[ended["DSDECOD"] == "DEATH"]
    assert died["DSSTDTC"].to_dict() == dm.loc[dm["DTHFL"] == "Y", "DTHDTC"].to_dict()


# --- survival and death -------------------------------------------------------------------------------------------------


def test_status_and_date_last_known_alive_of_a_contact(sdtm: Read) -> None:
    """01-004 was seen in the clinic on 7 August and known alive on 31 July; 01-006 could not be reached."""
    ss = sdtm("SS")
    contact = of(ss, "01-004").query("VISITNUM == 9102")
    assert rows(contact, "SSTESTCD SSTEST SSSTRESC SSDTC VISIT") == [
        ["LSCFADTC", "Latest Date Subject Confirmed Alive", "2019-07-31", "2019-08-07", "SURVIVAL FOLLOW-UP 2"],
        ["SURVSTAT", "Survival Status", "ALIVE", "2019-08-07", "SURVIVAL FOLLOW-UP 2"],
    ]
    about = of(sdtm("SUPPSS"), "01-004").query("IDVARVAL == '4'")
    assert rows(about, "QNAM QVAL") == [["SSCNTMTH", "CLINIC VISIT"], ["SSNACT", "Y"]]
    assert rows(of(ss, "01-006"), "SSTESTCD SSSTRESC") == [["SURVSTAT", "UNKNOWN"]]


def test_contacts_are_visits_by_telephone_or_in_person(sdtm: Read) -> None:
    """How the contact was made, by the raw form."""
    words = {"1": "TELEPHONE CALL", "2": "IN PERSON", "3": ""}
    sv = sdtm("SV")
    contacts = sv[sv["VISITNUM"] > 9100]
    wanted = sorted((f"LEADER-{row['Subject']}", row["SUDAT_INT"], words[row["SUMETH_STD"]]) for row in raw("SU"))
    found = contacts[["USUBJID", "SVSTDTC", "SVCNTMOD"]].to_numpy().tolist()
    assert sorted(tuple(row) for row in found) == wanted


def test_the_cause_of_a_death_and_the_event_that_led_to_it(sdtm: Read) -> None:
    """01-002 died of the adverse event on line 16."""
    assert rows(sdtm("DD"), "USUBJID DDTESTCD DDTEST DDORRES DDSTRESC DDEVAL DDDTC") == [
        ["LEADER-01-002", "PRCDTH", "Primary Cause of Death", "ADVERSE EVENT", "ADVERSE EVENT", "INVESTIGATOR", "2018-10-31"]
    ]  # fmt: skip
    relrec, ae = sdtm("RELREC"), sdtm("AE")
    number = next(iter(relrec.loc[relrec["RDOMAIN"] == "DD", "RELID"]))
    related = relrec[relrec["RELID"] == number]
    event = related.loc[related["RDOMAIN"] == "AE", "IDVARVAL"].iloc[0]
    fatal = of(ae, "01-002").query(f"AESEQ == {event}")
    assert rows(fatal, "AESPID AEOUT AESDTH") == [["16", "FATAL", "Y"]]
