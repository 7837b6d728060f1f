"""LEADER's treatments and histories, the first transfer from raw files to XPT: EC, CM, MH, FA, PR and CO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from read_back import read_csv, read_findings, rows

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


def select(data: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """Take the records whose variables have these values."""
    for name, value in wanted.items():
        data = data[data[name] == value]
    return data


def qualifiers(supp: pd.DataFrame, record: pd.DataFrame) -> dict[str, str]:
    """Return the supplemental qualifiers of the one record."""
    (number,) = (f"{value:g}" for value in record.filter(regex="^..SEQ$").iloc[:, 0])
    mine = supp[(supp["USUBJID"] == record["USUBJID"].iloc[0]) & (supp["IDVARVAL"] == number)]
    return dict(zip(mine["QNAM"], mine["QVAL"], strict=True))


# --- exposure as collected ------------------------------------------------------------------------------------------


def test_every_line_of_the_dosing_forms_is_in_ec_and_every_dose_received_in_ex(sdtm: Read) -> None:
    """Counted from the raw files: given and not given, dose above 0 and interruption."""
    eribulin, lenvatinib = raw("EXE"), raw("EXL")
    wanted = Counter(("ERIBULIN", row["EXEADM_STD"]) for row in eribulin)
    wanted += Counter(("LENVATINIB", "Y" if float(row["EXLDOSE"]) else "N") for row in lenvatinib)
    ec, ex = sdtm("EC"), sdtm("EX")
    assert Counter(zip(ec["ECTRT"], ec["ECOCCUR"], strict=True)) == wanted
    taken = ec[ec["ECOCCUR"] == "Y"]
    assert set(zip(taken["USUBJID"], taken["ECLNKID"], strict=True)) == set(
        zip(ex["USUBJID"], ex["EXLNKID"], strict=True)
    )
    assert taken["ECDOSE"].sum() == pytest.approx(ex["EXDOSE"].sum())


def test_eribulin_not_given_did_not_occur_for_its_reason(sdtm: Read) -> None:
    """01-007: no dose and no unit, but the visit and its date; the visit C11D8 did not take place and has none."""
    missed = select(sdtm("EC"), USUBJID="LEADER-01-007", ECTRT="ERIBULIN", ECOCCUR="N")
    assert rows(missed, "VISIT VISITNUM ECREASOC ECDOSE ECDOSU ECDOSFRQ ECSTDTC EPOCH") == [
        ["CYCLE 11 DAY 8", "118", "OTHER", "", "", "", "", ""],
        ["CYCLE 1 DAY 8", "18", "ADVERSE EVENT", "", "", "", "2018-10-23", "TREATMENT"],
        ["CYCLE 3 DAY 8", "38", "ADVERSE EVENT", "", "", "", "2018-12-13", "TREATMENT"],
        ["CYCLE 4 DAY 8", "48", "ADVERSE EVENT", "", "", "", "2019-01-02", "TREATMENT"],
    ]


def test_a_lenvatinib_interruption_is_a_period_that_did_not_occur(sdtm: Read) -> None:
    """01-001: 14 mg, interrupted, 10 mg; the third period begins before the second ends, as entered."""
    periods = select(sdtm("EC"), USUBJID="LEADER-01-001", ECTRT="LENVATINIB")
    assert rows(periods, "ECOCCUR ECREASOC ECDOSE ECDOSU ECDOSFRQ ECADJ ECSTDTC ECENDTC ECENRTPT") == [
        ["Y", "", "14", "mg", "QD", "ADVERSE EVENT", "2018-07-23", "2018-10-05", ""],
        ["N", "ADVERSE EVENT", "", "", "", "", "2018-10-06", "2018-10-25", ""],
        ["Y", "", "10", "mg", "QD", "DISEASE PROGRESSION", "2018-10-19", "2019-07-22", ""],
    ]


def test_a_period_without_an_end_is_ongoing_at_the_cutoff(sdtm: Read) -> None:
    """Five subjects take lenvatinib at the cut-off, in EC and in EX."""
    subjects = sorted(f"LEADER-{row['Subject']}" for row in raw("EXL") if row["EXLONGO_STD"] == "Y")
    assert len(subjects) == 5
    for name in ("EC", "EX"):
        ongoing = sdtm(name)[lambda data, name=name: data[f"{name}ENRTPT"] == "ONGOING"]
        assert sorted(ongoing["USUBJID"]) == subjects
        assert set(ongoing[f"{name}ENTPT"]) == {"2019-12-31"}
        assert set(ongoing[f"{name}ENDTC"]) == {""}


def test_an_administration_keeps_what_its_dose_was_computed_from(sdtm: Read) -> None:
    """The first eribulin of 01-001: level, weight, surface, volume, neither delayed nor reduced."""
    given = select(sdtm("EC"), USUBJID="LEADER-01-001", VISIT="CYCLE 1 DAY 1")
    assert rows(given, "ECTRT ECDOSE ECDOSU ECPSTRG ECPSTRGU ECSTDTC ECDUR") == [
        ["ERIBULIN", "2.06", "mg", "0.5", "g/L", "2018-07-23T11:10", "PT3M"]
    ]
    assert qualifiers(sdtm("SUPPEC"), given) == {
        "ECLVL": "1.1 mg/m2",
        "ECWT": "68.1",
        "ECBSA": "1.87",
        "ECVOL": "4.12",
        "ECDLY": "N",
        "ECRED": "N",
    }


def test_delays_and_reductions_are_told_with_their_reason(sdtm: Read) -> None:
    """Counted from the raw file by what was changed and why; EX says the same as EC."""
    words = {("Y", "Y"): "DOSE LEVEL REDUCED; DOSE DELAYED", ("Y", "N"): "DOSE LEVEL REDUCED", ("N", "Y"): "DOSE DELAYED"}  # fmt: skip
    wanted = Counter(
        "; ".join(filter(None, (words[row["EXERED_STD"], row["EXEDLY_STD"]], row["EXEDLYR"].upper())))
        for row in raw("EXE")
        if "Y" in (row["EXERED_STD"], row["EXEDLY_STD"])
    )
    for name in ("EC", "EX"):
        changed = sdtm(name)
        changed = changed[(changed[f"{name}TRT"] == "ERIBULIN") & (changed[f"{name}ADJ"] != "")]
        assert Counter(changed[f"{name}ADJ"]) == wanted


# --- medications and systemic therapies -----------------------------------------------------------------------------


def test_every_medication_and_therapy_is_a_record(sdtm: Read) -> None:
    """A page that says none is no record; radiotherapy after the study treatment is in PR."""
    assert Counter(sdtm("CM")["CMCAT"]) == {
        "PRIOR AND CONCOMITANT MEDICATION": len(raw("CM")),
        "PRIOR ANTI-CANCER THERAPY": sum(row["PSTYN_STD"] == "Y" for row in raw("PST")),
        "SUBSEQUENT ANTI-CANCER THERAPY": sum(row["SATTYPE_STD"] == "1" for row in raw("SAT")),
    }


def test_pages_that_say_none_are_counted_as_left_out(out: Path) -> None:
    """report/rows.csv accounts for them, with the condition."""
    accounts = {(row["dataset"], row["table"]): row for row in read_csv(out / "report" / "rows.csv")}
    for dataset, table, question in (
        ("CM", "pst", "PSTYN"),
        ("PR", "prt", "PRTYN"),
        ("PR", "psu", "PSUYN"),
    ):
        none = sum(row[f"{question}_STD"] == "N" for row in raw(table.upper()))
        account = accounts[dataset, table]
        assert (account["left_out"], account["where"]) == (str(none), f"{question}_STD != 'N'")
        assert none > 0


def test_a_dose_is_a_number_or_a_text(sdtm: Read) -> None:
    """500-1000 mg is no number: it stands in CMDOSTXT; all other doses add up as collected."""
    cm = sdtm("CM")
    ranges = cm[cm["CMDOSTXT"] != ""]
    assert rows(ranges, "USUBJID CMTRT CMDECOD CMDOSE CMDOSTXT CMDOSU") == [
        ["LEADER-01-004", "Panadol", "PARACETAMOL", "", "500-1000", "mg"],
        ["LEADER-01-008", "Acetaminophen", "PARACETAMOL", "", "500-1000", "mg"],
    ]
    collected = [float(row["CMDOSE"]) for row in raw("CM") if "-" not in row["CMDOSE"]]
    assert cm["CMDOSE"].sum() == pytest.approx(sum(collected))


def test_units_frequencies_and_routes_are_terms(sdtm: Read) -> None:
    """HS is QHS, APPLICATION and PACK are units of the terminology; every record of the log has all three."""
    log = select(sdtm("CM"), CMCAT="PRIOR AND CONCOMITANT MEDICATION")
    collected = raw("CM")
    names = {"HS": "QHS"}
    assert Counter(log["CMDOSFRQ"]) == Counter(names.get(row["CMFRQ_STD"], row["CMFRQ_STD"]) for row in collected)
    assert Counter(log["CMDOSU"]) == Counter(row["CMDOSU_STD"] for row in collected)
    assert Counter(log["CMROUTE"]) == Counter(row["CMROUTE_STD"] for row in collected)


def test_an_impossible_day_is_an_unknown_day_and_reported(sdtm: Read, out: Path) -> None:
    """02-001, 31 FEB 2019: the month is kept, there is no study day, the finding names the row."""
    wrong = select(sdtm("CM"), USUBJID="LEADER-02-001", CMSPID="3012179")
    assert rows(wrong, "CMTRT CMSTDTC CMSTDY CMENDTC") == [["Silymarin", "2019-02", "", "2019-03-06"]]
    found = [row for row in read_findings(out) if row["dataset"] == "CM"]
    assert [(row["rule"], row["variables"], row["record"], row["message"]) for row in found] == [
        (
            "MAP-DATE-PART",
            "CMSTDTC",
            "3012179",
            "'31 FEB 2019': 31 February does not exist, the day is treated as unknown",
        )
    ]


def test_what_is_ongoing_has_no_end_and_says_at_which_time(sdtm: Read) -> None:
    """Medications and histories that go on do so at the cut-off of the transfer."""
    for name in ("CM", "MH"):
        data = sdtm(name)
        ongoing = data[data[f"{name}ENRTPT"] == "ONGOING"]
        assert len(ongoing) == sum(row[f"{name}ONGO_STD"] == "Y" for row in raw(name))
        assert set(ongoing[f"{name}ENTPT"]) == {"2019-12-31"}
        assert set(ongoing[f"{name}ENDTC"]) == {""}


def test_prior_systemic_therapies_of_a_subject(sdtm: Read) -> None:
    """01-001: three regimens with setting, line, best response and the reason for stopping."""
    cm, supp = sdtm("CM"), sdtm("SUPPCM")
    prior = select(cm, USUBJID="LEADER-01-001", CMCAT="PRIOR ANTI-CANCER THERAPY")
    assert rows(prior, "CMTRT CMINDC CMRSDISC CMSTDTC CMENDTC CMSTDY") == [
        ["Ifosfamide", "Myxoid liposarcoma", "COMPLETED", "2011-07-12", "2011-10-30", "-2568"],
        ["Doxorubicin", "Myxoid liposarcoma", "DISEASE PROGRESSION", "2017-04-24", "2017-09-01", "-455"],
        ["Palbociclib", "Myxoid liposarcoma", "DISEASE PROGRESSION", "2017-11-07", "2018-04-18", "-258"],
    ]
    assert [qualifiers(supp, prior.iloc[[place]]) for place in range(3)] == [
        {"CMSETTNG": "ADJUVANT", "CMBOR": "NOT APPLICABLE"},
        {"CMSETTNG": "ADVANCED/METASTATIC", "CMLINE": "1", "CMBOR": "PR"},
        {"CMSETTNG": "ADVANCED/METASTATIC", "CMLINE": "2", "CMBOR": "PR"},
    ]


def test_therapy_after_the_study_treatment_goes_by_its_type(sdtm: Read) -> None:
    """Ifosfamide of 02-007 is a medication, the radiotherapy of 01-004 a procedure; both in the follow-up."""
    systemic = select(sdtm("CM"), CMCAT="SUBSEQUENT ANTI-CANCER THERAPY")
    assert rows(systemic, "USUBJID CMTRT CMSCAT CMSTDTC EPOCH") == [
        ["LEADER-02-007", "Ifosfamide", "SYSTEMIC THERAPY", "2019-11-17", "FOLLOW-UP"]
    ]
    procedure = select(sdtm("PR"), PRCAT="SUBSEQUENT ANTI-CANCER THERAPY")
    assert rows(procedure, "USUBJID PRTRT PRDECOD PRSCAT PRSTDTC EPOCH") == [
        ["LEADER-01-004", "Palliative radiotherapy", "RADIOTHERAPY", "RADIOTHERAPY", "2019-04-01", "FOLLOW-UP"]
    ]


# --- procedures -----------------------------------------------------------------------------------------------------


def test_surgery_with_intent_and_margin(sdtm: Read) -> None:
    """01-002: a resection and, on the same page, the port for its chemotherapy; every page line is a record."""
    pr, supp = sdtm("PR"), sdtm("SUPPPR")
    surgery = select(pr, PRCAT="PRIOR ANTI-CANCER THERAPY", PRSCAT="SURGERY")
    assert len(surgery) == sum(row["PSUYN_STD"] == "Y" for row in raw("PSU"))
    mine = select(surgery, USUBJID="LEADER-01-002")
    assert rows(mine, "PRTRT PRINDC PRSTDTC PRENDTC") == [
        ["Tumor excision with nephrectomy", "Leiomyosarcoma", "2012-08-03", "2012-08-03"],
        ["Port-A implantation", "Leiomyosarcoma", "2016-12-09", "2016-12-09"],
    ]
    assert [qualifiers(supp, mine.iloc[[place]]) for place in range(2)] == [
        {"PRINTENT": "CURATIVE", "PRMARGIN": "R1"},
        {"PRINTENT": "PALLIATIVE", "PRMARGIN": "NOT APPLICABLE"},
    ]


def test_radiotherapy_with_place_dose_and_fractions(sdtm: Read) -> None:
    """The places are terms of the terminology, the side apart; the words of the site stay beside them."""
    pr, supp = sdtm("PR"), sdtm("SUPPPR")
    prior = select(pr, PRCAT="PRIOR ANTI-CANCER THERAPY", PRSCAT="RADIOTHERAPY")
    assert rows(prior, "USUBJID PRTRT PRDOSE PRDOSU PRLOC PRLAT PRSTDTC PRENDTC") == [
        ["LEADER-01-002", "RADIOTHERAPY", "66", "Gy", "LUMBAR SPINE", "", "2016-11-26", "2016-12-28"],
        ["LEADER-02-003", "RADIOTHERAPY", "50.4", "Gy", "LUMBAR SPINE", "", "2017-09-22", "2017-10-23"],
        ["LEADER-02-009", "RADIOTHERAPY", "60", "Gy", "THIGH", "RIGHT", "2018-03-07", "2018-03-21"],
    ]
    assert qualifiers(supp, prior.iloc[[0]]) == {"PRSITE": "L2 spine", "PRFRAC": "33", "PRINTENT": "ADJUVANT"}


# --- medical history and the disease --------------------------------------------------------------------------------


def test_medical_history_is_coded_as_delivered(sdtm: Read) -> None:
    """Every line is a record; GERD of 01-001 with all levels of the dictionary."""
    mh = select(sdtm("MH"), MHCAT="GENERAL MEDICAL HISTORY")
    assert len(mh) == sum(row["MHYN_STD"] == "Y" for row in raw("MH"))
    mine = select(mh, USUBJID="LEADER-01-001", MHTERM="GERD")
    assert rows(mine, "MHDECOD MHPTCD MHLLT MHLLTCD MHSOC MHSOCCD MHBODSYS MHSTDTC") == [
        [
            "Gastrooesophageal reflux disease", "9.20785e+07", "GERD", "9.10708e+07",
            "Gastrointestinal disorders", "9.50473e+07", "Gastrointestinal disorders", "2010-10-09",
        ]
    ]  # fmt: skip
    assert mine["MHPTCD"].iloc[0] == 92078477


def test_partial_dates_of_the_history_stay_partial(sdtm: Read) -> None:
    """As many years and months alone as the raw file has, nothing where nothing is known."""

    def precision(date: str) -> int:
        day, month, year = date.split()
        return sum(part not in ("UN", "UNK") for part in (day, month, year))

    mh = select(sdtm("MH"), MHCAT="GENERAL MEDICAL HISTORY")
    digits = {0: 0, 4: 1, 7: 2, 10: 3}
    assert Counter(digits[len(date)] for date in mh["MHSTDTC"]) == Counter(
        precision(row["MHSTDAT_RAW"]) for row in raw("MH")
    )


def test_the_disease_has_a_date_of_diagnosis_and_one_of_metastasis(sdtm: Read) -> None:
    """01-001 and 01-003: the same diagnosis twice, told apart by the type of date; every subject has both."""
    disease = select(sdtm("MH"), MHCAT="PRIMARY DIAGNOSIS")
    mine = disease[disease["USUBJID"].isin(["LEADER-01-001", "LEADER-01-003"])]
    assert rows(mine, "USUBJID MHTERM MHEVDTYP MHSTDTC") == [
        ["LEADER-01-001", "Myxoid liposarcoma", "INITIAL DIAGNOSIS", "2011-06-16"],
        ["LEADER-01-001", "Myxoid liposarcoma", "DISEASE BECAME METASTATIC", "2012-03-23"],
        ["LEADER-01-003", "Leiomyosarcoma", "INITIAL DIAGNOSIS", "2012-08-25"],
        ["LEADER-01-003", "Leiomyosarcoma", "DISEASE BECAME METASTATIC", "2013-08"],
    ]
    history = raw("DH")
    assert Counter(disease["MHEVDTYP"]) == {
        "INITIAL DIAGNOSIS": len(history),
        "DISEASE BECAME METASTATIC": sum(row["EXTENT_STD"] == "MET" for row in history),
    }


def test_what_is_known_of_the_disease_is_found_about_it(sdtm: Read) -> None:
    """01-001: site, grade, stage, extent of the diagnosis, and where it has spread."""
    fa = select(sdtm("FA"), USUBJID="LEADER-01-001")
    assert rows(fa, "FATESTCD FATEST FAOBJ FASCAT FALOC FAORRES FASTRESC VISIT FADTC") == [
        ["DISEXT", "Extent of Disease", "Myxoid liposarcoma", "", "", "Metastatic", "METASTATIC", "SCREENING", "2018-07-16"],
        ["DSSTAGE", "Disease Stage", "Myxoid liposarcoma", "AJCC V8", "", "Stage IB", "STAGE IB", "SCREENING", "2018-07-16"],
        ["OVLTGRD", "Overall Tumor Grade", "Myxoid liposarcoma", "FNCLCC", "", "Grade 3", "GRADE 3", "SCREENING", "2018-07-16"],
        ["PRYSTUOG", "Primary Site of Tumor Origin", "Myxoid liposarcoma", "", "", "Extremity", "EXTREMITY", "SCREENING", "2018-07-16"],
        ["OCCUR", "Occurrence Indicator", "METASTASIS", "", "BONE", "N", "N", "SCREENING", "2018-07-16"],
        ["OCCUR", "Occurrence Indicator", "METASTASIS", "", "LIVER", "N", "N", "SCREENING", "2018-07-16"],
        ["OCCUR", "Occurrence Indicator", "METASTASIS", "", "LUNG", "Y", "Y", "SCREENING", "2018-07-16"],
        ["OCCUR", "Occurrence Indicator", "METASTASIS", "", "LYMPH NODE", "N", "N", "SCREENING", "2018-07-16"],
        ["OCCUR", "Occurrence Indicator", "METASTASIS", "", "PERITONEUM", "N", "N", "SCREENING", "2018-07-16"],
        ["OCCUR", "Occurrence Indicator", "METASTASIS AT OTHER SITE", "", "", "Y", "Y", "SCREENING", "2018-07-16"],
    ]  # fmt: skip


def test_a_grade_that_was_not_assessed_is_not_done(sdtm: Read) -> None:
    """Without a result, with the reason; and every ticked site is a Y."""
    fa, history = sdtm("FA"), raw("DH")
    grade = select(fa, FATESTCD="OVLTGRD", FASTAT="NOT DONE")
    assert len(grade) == sum(row["GRADE_STD"] == "X" for row in history) > 0
    assert set(grade["FAORRES"]) == {""}
    assert set(grade["FAREASND"]) == {"NOT ASSESSED"}
    boxes = ("METLUNG", "METLIVER", "METBONE", "METLN", "METPERI", "METOTH")
    assert (fa["FAORRES"] == "Y").sum() == sum(row[box] == "1" for row in history for box in boxes)


# --- comments -------------------------------------------------------------------------------------------------------


def test_a_comment_leads_to_the_responses_of_its_assessment(sdtm: Read) -> None:
    """Every comment is there, and its RSLNKGRP is that of responses of the same subject."""
    co, rs = sdtm("CO"), sdtm("RS")
    assert sorted(co["COVAL"]) == sorted(row["RSCOMM"] for row in raw("RS") if row["RSCOMM"])
    assert rows(select(co, USUBJID="LEADER-01-009"), "RDOMAIN IDVAR IDVARVAL COREF COVAL COEVAL") == [
        [
            "RS", "RSLNKGRP", "A2", "TUMOR ASSESSMENT WEEK 12", "Atelectasis obscures target lesion",
            "INVESTIGATOR",
        ]
    ]  # fmt: skip
    pointed = co[["USUBJID", "IDVARVAL"]].set_axis(["USUBJID", "RSLNKGRP"], axis=1)
    responses = rs[["USUBJID", "RSLNKGRP"]].drop_duplicates()
    assert len(pointed.merge(responses)) == len(co)
