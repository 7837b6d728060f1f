"""ERIANLO, measurements and lesions: each truth is read from the raw files with the standard library."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from read_back import read_csv, read_findings, read_forms, rows

PROJECT = Path(__file__).parents[2]
STUDY = PROJECT / "mappings" / "anlotinib-breast"
RAW = STUDY / "raw" / "2022-05-09"
CUTOFF = "2022-04-30"


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path]) -> Path:
    """Run the first transfer once."""
    return run_study("anlotinib-breast")


@pytest.fixture(scope="module")
def lis() -> list[dict[str, str]]:
    """The laboratory's file up to the cut-off."""
    exported = read_csv(RAW / "LIS_20220509.csv", encoding="gb18030")
    return [row for row in exported if row["采样时间"][:10] <= CUTOFF]


@pytest.fixture(scope="module")
def form():
    """Return a function that gives the rows of one form in the EDC's flat export: those where the form is used."""
    return read_forms(RAW / "ERIANLO_DATA_2022-04-30.csv")


def person(number: str) -> str:
    """USUBJID of a record or a laboratory number; EA032 is EA031, screened again."""
    number = f"EA{int(number.removeprefix('EA')):03d}"
    return f"ERIANLO-01-{'EA031' if number == 'EA032' else number}"


# Laboratory


@pytest.fixture(scope="module")
def testcd():
    """Return a function that gives LBTESTCD of the laboratory's name of a test."""
    codes = {row["test"]: row["testcd"] for row in read_csv(STUDY / "lookups" / "lis_tests.csv")}
    return lambda name: codes[name.strip()]


def test_every_laboratory_row_up_to_the_cutoff_is_a_record(sdtm, lis, testcd):
    """Barcode, test and collection time name a result; none is lost, and what came after the cut-off is left out."""
    given = Counter(
        (person(row["受试者编号"]), row["条码号"], testcd(row["检验项目"]), row["采样时间"].replace(" ", "T"))
        for row in lis
    )
    lb = sdtm("LB")
    assert Counter(zip(lb["USUBJID"], lb["LBREFID"], lb["LBTESTCD"], lb["LBDTC"], strict=True)) == given


def test_our_range_indicator_agrees_with_the_laboratorys_own_flag(sdtm, lis, testcd):
    """↑ and ↓ of the file and LOW, NORMAL, HIGH from its ranges; a dipstick that is flagged is ABNORMAL."""
    flags = {(row["条码号"], testcd(row["检验项目"])): row["提示"] for row in lis}
    assert len(flags) == len(lis)
    lb = sdtm("LB")
    reported = rows(lb[lb["LBORRES"] != ""], "LBREFID LBTESTCD LBMETHOD LBNRIND")
    assert {
        (flags[number, test], "dipstick" if method else "range", indicator)
        for number, test, method, indicator in reported
    } == {
        ("", "range", "NORMAL"),
        ("↓", "range", "LOW"),
        ("↑", "range", "HIGH"),
        ("", "dipstick", "NORMAL"),
        ("", "dipstick", ""),
        ("↑", "dipstick", "ABNORMAL"),
    }


def test_the_reference_range_is_split_at_its_dash(sdtm):
    """3.5-9.5 of the leukocytes; a range that is a word is LBSTNRC."""
    lb = sdtm("LB")
    leukocytes = lb[lb["LBTESTCD"] == "WBC"]
    assert {tuple(row) for row in rows(leukocytes, "LBORNRLO LBORNRHI LBSTNRLO LBSTNRHI LBSTNRC")} == {
        ("3.5", "9.5", "3.5", "9.5", "")
    }
    dipstick = lb[(lb["LBTESTCD"] == "PROT") & (lb["LBSPEC"] == "URINE")]
    assert {tuple(row) for row in rows(dipstick, "LBORNRLO LBORNRHI LBSTNRLO LBSTNRHI LBSTNRC")} == {
        ("", "", "", "", "NEGATIVE")
    }


