"""ERIANLO, the clinical domains of the first transfer: each truth is read from the raw file with the standard library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from read_back import Row, read_csv, read_findings, read_forms, rows

STUDY = Path(__file__).parents[2] / "mappings" / "anlotinib-breast"
RAW = STUDY / "raw" / "2022-05-09"
Read = Callable[[str], pd.DataFrame]
Form = Callable[[str], list[Row]]


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path]) -> Path:
    """Run the first transfer once."""
    return run_study("anlotinib-breast")


@pytest.fixture(scope="module")
def form() -> Form:
    """Return a function that gives the rows of one form in the EDC's flat export: those where the form is used."""
    return read_forms(RAW / "ERIANLO_DATA_2022-04-30.csv")


def translations() -> dict[str, str]:
    """Read the signed translation table."""
    return {row["original"]: row["english"] for row in read_csv(STUDY / "lookups" / "translations.csv")}


def select(data: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """Take the records whose variables have these values; a subject is named by its number."""
    for name, value in wanted.items():
        data = data[data[name] == (f"ERIANLO-01-{value}" if name == "USUBJID" else value)]
    return data


def qualifiers(supp: pd.DataFrame, record: pd.DataFrame) -> Row:
    """Return the supplemental qualifiers of the one record."""
    (number,) = (f"{value:g}" for value in record.filter(regex="^..SEQ$").iloc[:, 0])
    about = supp[(supp["USUBJID"] == record["USUBJID"].iloc[0]) & (supp["IDVARVAL"] == number)]
    return dict(zip(about["QNAM"], about["QVAL"], strict=True))


def test_every_form_has_its_domain_and_every_row_its_record(sdtm: Read, form: Form):
    """Counted from the flat export: one record per row that the domain takes."""
    given = [row for row in form("eribulin") if row["eri_given"] == "1"]
    prior, later = form("prior_treatment"), form("subsequent_therapy")
    numbers = {(row["record_id"], row["ae_no"]) for row in form("adverse_events")}
    counted = {
        "DM": len(form("enrollment")) - 1,  # one person was screened twice
        "EX": len(given) + len(form("anlotinib")),
        "EC": len(form("eribulin")) + len(form("anlotinib")),
        "AE": len(numbers),  # one event number stands twice
        "CM": len(form("concomitant_meds"))
        + sum(row["pt_type"] in "1236" for row in prior)
        + sum(row["st_type"] == "1" for row in later),
        "PR": sum(row["pt_type"] in "45" for row in prior) + sum(row["st_type"] in "23" for row in later),
        "MH": len(form("medical_history")) + 2 * len(form("disease_history")),
        "SS": len(form("followup")),
        "DD": sum(row["dth_cause"] != "" for row in form("death")),
        "IE": sum(row[name] == "1" for row in form("enrollment") for name in row if name.startswith("elig_fail___")),
        "DS": len(form("enrollment"))
        + sum(row["enrolled"] == "1" for row in form("enrollment"))
        + 2 * len(form("end_of_treatment"))
        + len(form("study_exit")),
    }
    assert {name: len(sdtm(name)) for name in counted} == counted


def test_demography_of_the_treated_the_dead_and_the_screened_out(sdtm: Read):
    """EA001 is followed up, EA002 died, EA015 failed screening, EA031 came back as EA032 and keeps one USUBJID."""
    dm = sdtm("DM").set_index("USUBJID", drop=False)
    columns = (
        "SUBJID RFICDTC RFSTDTC RFXSTDTC RFXENDTC RFPENDTC DTHDTC DTHFL BRTHDTC AGE SEX RACE ARMCD ACTARMCD ARMNRS"
    )
    wanted = [f"ERIANLO-01-{number}" for number in ("EA001", "EA002", "EA015", "EA031")]
    assert rows(dm.loc[wanted], columns) == [
        ["EA001", "2021-03-01", "2021-03-15", "2021-03-15", "2021-10-18", "", "", "", "1961-12", "59", "F", "ASIAN", "ERIANL", "ERIANL", ""],
        ["EA002", "2021-03-04", "2021-03-16", "2021-03-16", "2021-06-03", "2021-06-03", "2021-06-03", "Y", "1978-02", "43", "F", "ASIAN", "ERIANL", "ERIANL", ""],
        ["EA015", "2021-06-21", "", "", "", "2021-06-30", "", "", "1966-04", "55", "F", "ASIAN", "", "", "SCREEN FAILURE"],
        ["EA032", "2022-01-10", "2022-02-21", "2022-02-21", "2022-04-26T10:05", "", "", "", "1972-11", "49", "F", "ASIAN", "ERIANL", "ERIANL", ""],
    ]  # fmt: skip
    assert "ERIANLO-01-EA032" not in dm.index


def test_the_dose_of_a_screening_failure_stays_and_is_reported(out: Path, sdtm: Read):
    """EA005 failed screening and has a dose four days later: kept in EX, no reference period, an accepted finding."""
    assert rows(select(sdtm("EX"), USUBJID="EA005"), "EXTRT EXDOSE EXSTDTC EXSTDY") == [
        ["ERIBULIN", "2.38", "2021-04-03T13:25", ""]
    ]
    assert rows(select(sdtm("DM"), USUBJID="EA005"), "RFSTDTC ARMCD ARMNRS") == [["", "", "SCREEN FAILURE"]]
    found = [row for row in read_findings(out) if row["dataset"] == "EX"]
    assert [(row["key"], row["variables"], row["explanation"] != "") for row in found] == [
        ("USUBJID=ERIANLO-01-EA005", "_enrolled", True)
    ]


def test_elements_follow_each_other_without_gaps(sdtm: Read):
    """EA002 died on the day of the last dose; EA031 was screened twice; EA007 is under treatment."""
    se = sdtm("SE")
    wanted = se[se["USUBJID"].isin([f"ERIANLO-01-{number}" for number in ("EA001", "EA002", "EA007", "EA031")])]
    assert rows(wanted, "USUBJID ETCD TAETORD EPOCH SESTDTC SEENDTC") == [
        ["ERIANLO-01-EA001", "SCRN", "1", "SCREENING", "2021-03-01", "2021-03-15"],
        ["ERIANLO-01-EA001", "ERIANL", "2", "TREATMENT", "2021-03-15", "2021-10-19"],
        ["ERIANLO-01-EA001", "FUP", "3", "FOLLOW-UP", "2021-10-19", ""],
        ["ERIANLO-01-EA002", "SCRN", "1", "SCREENING", "2021-03-04", "2021-03-16"],
        ["ERIANLO-01-EA002", "ERIANL", "2", "TREATMENT", "2021-03-16", "2021-06-03"],
        ["ERIANLO-01-EA007", "SCRN", "1", "SCREENING", "2021-03-25", "2021-04-09"],
        ["ERIANLO-01-EA007", "ERIANL", "2", "TREATMENT", "2021-04-09", ""],
        ["ERIANLO-01-EA031", "SCRN", "1", "SCREENING", "2022-01-10", "2022-01-18"],
        ["ERIANLO-01-EA031", "SCRN", "1", "SCREENING", "2022-02-07", "2022-02-21"],
        ["ERIANLO-01-EA031", "ERIANL", "2", "TREATMENT", "2022-02-21", ""],
    ]


def test_every_chinese_term_of_an_event_a_history_and_a_drug_is_in_english(sdtm: Read, form: Form):
    """AETERM, MHTERM, CMTRT and CMINDC are the verbatim, or its translation by the table, and never empty."""
    english = translations()
    for domain, variable, name, field in (
        ("AE", "AETERM", "adverse_events", "ae_term"),
        ("MH", "MHTERM", "medical_history", "mh_term"),
        ("CM", "CMTRT", "concomitant_meds", "cm_name"),
        ("CM", "CMINDC", "concomitant_meds", "cm_indication"),
    ):
        wanted = Counter(english.get(row[field], row[field]) for row in form(name) if row["redcap_repeat_instance"])
        data = sdtm(domain)
        found = Counter(data[variable])
        assert wanted - found in (Counter(), Counter({"Nausea": 1})), domain  # one event stands twice in the raw data
        assert "" not in data[variable].tolist()


def test_no_dataset_holds_text_that_is_not_ascii(out: Path):
    """The agency's transport format is ASCII; the originals stay in the raw files that the lineage names."""
    for path in sorted((out / "sdtm").glob("*.xpt")):
        data, _ = pyreadstat.read_xport(path)
        for name in data.select_dtypes(exclude="number"):
            assert all(str(value).isascii() for value in data[name].unique()), f"{path.name} {name}"


def test_an_event_of_before_the_first_dose_keeps_its_grade_and_when_it_got_worse(sdtm: Read):
    """EA022: fatigue (乏力) of grade 1 before the first dose, grade 2 from 19 October 2021, ongoing."""
    event = select(sdtm("AE"), USUBJID="EA022", AESPID="1")
    columns = "AETERM AEDECOD AETOXGR AESTDTC AEOUT AEENDTC AEENRTPT AEENTPT EPOCH"
    assert rows(event, columns) == [
        ["Fatigue", "Fatigue", "2", "2021-09-29", "NOT RECOVERED/NOT RESOLVED", "", "ONGOING", "2022-04-30", "SCREENING"]
    ]  # fmt: skip
    assert qualifiers(sdtm("SUPPAE"), event) == {
        "AERELERI": "UNLIKELY",
        "AERELANL": "UNLIKELY",
        "AEACNERI": "DOSE NOT CHANGED",
        "AEACNANL": "DOSE NOT CHANGED",
        "AEPREDOS": "Y",
        "AEGRPRE": "1",
        "AEWORSDT": "2021-10-19",
    }


def test_boxes_of_seriousness_are_the_criteria_of_ae(sdtm: Read, form: Form):
    """EA002: a life-threatening neutropenia, a fatal pneumonia in hospital; everywhere else as ticked."""
    ae = sdtm("AE")
    criteria = ["AESDTH", "AESLIFE", "AESHOSP", "AESDISAB", "AESCONG", "AESMIE"]
    serious = select(ae, USUBJID="EA002", AESER="Y")
    assert rows(serious, "AETERM AETOXGR AEOUT " + " ".join(criteria)) == [
        ["Neutrophil decreased", "4", "RECOVERED/RESOLVED", "N", "Y", "N", "N", "N", "N"],
        ["Lung infection", "5", "FATAL", "Y", "N", "Y", "N", "N", "N"],
    ]
    ticked = Counter(
        name
        for row in form("adverse_events")
        for number, name in enumerate(criteria, start=1)
        if row[f"ae_sae_crit___{number}"] == "1"
    )
    assert {name: int((ae[name] == "Y").sum()) for name in criteria} == {name: ticked[name] for name in criteria}


def test_aerel_and_aeacn_are_the_closest_and_the_gravest_of_both_drugs(sdtm: Read, form: Form):
    """Computed anew from the two answers of every row; each drug's own stands in SUPPAE."""
    relations = {"1": "DEFINITE", "2": "PROBABLE", "3": "POSSIBLE", "4": "UNLIKELY", "5": "NOT RELATED"}
    closest = Counter(
        relations[min(row["ae_rel_eri"], row["ae_rel_anl"])]
        for row in form("adverse_events")
        if (row["record_id"], row["redcap_repeat_instance"]) != ("1", "13")  # the event number that stands twice
    )
    ae = sdtm("AE")
    assert Counter(ae["AEREL"]) == closest
    event = select(ae, USUBJID="EA014", AESPID="2")
    assert rows(event, "AETERM AEACN") == [["High blood pressure", "DOSE REDUCED"]]
    found = qualifiers(sdtm("SUPPAE"), event)
    assert (found["AEACNERI"], found["AEACNANL"]) == ("DOSE NOT CHANGED", "DOSE REDUCED")


def test_medications_have_their_coded_name_their_dose_and_partial_dates(sdtm: Read):
    """A start known to the month, a dose that goes on, HS (at night) as QHS, and 31 June, which does not exist."""
    cm = select(sdtm("CM"), CMCAT="CONCOMITANT MEDICATION")
    columns = "CMTRT CMDECOD CMDOSE CMDOSU CMDOSFRQ CMROUTE CMSTDTC CMENRTPT CMENTPT"
    wanted = cm[(cm["USUBJID"] == "ERIANLO-01-EA001") & cm["CMSPID"].isin(["1-CM1", "1-CM3", "1-CM4"])]
    assert rows(wanted, columns) == [
        ["Urea ointment", "UREA", "1", "APPLICATION", "BID", "TOPICAL", "2021-04-22", "", ""],
        ["Sinpharderm cream", "UREA", "1", "APPLICATION", "BID", "TOPICAL", "2021-05", "", ""],
        ["Mecobalamin tablets", "GABAPENTIN", "300", "mg", "TID", "ORAL", "2021-05-31", "ONGOING", "2022-04-30"],
    ]
    assert set(select(cm, CMDOSFRQ="QHS")["CMDECOD"]) == {"ZOLPIDEM", "SENNOSIDE A+B"}
    assert rows(select(cm, USUBJID="EA007", CMSPID="7-CM3"), "CMSTDTC") == [["2021-06"]]


def test_anti_tumour_treatment_is_cm_or_pr_by_its_type(sdtm: Read):
    """EA004 before and EA024 after the study treatment: drugs in CM, radiotherapy and surgery in PR."""
    cm, pr = sdtm("CM"), sdtm("PR")
    before = select(cm, USUBJID="EA001", CMCAT="PRIOR ANTICANCER THERAPY")
    assert rows(before, "CMTRT CMSCAT CMSTDTC CMENDTC CMRSDISC EPOCH") == [
        ["EC-T", "CHEMOTHERAPY", "2014-11-20", "2015-04", "COMPLETED", ""],
        ["Anastrozole", "ENDOCRINE THERAPY", "2015-06", "2019-02", "PROGRESSION", ""],
        ["Vinorelbine", "CHEMOTHERAPY", "2020-07-23", "2020-11-08", "PROGRESSION", ""],
        ["Capecitabine", "CHEMOTHERAPY", "2020-11-22", "2021-01-28", "PROGRESSION", ""],
    ]
    assert rows(select(pr, USUBJID="EA004"), "PRTRT PRDECOD PRSCAT PRDOSE PRDOSU PRSTDTC") == [
        ["Modified radical mastectomy", "MODIFIED RADICAL MASTECTOMY", "SURGERY", "", "", "2015"],
        ["Chest wall + supraclavicular region 50 Gy/25 F", "RADIOTHERAPY", "RADIOTHERAPY", "50", "Gy", "2016-05"],
    ]
    after = select(pr, PRCAT="SUBSEQUENT ANTICANCER THERAPY")
    assert rows(after, "USUBJID PRTRT PRDECOD PRSTDTC EPOCH") == [
        ["ERIANLO-01-EA024", "Palliative radiotherapy", "RADIOTHERAPY", "2022-02", "FOLLOW-UP"]
    ]
    assert Counter(select(cm, CMCAT="SUBSEQUENT ANTICANCER THERAPY")["CMTRT"]) == Counter(
        {"Gemcitabine + carboplatin": 2, "Sacituzumab govitecan": 1, "Vinorelbine": 1, "Etoposide capsules": 1}
    )


def test_a_dose_not_given_is_in_ec_alone_with_its_reason(sdtm: Read):
    """EA002, cycle 3, Day 8: not given because of an adverse event; EX has the doses given of the same names."""
    ec, ex = sdtm("EC"), sdtm("EX")
    missed = select(ec, USUBJID="EA002", ECOCCUR="N")
    assert rows(missed, "ECLNKID ECTRT ECREASOC ECDOSE ECDOSU VISIT ECSTDTC") == [
        ["ERI-C3D8", "ERIBULIN", "ADVERSE EVENT", "", "", "CYCLE 3 DAY 8", "2021-05-11"]
    ]
    received = ec[ec["ECOCCUR"] == "Y"]
    assert Counter(zip(received["USUBJID"], received["ECLNKID"], received["ECSTDTC"], strict=True)) == Counter(
        zip(ex["USUBJID"], ex["EXLNKID"], ex["EXSTDTC"], strict=True)
    )


def test_a_cycle_of_anlotinib_is_a_record_and_one_that_is_running_is_ongoing(sdtm: Read, form: Form):
    """14 days of the daily dose; six cycles run at the cut-off."""
    ex = select(sdtm("EX"), EXTRT="ANLOTINIB")
    first = select(ex, USUBJID="EA001").head(2)
    assert rows(first, "EXLNKID EXDOSE EXDOSU EXDOSFRQ EXSTDTC EXENDTC EXSTDY EXENDY") == [
        ["ANL-C1", "12", "mg", "QD", "2021-03-15", "2021-03-28", "1", "14"],
        ["ANL-C2", "12", "mg", "QD", "2021-04-05", "2021-04-18", "22", "35"],
    ]
    running = [row for row in form("anlotinib") if row["anl_end"] == ""]
    assert rows(ex[ex["EXENRTPT"] == "ONGOING"], "EXENDTC EXENTPT") == [["", "2022-04-30"]] * len(running)


def test_a_dose_level_that_the_form_does_not_know_is_left_out_and_reported(out: Path, sdtm: Read):
    """EA007, cycle 2, Day 1: level 5; the dose in mg stands, the level does not."""
    record = select(sdtm("EC"), USUBJID="EA007", ECLNKID="ERI-C2D1")
    assert rows(record, "ECDOSE ECDOSU") == [["3.2", "mg"]]
    found = [row for row in read_findings(out) if row["dataset"] == "EC"]
    assert sorted((row["values"], row["explanation"] != "") for row in found) == [
        ("5", True),
        ("DOSE ON 2021-08-25 VISIT ON 2021-07-26", True),
    ]


def test_a_criterion_not_met_is_that_of_the_protocol(sdtm: Read):
    """Each box of the enrolment form is a criterion of TI by its number."""
    ie, ti = sdtm("IE"), sdtm("TI")
    assert rows(ie, "USUBJID IETESTCD IECAT IEORRES IESTRESC VISITNUM") == [
        ["ERIANLO-01-EA005", "INCL06", "INCLUSION", "N", "N", "1"],
        ["ERIANLO-01-EA015", "EXCL02", "EXCLUSION", "Y", "Y", "1"],
        ["ERIANLO-01-EA023", "EXCL05", "EXCLUSION", "Y", "Y", "1"],
        ["ERIANLO-01-EA031", "EXCL06", "EXCLUSION", "Y", "Y", "1"],
    ]
    criteria = ["IETESTCD", "IETEST", "IECAT"]
    assert len(ti) == 16
    assert len(ie.merge(ti, on=criteria)) == len(ie)


def test_every_visit_of_every_domain_is_in_sv_and_no_number_has_two_names(out: Path, sdtm: Read):
    """All records with a visit number, but those of the laboratory's number that is not enrolled."""
    sv = sdtm("SV")
    visited = set(zip(sv["USUBJID"], sv["VISITNUM"], strict=True))
    for path in sorted((out / "sdtm").glob("*.xpt")):
        data, _ = pyreadstat.read_xport(path)
        if {"USUBJID", "VISITNUM"} <= set(data.columns):
            known = data[data["VISITNUM"].notna() & (data["USUBJID"] != "ERIANLO-01-EA099")]
            assert set(zip(known["USUBJID"], known["VISITNUM"], strict=True)) <= visited, path.name
            assert set(known.groupby("VISITNUM")["VISIT"].nunique()) <= {1}, path.name
    planned = sv[sv["VISITNUM"] % 1 == 0]
    tv = sdtm("TV")
    names = set(zip(tv["VISITNUM"], tv["VISIT"], strict=True))
    assert set(zip(planned["VISITNUM"], planned["VISIT"], strict=True)) <= names


def test_visits_that_were_not_done_say_why_and_unscheduled_ones_what_for(sdtm: Read):
    """疫情管控 is epidemic control; EA002 came between cycle 1 Day 8 and cycle 2 because dosing was delayed."""
    sv = sdtm("SV")
    missed = sv[(sv["SVOCCUR"] == "N") & (sv["VISITNUM"] < 1000)]
    assert rows(missed, "USUBJID VISITNUM VISIT SVPRESP SVREASOC SVEPCHGI SVSTDTC") == [
        ["ERIANLO-01-EA011", "18", "CYCLE 1 DAY 8", "Y", "EPIDEMIC CONTROL MEASURES", "Y", ""],
        ["ERIANLO-01-EA012", "68", "CYCLE 6 DAY 8", "Y", "EPIDEMIC CONTROL MEASURES", "Y", ""],
    ]
    between = sv[(sv["USUBJID"] == "ERIANLO-01-EA002") & sv["VISITNUM"].between(18, 21)]
    assert rows(between, "VISITNUM VISIT SVSTDTC SVUPDES") == [
        ["18", "CYCLE 1 DAY 8", "2021-03-23", ""],
        ["18.1", "UNSCHEDULED 18.1", "2021-04-05", "LABORATORY SAMPLE WITHOUT A VISIT FORM"],
        [
            "18.2",
            "UNSCHEDULED 18.2",
            "2021-04-06",
            "DOSING DELAYED BECAUSE OF AN ADVERSE EVENT; BLOOD COUNT REPEATED",
        ],
        ["21", "CYCLE 2 DAY 1", "2021-04-13", ""],
    ]


def test_disposition_of_a_subject_who_progressed_and_of_one_who_withdrew(sdtm: Read):
    """EA001 ended both drugs for progression; EA006 withdrew; EA005 failed screening."""
    ds = sdtm("DS")
    wanted = ds[ds["USUBJID"].isin([f"ERIANLO-01-{number}" for number in ("EA001", "EA005", "EA006")])]
    assert rows(wanted, "USUBJID DSSTDTC DSTERM DSDECOD DSSCAT DSSPID") == [
        ["ERIANLO-01-EA001", "2021-03-01", "INFORMED CONSENT OBTAINED", "INFORMED CONSENT OBTAINED", "", "EA001"],
        ["ERIANLO-01-EA001", "2021-03-13", "ENROLLED", "ENTERED INTO TRIAL", "", "EA001"],
        ["ERIANLO-01-EA001", "2021-10-18", "DISEASE PROGRESSION", "PROGRESSIVE DISEASE", "ANLOTINIB", "ANLOTINIB"],
        ["ERIANLO-01-EA001", "2021-10-18", "DISEASE PROGRESSION", "PROGRESSIVE DISEASE", "ERIBULIN", "ERIBULIN"],
        ["ERIANLO-01-EA005", "2021-03-22", "INFORMED CONSENT OBTAINED", "INFORMED CONSENT OBTAINED", "", "EA005"],
        ["ERIANLO-01-EA005", "2021-03-30", "SCREENING FAILURE", "SCREEN FAILURE", "STUDY PARTICIPATION", "EXIT"],
        ["ERIANLO-01-EA006", "2021-03-24", "INFORMED CONSENT OBTAINED", "INFORMED CONSENT OBTAINED", "", "EA006"],
        ["ERIANLO-01-EA006", "2021-04-05", "ENROLLED", "ENTERED INTO TRIAL", "", "EA006"],
        ["ERIANLO-01-EA006", "2021-07-11", "WITHDRAWAL BY SUBJECT", "WITHDRAWAL BY SUBJECT", "ANLOTINIB", "ANLOTINIB"],
        ["ERIANLO-01-EA006", "2021-07-11", "WITHDRAWAL BY SUBJECT", "WITHDRAWAL BY SUBJECT", "ERIBULIN", "ERIBULIN"],
        ["ERIANLO-01-EA006", "2021-07-11", "WITHDRAWAL OF CONSENT", "WITHDRAWAL BY SUBJECT", "STUDY PARTICIPATION", "EXIT"],
    ]  # fmt: skip


def test_history_of_the_disease_stands_beside_other_history(sdtm: Read):
    """EA004: diagnosis and first metastasis known to the month; fatty liver known to the year, and over."""
    mh = select(sdtm("MH"), USUBJID="EA004")
    assert sorted(rows(mh, "MHCAT MHTERM MHEVDTYP MHSTDTC MHENDTC MHENRTPT MHENTPT")) == [
        ["GENERAL MEDICAL HISTORY", "Anxiety", "", "2020-09-03", "", "ONGOING", "2021-03-19"],
        ["GENERAL MEDICAL HISTORY", "Fatty liver", "", "2015", "2020-10", "", ""],
        ["GENERAL MEDICAL HISTORY", "Hyperlipidaemia", "", "2019-11-12", "", "ONGOING", "2021-03-19"],
        ["GENERAL MEDICAL HISTORY", "cough", "", "2016-05", "", "ONGOING", "2021-03-19"],
        ["PRIMARY DIAGNOSIS", "BREAST CANCER", "INITIAL DIAGNOSIS", "2015-10", "", "", ""],
        ["PRIMARY DIAGNOSIS", "METASTATIC BREAST CANCER", "DISEASE BECAME METASTATIC", "2019-03", "", "", ""],
    ]


def test_survival_status_says_how_it_was_learned_and_death_its_cause(sdtm: Read):
    """EA008 could not be reached; EA002 died of an adverse event, EA026 of breast cancer."""
    ss = sdtm("SS")
    assert rows(select(ss, USUBJID="EA008"), "SSTEST SSORRES SSSTRESC VISIT SSDTC EPOCH") == [
        ["Survival Status", "UNKNOWN", "UNKNOWN", "FOLLOW-UP 1", "2021-11-29", "FOLLOW-UP"]
    ]
    second = select(ss, USUBJID="EA001").iloc[[1]]
    assert qualifiers(sdtm("SUPPSS"), second) == {"SSHOW": "CLINIC", "SSLKADTC": "2022-04-06", "SSNEWTRT": "N"}
    assert rows(sdtm("DD"), "USUBJID DDTESTCD DDSTRESC DDDTC") == [
        ["ERIANLO-01-EA002", "PRCDTH", "ADVERSE EVENT", "2021-06-03"],
        ["ERIANLO-01-EA026", "PRCDTH", "BREAST CANCER", "2021-12-03"],
    ]


def test_an_event_is_related_to_what_it_caused(sdtm: Read, form: Form):
    """One pair for every event number on a medication, a dose, or a death that names an event of the same subject."""
    relrec = sdtm("RELREC")
    pairs = relrec[relrec["USUBJID"] != ""]
    numbers = {(row["record_id"], row["ae_no"]) for row in form("adverse_events")}
    for kind, named in {
        "AECM": [(row["record_id"], row["cm_ae_no"]) for row in form("concomitant_meds")],
        "AEEC": [(row["record_id"], row["eri_ae_no"]) for row in form("eribulin")]
        + [(row["record_id"], row["anl_ae_no"]) for row in form("anlotinib")],
        "AEDD": [(row["record_id"], row["dth_ae_no"]) for row in form("death")],
    }.items():
        found = pairs[pairs["RELID"].str.fullmatch(kind + "[0-9]+")]
        assert len(found) == 2 * sum(name in numbers for name in named), kind
    ae, dd = select(sdtm("AE"), USUBJID="EA002", AESPID="11"), select(sdtm("DD"), USUBJID="EA002")
    assert rows(pairs[pairs["RELID"].str.startswith("AEDD")], "RDOMAIN IDVAR IDVARVAL RELTYPE") == [
        ["AE", "AESEQ", f"{ae['AESEQ'].iloc[0]:g}", ""],
        ["DD", "DDSEQ", f"{dd['DDSEQ'].iloc[0]:g}", ""],
    ]


def test_the_trial_design_is_that_of_the_protocol(sdtm: Read):
    """One arm of three elements; the parameters of the technical rejection criteria, the cut-off from the transfer."""
    assert rows(sdtm("TA"), "ARMCD TAETORD ETCD EPOCH") == [
        ["ERIANL", "1", "SCRN", "SCREENING"],
        ["ERIANL", "2", "ERIANL", "TREATMENT"],
        ["ERIANL", "3", "FUP", "FOLLOW-UP"],
    ]
    assert sdtm("TE")["ETCD"].tolist() == ["ERIANL", "FUP", "SCRN"]
    ts = sdtm("TS")
    values = dict(zip(ts["TSPARMCD"], ts["TSVAL"], strict=True))
    expected = {"SSTDTC": "2021-03-01", "DCUTDTC": "2022-04-30", "PLANSUB": "40", "ACTSUB": "31"}
    assert {name: values[name] for name in expected} == expected
    assert ((ts["TSVAL"] == "") == (ts["TSVALNF"] != "")).all()


def test_what_is_wrong_in_the_clinical_forms_is_reported(out: Path):
    """Each fault of the raw data that these domains meet, with the form's row; all accepted but the two warnings."""
    domains = {"AE", "CM", "DD", "DM", "DS", "EC", "EX", "IE", "MH", "PR", "SE", "SS", "SV"}
    found = [row for row in read_findings(out) if row["dataset"] in domains]
    assert sorted((row["dataset"], row["rule"], row["values"], row["explanation"] != "") for row in found) == [
        ("AE", "MAP-DUPLICATE", "1 / 1", False),
        ("AE", "MAP-RECODE", "GRADE 5", True),
        ("AE", "MAP-RECODE", "NOT SERIOUS CRITERION", True),
        ("AE", "MAP-RECODE", "SERIOUS", True),
        ("AE", "SDTM-TIME-ORDER", "2021-03-31 | 2020-04-01", True),
        ("CM", "MAP-DATE-PART", "2021-06-31", False),
        ("EC", "MAP-RECODE", "5", True),
        ("EC", "MAP-RECODE", "DOSE ON 2021-08-25 VISIT ON 2021-07-26", True),
        ("EX", "MAP-RECODE", "0", True),
        ("SV", "MAP-RECODE", "2021-06-28 AFTER DEATH 2021-06-03", True),
        ("SV", "MAP-RECODE", "2021-09-07 BEFORE CONSENT 2021-09-09", True),
    ]
