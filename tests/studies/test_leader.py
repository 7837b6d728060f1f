"""LEADER, the first transfer, from the raw files to XPT: what a reader of the protocol would look up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyreadstat
import pytest
from click.testing import CliRunner
from read_back import read_csv, read_findings, rows

from trialmill.cli import main

PROJECT = Path(__file__).parents[2]
STUDY = PROJECT / "mappings" / "leader"
RAW = STUDY / "raw" / "2020-01-06"


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path]) -> Path:
    """Run the first transfer once."""
    return run_study("leader")


def raw(name: str) -> list[dict[str, str]]:
    """Read a raw CSV file with the standard library."""
    return read_csv(RAW / f"{name}.csv")


def test_the_seven_domains_and_their_supplements_are_there(out):
    """DM EX AE RS TU TR LB, with a supplement for each that has one; the other forms have tests of their own."""
    names = {path.stem for path in (out / "sdtm").glob("*.xpt")}
    assert {
        "ae",
        "dm",
        "ex",
        "lb",
        "rs",
        "tr",
        "tu",
        "suppae",
        "suppdm",
        "suppex",
        "supplb",
        "supptr",
        "supptu",
    } <= names


def test_every_row_of_the_raw_files_is_a_record_or_accounted_for(sdtm):
    """Counted with the standard library from the raw files, by hand so to say."""
    given = [row for row in raw("EXE") if row["EXEADM_STD"] == "Y"]
    taken = [row for row in raw("EXL") if float(row["EXLDOSE"]) > 0]
    assert len(sdtm("EX")) == len(given) + len(taken)
    assert len(sdtm("AE")) == len(raw("AE"))
    assert len(sdtm("DM")) == len(raw("DM"))
    cutoff = [row for row in raw("LAB_NTUH") if row["COLLECT_DT"][:10] <= "2019/12/31"]
    lb = sdtm("LB")
    assert (lb["LBNAM"] == "NATIONAL TAIWAN UNIVERSITY HOSPITAL").sum() == len(cutoff)
    responses = [row for row in raw("RS") if row["Folder"] == "TA"]
    wanted = Counter(
        test
        for row in responses
        for test, column in (
            ("TRGRESP", "RSTRG_STD"),
            ("NTRGRESP", "RSNTRG_STD"),
            ("OVRLRESP", "RSOVR_STD"),
            ("NEWLIND", "RSNEW_STD"),
        )
        if row[column] not in ("", "NA")
    )
    wanted["OVRLRESP"] += sum(row["RSPERF_STD"] == "N" for row in responses)
    rs = sdtm("RS")
    assert Counter(rs.loc[rs["RSCAT"] == "RECIST 1.1", "RSTESTCD"]) == wanted


def test_demography_of_a_treated_a_screened_out_and_a_dead_subject(sdtm):
    """Arms are empty for the screening failure, with the reason; the death date comes from the death form."""
    dm = sdtm("DM").set_index("USUBJID", drop=False)
    columns = "SUBJID RFICDTC RFXSTDTC RFXENDTC BRTHDTC AGE SEX RACE ARMCD ACTARMCD ARMNRS DTHDTC DTHFL COUNTRY"
    assert rows(dm.loc[["LEADER-01-001", "LEADER-01-002", "LEADER-02-004"]], columns) == [
        ["01-001", "2018-07-12", "2018-07-23", "2019-07-22", "1977-03-21", "41", "M", "ASIAN", "LENERI", "LENERI", "", "", "", "TWN"],
        ["01-002", "2018-07-13", "2018-07-27", "2018-10-31", "1953-03-02", "65", "M", "ASIAN", "LENERI", "LENERI", "", "2018-10-31", "Y", "TWN"],
        ["02-004", "2018-10-31", "", "", "1971-10", "47", "F", "ASIAN", "", "", "SCREEN FAILURE", "", "", "TWN"],
    ]  # fmt: skip


def test_a_subject_on_treatment_has_no_last_dose(sdtm):
    """01-016 takes lenvatinib at the cut-off: its period stays open, the last exposure is the last one known."""
    ex = sdtm("EX")
    open_period = ex[(ex["USUBJID"] == "LEADER-01-016") & (ex["EXENDTC"] == "")]
    assert rows(open_period, "EXTRT EXDOSE EXDOSFRQ") == [["LENVATINIB", "14", "QD"]]
    dm = sdtm("DM").set_index("USUBJID")
    last = max(row["EXEDAT_INT"] for row in raw("EXE") if row["Subject"] == "01-016" and row["EXEADM_STD"] == "Y")
    assert dm.loc["LEADER-01-016", "RFXENDTC"][:10] == last


def test_a_change_of_grade_is_a_line_of_its_own(sdtm):
    """The line of 02-001 that goes on under another grade: no outcome here, what was collected beside it."""
    ae, supp = sdtm("AE"), sdtm("SUPPAE")
    line = ae[(ae["USUBJID"] == "LEADER-02-001") & (ae["AESPID"] == "4")]
    assert rows(line, "AETERM AEDECOD AESTDTC AEENDTC AETOXGR AEOUT") == [
        ["AST increased", "Aspartate aminotransferase increased", "2018-08-02", "2018-08-07", "2", ""]
    ]  # fmt: skip
    about = supp[(supp["USUBJID"] == "LEADER-02-001") & (supp["IDVARVAL"] == f"{line['AESEQ'].iloc[0]:g}")]
    assert dict(zip(about["QNAM"], about["QVAL"], strict=True)) == {
        "AERELERI": "NOT RELATED",
        "AERELLEN": "PROBABLE",
        "AEACNERI": "DOSE NOT CHANGED",
        "AEACNLEN": "DOSE NOT CHANGED",
        "AEPREV": "N",
        "AEOUTCOL": "GRADE CHANGED (CONTINUED ON ANOTHER LINE)",
    }


def test_partial_dates_stay_partial_and_have_no_study_day(sdtm):
    """UN UNK 2018, UN NOV 2018 and UN MAY 2019 as collected."""
    ae = sdtm("AE")
    partial = ae[ae["AESTDTC"].str.len() < 10]
    assert sorted(rows(partial, "USUBJID AESTDTC AESTDY")) == [
        ["LEADER-01-002", "2018", ""],
        ["LEADER-02-002", "2018-11", ""],
        ["LEADER-02-005", "2019-05", ""],
    ]


def test_a_lesion_too_small_to_measure_counts_five_millimetres(sdtm):
    """01-013, lesion T02 at week 12: the words as result, 5 mm as standard result, and the state."""
    tr = sdtm("TR")
    lesion = tr[(tr["USUBJID"] == "LEADER-01-013") & (tr["TRLNKID"] == "T02") & (tr["TRLNKGRP"] == "A2")]
    assert rows(lesion, "TRTESTCD TRORRES TRORRESU TRSTRESC TRSTRESN TRSTRESU TRSTAT") == [
        ["LDIAM", "TOO SMALL TO MEASURE", "", "5", "5", "mm", ""],
        ["TUMSTATE", "TOO SMALL TO MEASURE", "", "TOO SMALL TO MEASURE", "", "", ""],
    ]


def test_lesions_that_merge_or_split_have_no_diameter_and_a_reason(sdtm):
    """02-005: T02 merged into T01; 01-010: T01 split into T01a and T01b, which are measured."""
    tr, tu = sdtm("TR"), sdtm("TU")
    merged = tr[(tr["USUBJID"] == "LEADER-02-005") & (tr["TRLNKID"] == "T02") & (tr["TRLNKGRP"] == "A3")]
    assert rows(merged, "TRTESTCD TRORRES TRSTAT TRREASND") == [
        ["LDIAM", "", "NOT DONE", "COALESCED WITH ANOTHER LESION"],
        ["TUMSTATE", "TUMOR MERGED", "", ""],
    ]
    split = tu[(tu["USUBJID"] == "LEADER-01-010") & tu["TULNKID"].isin(["T01", "T01a", "T01b"])]
    assert rows(split, "TULNKID TUTESTCD TUORRES VISIT") == [
        ["T01", "TUMIDENT", "TARGET", "SCREENING"],
        ["T01a", "TUSPLIT", "TARGET", "TUMOR ASSESSMENT WEEK 12"],
        ["T01b", "TUSPLIT", "TARGET", "TUMOR ASSESSMENT WEEK 12"],
    ]


def test_every_measured_lesion_was_identified_and_every_response_has_its_measurements(sdtm):
    """TRLNKID is in TU, RSLNKGRP is in TR: the links of the tumour domains hold."""
    tu, tr, rs = sdtm("TU"), sdtm("TR"), sdtm("RS")
    identified = set(zip(tu["USUBJID"], tu["TULNKID"], strict=True))
    lesions = tr[tr["TRLNKID"] != ""]
    assert set(zip(lesions["USUBJID"], lesions["TRLNKID"], strict=True)) == identified
    assessed = set(zip(tr["USUBJID"], tr["TRLNKGRP"], strict=True))
    done = rs[(rs["RSSTAT"] == "") & (rs["RSCAT"] == "RECIST 1.1")]
    assert set(zip(done["USUBJID"], done["RSLNKGRP"], strict=True)) <= assessed


def test_nodes_are_measured_by_their_short_axis(sdtm):
    """Lymph nodes have LPERP, everything else LDIAM."""
    tr, tu = sdtm("TR"), sdtm("TU")
    target = tr[tr["TRTESTCD"].isin(["LDIAM", "LPERP"])].merge(
        tu[tu["TUTESTCD"] != "TUMERGE"], left_on=["USUBJID", "TRLNKID"], right_on=["USUBJID", "TULNKID"]
    )
    nodes = target["TULOC"] == "LYMPH NODE"
    assert set(target.loc[nodes, "TRTESTCD"]) == {"LPERP"}
    assert set(target.loc[~nodes, "TRTESTCD"]) == {"LDIAM"}


def test_two_laboratories_give_one_domain_in_one_unit_per_test(sdtm):
    """NTUH's g/dL and TVGH's g/L, both with their ranges, are both g/L."""
    lb = sdtm("LB")
    hemoglobin = lb[(lb["LBTESTCD"] == "HGB") & (lb["LBSTRESC"] != "")].drop_duplicates("LBNAM").sort_values("LBNAM")
    assert rows(hemoglobin, "LBORRES LBORRESU LBORNRLO LBORNRHI LBSTRESN LBSTRESU LBSTNRLO LBSTNRHI LBNRIND") == [
        ["13.5", "g/dL", "12.3", "18.3", "135", "g/L", "123", "183", "NORMAL"],
        ["116", "g/L", "120", "160", "116", "g/L", "120", "160", "LOW"],
    ]
    units = lb[lb["LBSTRESU"] != ""].groupby("LBTESTCD")["LBSTRESU"].nunique()
    assert set(units) == {1}


def test_our_range_indicator_agrees_with_the_laboratorys_own_flag(sdtm):
    """NTUH flags H and L; computed from its ranges ours says the same wherever it has a range."""
    flags = {"H": "HIGH", "L": "LOW", "": "NORMAL"}
    theirs = {
        (row["LAB_NO"], row["TEST_CODE"].replace("ＰＬＴ", "PLT")): flags[row["FLAG"]] for row in raw("LAB_NTUH")
    }
    tests = read_csv(STUDY / "lookups" / "lab_tests.csv")
    codes = {row["testcd"]: row["code"] for row in tests if row["laboratory"] == "NTUH"}
    lb = sdtm("LB")
    ours = lb[(lb["LBNAM"] == "NATIONAL TAIWAN UNIVERSITY HOSPITAL") & (lb["LBNRIND"] != "")]
    pairs = Counter(
        (theirs[number, codes[test]], indicator)
        for number, test, indicator in zip(ours["LBREFID"], ours["LBTESTCD"], ours["LBNRIND"], strict=True)
    )
    assert {pair for pair in pairs if pair[0] != pair[1]} == set()


def test_a_sample_that_could_not_be_measured_is_not_done_with_its_reason(sdtm):
    """A hemolysed potassium: no result, no unit, NOT DONE."""
    lb = sdtm("LB")
    lost = lb[(lb["LBSTAT"] == "NOT DONE") & (lb["LBREASND"] == "HEMOLYZED SPECIMEN")]
    assert set(lost["LBTESTCD"]) == {"K"}
    assert set(lost["LBORRES"]) | set(lost["LBORRESU"]) == {""}


def test_the_test_code_in_full_width_letters_is_not_lost(sdtm):
    """One platelet count came as ＰＬＴ."""
    (row,) = [row for row in raw("LAB_NTUH") if row["TEST_CODE"] == "ＰＬＴ"]
    lb = sdtm("LB")
    found = lb[(lb["LBREFID"] == row["LAB_NO"]) & (lb["LBTESTCD"] == "PLAT")]
    assert rows(found, "LBORRES LBORRESU LBSTRESN LBSTRESU") == [[row["RESULT"], "10^9/L", row["RESULT"], "10^9/L"]]


def test_unscheduled_visits_are_numbered_between_planned_ones(sdtm):
    """No unscheduled number is a whole one, and a visit number has one name."""
    lb = sdtm("LB")
    unscheduled = lb[lb["VISIT"].str.startswith("UNSCHEDULED")]
    assert len(unscheduled) > 0
    assert (unscheduled["VISITNUM"] % 1 != 0).all()
    named = lb[lb["VISIT"] != ""].groupby("VISITNUM")["VISIT"].nunique()
    assert set(named) == {1}


def test_what_is_wrong_in_the_raw_data_is_reported(out):
    """What a person must look at, and what one has looked at and accepted (True)."""
    found = [row for row in read_findings(out) if row["severity"] != "note"]
    assert [(row["rule"], row["file"], row["row"], bool(row["explanation"])) for row in found] == [
        ("MAP-DATE-PART", "CM.csv", "118", False),  # 31 February
        ("MAP-DUPLICATE", "ECOG.csv", "31", False),  # one visit's performance status twice
        ("MAP-UNIT", "LAB_NTUH.csv", "1254", False),  # a result without a unit
        ("SDTM-TIME-ORDER", "AE.csv", "279", True),  # an event that ends before it starts
        ("SDTM-TIME-ORDER", "ENR.csv", "4", True),  # a screening failure that was dosed afterwards
        ("SDTM-SUBJECT", "LAB_NTUH.csv", "1063", True),
    ]


def test_validate_reads_the_files_back_and_finds_the_same(out):
    """The checks of the written files come to what the run said, raw rows and accepted findings included."""
    result = CliRunner().invoke(main, ["validate", str(STUDY), "--out", str(out)], catch_exceptions=False)
    assert "0 not evaluated" in result.output
    assert "3 finding(s) accepted in waivers.yaml" in result.output
    assert result.exit_code == 0


def test_every_label_and_length_is_as_the_specifications_say(out):
    """Read back by an independent reader: labels of the standard, one length per variable in all datasets."""
    lengths: dict[str, set[int]] = {}
    for path in sorted((out / "sdtm").glob("*.xpt")):
        data, meta = pyreadstat.read_xport(path)
        assert all(meta.column_labels), path.name
        for name, width in meta.variable_storage_width.items():
            if meta.readstat_variable_types[name] == "string":
                lengths.setdefault(name, set()).add(width)
                longest = max((len(value.encode()) for value in data[name]), default=0)
                assert longest <= width <= 200
    assert {name for name, widths in lengths.items() if len(widths) > 1} == set()