def test_words_and_signs_of_the_laboratory_in_english(sdtm, lis):
    """阴性 and ± of the urine dipstick, counted in the file."""
    given = Counter(row["结果"] for row in lis if row["检验项目"] == "尿蛋白")
    lb = sdtm("LB")
    dipstick = lb[(lb["LBTESTCD"] == "PROT") & (lb["LBSPEC"] == "URINE")]
    assert Counter(map(tuple, rows(dipstick, "LBORRES LBSTRESC LBORRESU LBSTRESN LBMETHOD LBCAT"))) == {
        ("NEGATIVE", "NEGATIVE", "", "", "DIPSTICK MEASUREMENT METHOD", "URINALYSIS"): given["阴性"],
        ("+/-", "TRACE", "", "", "DIPSTICK MEASUREMENT METHOD", "URINALYSIS"): given["±"],
        ("1+", "1+", "", "", "DIPSTICK MEASUREMENT METHOD", "URINALYSIS"): given["1+"],
        ("2+", "2+", "", "", "DIPSTICK MEASUREMENT METHOD", "URINALYSIS"): given["2+"],
        ("3+", "3+", "", "", "DIPSTICK MEASUREMENT METHOD", "URINALYSIS"): given["3+"],
    }


def test_the_protein_of_a_whole_day_is_another_test(sdtm, lis):
    """24小时尿蛋白定量 in g/24h is a rate of excretion in g/day, collected over 24 hours."""
    given = sorted(row["结果"] for row in lis if row["标本类型"] == "24小时尿")
    lb = sdtm("LB")
    found = lb[lb["LBTESTCD"] == "PROTEXR"]
    assert sorted(found["LBORRES"]) == given
    assert {tuple(row) for row in rows(found, "LBORRESU LBSTRESU LBSPEC LBPDUR LBORNRHI")} == {
        ("g/day", "g/day", "URINE", "PT24H", "0.15")
    }


def test_a_test_that_was_not_done_says_why(sdtm, lis):
    """---- and empty results: the laboratory's remark is the reason, and there is no unit."""
    words = {"标本溶血": "HEMOLYZED SPECIMEN", "标本量不足": "INSUFFICIENT SPECIMEN"}
    given = Counter((row["条码号"], words[row["备注"]]) for row in lis if row["结果"] in ("", "----"))
    lb = sdtm("LB")
    lost = lb[lb["LBSTAT"] == "NOT DONE"]
    assert Counter(zip(lost["LBREFID"], lost["LBREASND"], strict=True)) == given
    assert set(lost["LBORRES"]) | set(lost["LBORRESU"]) | set(lost["LBSTRESC"]) == {""}


def test_a_hemolysed_specimen_with_a_result_keeps_it(sdtm, lis):
    """The condition of the specimen stands beside the result."""
    given = Counter((row["条码号"], row["结果"]) for row in lis if row["备注"] == "标本溶血" and row["结果"])
    lb = sdtm("LB")
    found = lb[(lb["LBSPCCND"] == "HEMOLYZED") & (lb["LBSTAT"] == "")]
    assert Counter(zip(found["LBREFID"], found["LBORRES"], strict=True)) == given


def test_a_result_below_the_limit_has_no_number(sdtm):
    """<4.0 of the bilirubin under 0 to 21."""
    lb = sdtm("LB")
    found = lb[lb["LBORRES"].str.startswith("<")]
    assert rows(found, "LBTESTCD LBORRES LBSTRESC LBSTRESN LBSTRESU LBNRIND") == [
        ["BILI", "<4.0", "<4.0", "", "umol/L", "NORMAL"]
    ]


def test_a_test_name_with_a_wide_blank_at_its_end_is_not_lost(sdtm, lis):
    """One haemoglobin came as 血红蛋白 with an ideographic space."""
    (row,) = [row for row in lis if row["检验项目"] != row["检验项目"].strip()]
    lb = sdtm("LB")
    found = lb[(lb["LBREFID"] == row["条码号"]) & (lb["LBTESTCD"] == "HGB")]
    assert rows(found, "LBORRES LBORRESU") == [[row["结果"], "g/L"]]


def test_samples_belong_to_the_visit_of_their_day(sdtm, lis, form):
    """The day of a visit that was made names the visit; every other day is an unscheduled one."""
    made = {(person(row["record_id"]), row["v_date"]) for row in form("visit") if row["v_done"] == "1"}
    made -= {
        (person(row["record_id"]), row["v_date"])
        for row in form("visit")
        if row["redcap_event_name"] == "unscheduled_arm_1"
    }
    called = {(person(row["record_id"]), row["fu_date"]) for row in form("followup")}
    lb = sdtm("LB")
    for subject, day, visit, number in rows(lb, "USUBJID LBDTC VISIT VISITNUM"):
        planned = (subject, day[:10]) in made | called
        assert planned != visit.startswith("UNSCHEDULED"), (subject, day)
        assert planned == (float(number) % 1 == 0)


# Vital signs, ECG, heart


def test_every_vital_sign_that_was_measured_is_there(sdtm, form):
    """Five fields of the form, and the height of Demographics; digits of a Chinese input method are digits."""
    fields = {"sbp": "SYSBP", "dbp": "DIABP", "pulse": "PULSE", "temp": "TEMP", "weight": "WEIGHT"}
    given = Counter(
        (person(row["record_id"]), test, row[field].replace("１２６", "126"), f"{row['vs_date']}T{row['vs_time']}")
        for row in form("vitals")
        for field, test in fields.items()
        if row[field]
    )
    vs = sdtm("VS")
    measured = vs[(vs["VSSTAT"] == "") & (vs["VSTESTCD"] != "HEIGHT")]
    assert Counter(map(tuple, rows(measured, "USUBJID VSTESTCD VSORRES VSDTC"))) == given
    height = vs[vs["VSTESTCD"] == "HEIGHT"]
    assert Counter(zip(height["USUBJID"], height["VSORRES"], strict=True)) == Counter(
        (person(row["record_id"]), row["height_cm"]) for row in form("demographics") if row["height_cm"]
    )


def test_vital_signs_that_were_missed_say_why(sdtm, form):
    """漏测 at Day 8, where no weight is planned: four measurements each."""
    missed = [row for row in form("vitals") if row["vs_done"] == "0"]
    assert {row["redcap_event_name"] for row in missed} == {"cycle_day_8_arm_1"}
    vs = sdtm("VS")
    found = vs[vs["VSSTAT"] == "NOT DONE"]
    assert Counter(map(tuple, rows(found, "VSTESTCD VSREASND VSORRES"))) == {
        (test, "MEASUREMENT MISSED", ""): len(missed) for test in ("DIABP", "PULSE", "SYSBP", "TEMP")
    }


def test_the_baseline_is_the_last_value_before_the_first_dose(sdtm):
    """One flag per subject and test, never after the first dose, and never missed where there is a value before."""
    dm = sdtm("DM").set_index("USUBJID")["RFXSTDTC"].str.slice(0, 10)
    for domain in ("VS", "EG", "CV", "LB"):
        data = sdtm(domain)
        by = ["USUBJID", f"{domain}TESTCD"] + (["LBSPEC"] if domain == "LB" else [])
        first = data["USUBJID"].map(dm).fillna("")
        flagged = data[f"{domain}LOBXFL"] == "Y"
        assert not data[flagged].duplicated(by).any()
        assert (data.loc[flagged, f"{domain}DTC"].str.slice(0, 10) <= first[flagged]).all()
        before = data[(data[f"{domain}ORRES"] != "") & (data[f"{domain}DTC"].str.slice(0, 10) < first)]
        flags = set(map(tuple, data.loc[flagged, by].to_numpy().tolist()))
        assert set(map(tuple, before[by].to_numpy().tolist())) <= flags


def test_the_interpretation_of_an_ecg(sdtm, form):
    """Normal, abnormal not clinically significant, abnormal clinically significant: what was ticked."""
    given = Counter(row["ecg_interp"] for row in form("ecg") if row["ecg_interp"])
    eg = sdtm("EG")
    found = eg[(eg["EGTESTCD"] == "INTP") & (eg["EGSTAT"] == "")]
    assert Counter(map(tuple, rows(found, "EGORRES EGSTRESC EGCLSIG"))) == {
        ("NORMAL", "NORMAL", ""): given["1"],
        ("ABNORMAL NCS", "ABNORMAL", "N"): given["2"],
    }
    assert given["3"] == 0


def test_intervals_of_the_ecg_are_numbers_in_milliseconds(sdtm, form):
    """QT and QTcF as entered."""
    eg = sdtm("EG")
    for field, test in (("ecg_qt", "QTAG"), ("ecg_qtcf", "QTCFAG")):
        found = eg[(eg["EGTESTCD"] == test) & (eg["EGSTAT"] == "")]
        given = sorted(
            (person(row["record_id"]), row["ecg_date"], float(row[field])) for row in form("ecg") if row[field]
        )
        assert sorted(zip(found["USUBJID"], found["EGDTC"], found["EGSTRESN"], strict=True)) == given
        assert set(found["EGSTRESU"]) == {"ms"}


def test_the_ejection_fraction_is_a_finding_of_the_heart(sdtm, form):
    """LVEF in CV, per cent, by echocardiography."""
    given = sorted(
        (person(row["record_id"]), row["lvef_date"], row["lvef_pct"]) for row in form("lvef") if row["lvef_pct"]
    )
    cv = sdtm("CV")
    assert sorted(map(tuple, rows(cv, "USUBJID CVDTC CVORRES"))) == given
    assert {tuple(row) for row in rows(cv, "CVTESTCD CVORRESU CVMETHOD")} == {("LVEF", "%", "ECHOCARDIOGRAPHY")}


# Disease at entry


def test_receptors_and_her2_of_one_subject(sdtm):
    """EA001 and EA005: in MI by immunohistochemistry, in GF by FISH."""
    mi, gf = sdtm("MI"), sdtm("GF")
    assert rows(mi[mi["USUBJID"] == "ERIANLO-01-EA001"], "MITESTCD MITSTDTL MIORRES MIORRESU MIMETHOD") == [
        ["ESTRCPT", "PERCENT POSITIVE CELL", "95", "%", "IHC"],
        ["HER2", "STAINING INTENSITY", "1+", "", "IHC"],
        ["PROGESTR", "PERCENT POSITIVE CELL", "0", "%", "IHC"],
    ]
    fish = gf[gf["USUBJID"].isin(["ERIANLO-01-EA001", "ERIANLO-01-EA005"])]
    assert rows(fish, "USUBJID GFTESTCD GFSYM GFORRES GFSTAT GFMETHOD") == [
        ["ERIANLO-01-EA001", "CPNUMAMP", "ERBB2", "", "NOT DONE", "FISH"],
        ["ERIANLO-01-EA005", "CPNUMAMP", "ERBB2", "NEGATIVE", "", "FISH"],
    ]


def test_only_ticked_sites_of_metastasis_are_records(sdtm, form):
    """Counted from the boxes; the box None is the answer No."""
    given = Counter(
        person(row["record_id"])
        for row in form("disease_history")
        for n in range(8)
        if row[f"met_sites___{n}"] == "1"
    )
    fa = sdtm("FA")
    sites = fa[(fa["FATESTCD"] == "OCCUR") & fa["FASPID"].str.endswith("-METASTASIS")]
    assert Counter(sites["USUBJID"]) == given
    none = sum(row["met_sites___0"] == "1" for row in form("disease_history"))
    assert Counter(sites["FAORRES"])["N"] == none


def test_a_person_screened_twice_has_both_answers(sdtm):
    """EA032 is EA031: the menopausal status of both screenings, each of its day."""
    rp = sdtm("RP")
    found = rp[rp["USUBJID"] == "ERIANLO-01-EA031"]
    assert rows(found, "RPTESTCD") == [["MENOSTAT"], ["MENOSTAT"]]
    assert found["RPDTC"].nunique() == 2


# Lesions and responses


def test_every_lesion_is_identified_once(sdtm, form):
    """Target, non-target and new lesions by their numbers; a merger is a record of its own."""
    given = Counter()
    for name, prefix, kind in (
        ("target_lesions", "tl", "TARGET"),
        ("nontarget_lesions", "ntl", "NON-TARGET"),
        ("new_lesions", "nl", "NEW"),
    ):
        lesions = {(person(row["record_id"]), row[f"{prefix}_id"]) for row in form(name)}
        given += Counter((subject, lesion, kind) for subject, lesion in lesions)
    tu = sdtm("TU")
    once = tu[tu["TUTESTCD"] != "TUMERGE"]
    assert Counter(map(tuple, rows(once, "USUBJID TULNKID TUORRES"))) == given
    merged = {(person(row["record_id"]), row["tl_id"]) for row in form("target_lesions") if row["tl_status"] == "5"}
    assert set(map(tuple, rows(tu[tu["TUTESTCD"] == "TUMERGE"], "USUBJID TULNKID"))) == merged
    fragments = {row["tl_id"] for row in form("target_lesions") if re.fullmatch(r"T\d+[a-z]", row["tl_id"])}
    assert set(tu.loc[tu["TUTESTCD"] == "TUSPLIT", "TULNKID"]) == fragments


def test_diameters_and_sums_are_as_entered(sdtm, form):
    """Every diameter of the lesion form, and the sum of the response form, also at baseline."""
    tr = sdtm("TR")
    diameters = tr[tr["TRTESTCD"].isin(["LDIAM", "LPERP"])]
    assert Counter(map(tuple, rows(diameters, "USUBJID TRLNKID TRLNKGRP TRSTRESC TRDTC"))) == Counter(
        (person(row["record_id"]), row["tl_id"], f"A{row['tl_visit']}", row["tl_diam"], row["tl_date"])
        for row in form("target_lesions")
    )
    sums = tr[tr["TRTESTCD"] == "SUMDIAM"]
    assert Counter(map(tuple, rows(sums, "USUBJID TRLNKGRP TRSTRESN"))) == Counter(
        (person(row["record_id"]), f"A{row['rs_visit']}", f"{float(row['rs_sum']):g}")
        for row in form("response")
        if row["rs_sum"]
    )


def test_nodes_are_measured_by_their_short_axis(sdtm, form):
    """Lymph node yes: LPERP; no: LDIAM."""
    tr = sdtm("TR")
    found = Counter(tr.loc[tr["TRTESTCD"].isin(["LDIAM", "LPERP"]), "TRTESTCD"])
    nodes = Counter(row["tl_node"] for row in form("target_lesions"))
    assert found == {"LPERP": nodes["1"], "LDIAM": nodes["0"]}


def test_a_lesion_that_split(sdtm):
    """EA016: at assessment 2 T01 has no diameter, its fragments have."""
    tr = sdtm("TR")
    found = tr[(tr["USUBJID"] == "ERIANLO-01-EA016") & (tr["TRLNKGRP"] == "A2") & tr["TRLNKID"].str.startswith("T01")]
    assert rows(found, "TRLNKID TRTESTCD TRORRES TRSTAT TRREASND") == [
        ["T01", "LDIAM", "", "NOT DONE", "SPLIT"],
        ["T01", "TUMSTATE", "SPLIT INTO FRAGMENTS", "", ""],
        ["T01a", "LDIAM", "14", "", ""],
        ["T01b", "LDIAM", "10", "", ""],
    ]


def test_responses_as_the_investigator_entered_them(sdtm, form):
    """Counted by assessment and kind; NA (no such lesions) is no response, the baseline row has none."""
    words = {"1": "CR", "2": "PR", "3": "SD", "4": "PD", "5": "NE", "7": "NON-CR/NON-PD"}
    given = Counter()
    for row in form("response"):
        key = (person(row["record_id"]), f"A{row['rs_visit']}")
        if row["rs_target"] not in ("", "6"):
            given[*key, "TRGRESP", words[row["rs_target"]]] += 1
        if row["rs_nontarget"] not in ("", "6"):
            given[
                *key, "NTRGRESP", "NON-CR/NON-PD" if row["rs_nontarget"] == "2" else words[row["rs_nontarget"]]
            ] += 1
        if row["rs_overall"]:
            given[*key, "OVRLRESP", words[row["rs_overall"]]] += 1
        if row["rs_new"]:
            given[*key, "NEWLIND", {"0": "N", "1": "Y"}[row["rs_new"]]] += 1
    rs = sdtm("RS")
    done = rs[(rs["RSCAT"] == "RECIST 1.1") & (rs["RSSTAT"] == "")]
    assert Counter(map(tuple, rows(done, "USUBJID RSLNKGRP RSTESTCD RSSTRESC"))) == given


def test_an_assessment_that_was_not_done_says_why(sdtm, form):
    """In English by the signed table; the planned week stays."""
    given = {(person(row["record_id"]), f"A{row['rs_visit']}") for row in form("response") if row["rs_done"] == "0"}
    rs = sdtm("RS")
    found = rs[rs["RSSTAT"] == "NOT DONE"]
    assert set(map(tuple, rows(found, "USUBJID RSLNKGRP"))) == given
    assert sorted(rows(found, "USUBJID RSTESTCD RSREASND VISIT")) == [
        ["ERIANLO-01-EA003", "OVRLRESP", "SUBJECT REFUSED THE EXAMINATION", "TUMOUR ASSESSMENT WEEK 12"],
        ["ERIANLO-01-EA003", "OVRLRESP", "UNABLE TO COME TO THE HOSPITAL BECAUSE OF THE EPIDEMIC", "TUMOUR ASSESSMENT WEEK 18"],
        ["ERIANLO-01-EA007", "OVRLRESP", "PATIENT UNABLE TO ATTEND", "TUMOUR ASSESSMENT WEEK 24"],
        ["ERIANLO-01-EA029", "OVRLRESP", "CT SCANNER FAILURE", "TUMOUR ASSESSMENT WEEK 12"],
    ]  # fmt: skip


def test_an_assessment_outside_the_schedule_is_numbered_after_the_last_planned_one(sdtm):
    """EA028, assessment 2 (UNS) after week 6."""
    rs = sdtm("RS")
    found = rs[(rs["USUBJID"] == "ERIANLO-01-EA028") & (rs["RSLNKGRP"] == "A2") & (rs["RSTESTCD"] == "OVRLRESP")]
    assert rows(found, "RSSTRESC VISITNUM VISIT") == [["PD", "1006.1", "UNSCHEDULED 1006.1"]]


def test_lesions_measurements_and_responses_are_linked(sdtm):
    """Every measured lesion was identified, every response that was made has its measurements."""
    tu, tr, rs = sdtm("TU"), sdtm("TR"), sdtm("RS")
    lesions = tr[tr["TRLNKID"] != ""]
    identified = set(zip(tu["USUBJID"], tu["TULNKID"], strict=True))
    assert set(zip(lesions["USUBJID"], lesions["TRLNKID"], strict=True)) == identified
    made = rs[(rs["RSLNKGRP"] != "") & (rs["RSSTAT"] == "")]
    measured = set(zip(tr["USUBJID"], tr["TRLNKGRP"], strict=True))
    assert set(zip(made["USUBJID"], made["RSLNKGRP"], strict=True)) <= measured


def test_subjects_without_target_lesions_are_never_sd_or_pr(sdtm, form):
    """Non-measurable disease only: no sum, no target response, NON-CR/NON-PD or CR or PD."""
    with_target = {person(row["record_id"]) for row in form("target_lesions")}
    rs, tr = sdtm("RS"), sdtm("TR")
    without = set(rs.loc[rs["RSCAT"] == "RECIST 1.1", "USUBJID"]) - with_target
    assert without
    of_them = rs[rs["USUBJID"].isin(without) & (rs["RSCAT"] == "RECIST 1.1")]
    assert "TRGRESP" not in set(of_them["RSTESTCD"])
    assert set(of_them.loc[of_them["RSTESTCD"] == "OVRLRESP", "RSSTRESC"]) <= {"NON-CR/NON-PD", "CR", "PD", "NE"}
    assert tr[tr["USUBJID"].isin(without) & (tr["TRGRPID"] == "TARGET")].empty


def test_the_performance_status_is_a_clinical_classification(sdtm, form):
    """ECOG in RS, with the published test."""
    given = Counter(
        (person(row["record_id"]), row["ecog_date"], row["ecog_ps"]) for row in form("ecog") if row["ecog_ps"]
    )
    rs = sdtm("RS")
    ecog = rs[rs["RSCAT"] == "ECOG"]
    assert Counter(map(tuple, rows(ecog, "USUBJID RSDTC RSSTRESC"))) == given
    assert {tuple(row) for row in rows(ecog, "RSTESTCD RSTEST")} == {("ECOG101", "ECOG1-Performance Status")}


def test_comments_stand_beside_the_response_they_belong_to(sdtm, form):
    """As many as in the form, each pointing to an assessment in RS."""
    co, rs = sdtm("CO"), sdtm("RS")
    of_responses = co[co["RDOMAIN"] == "RS"]
    assert len(of_responses) == sum(row["rs_comment"] != "" for row in form("response"))
    assessed = set(zip(rs["USUBJID"], rs["RSLNKGRP"], strict=True))
    assert set(zip(of_responses["USUBJID"], of_responses["IDVARVAL"], strict=True)) <= assessed


# What is wrong in the raw data

DATASETS = {"CO", "CV", "EG", "FA", "GF", "LB", "MI", "RP", "RS", "TR", "TU", "VS"}


def test_what_is_wrong_in_the_raw_data_is_reported(out):
    """This and nothing else, and every error was accepted with a reason."""
    found = [row for row in read_findings(out) if row["severity"] != "note" and row["dataset"] in DATASETS]
    assert Counter((row["rule"], row["dataset"], row["values"].strip()) for row in found) == {
        # a result without a unit; a sample of a man; a number that nobody enrolled
        ("MAP-UNIT", "LB", "156"): 1,
        ("MAP-JOIN-NONE", "LB", "8 / 1"): 5,
        ("MAP-JOIN-NONE", "LB", "/ 2"): 6,
        ("SDTM-SUBJECT", "LB", "ERIANLO-01-EA099"): 1,
        # a lesion that changes its organ; an overall response that does not follow from its parts
        ("MAP-JOIN-NONE", "TR", "18 / T01 / 7"): 1,
        ("MAP-RECODE", "RS", "CR WHERE PR IS EXPECTED"): 1,
    }
    assert all(row["explanation"] for row in found if row["severity"] == "error")
