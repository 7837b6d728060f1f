"""LEADER's measurements from the raw files to XPT: vital signs, ECG, performance status, urine, pregnancy, samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from read_back import read_csv, read_dataset, read_findings, rows

PROJECT = Path(__file__).parents[2]
STUDY = PROJECT / "mappings" / "leader"
FIRST = STUDY / "raw" / "2020-01-06"
VITAL_SIGNS = {
    "SBP": "SYSBP", "DBP": "DIABP", "PULSE": "PULSE", "TEMPC": "TEMP", "WEIGHTKG": "WEIGHT", "HEIGHTCM": "HEIGHT",
}  # fmt: skip
ECG = {"EGHR": "EGHRMN", "EGPR": "PRAG", "EGQRS": "QRSAG", "EGQT": "QTAG", "EGQTCF": "QTCFAG", "EGINT": "INTP"}


@dataclass(frozen=True)
class Transfer:
    """One transfer: its raw files, read with the standard library, and what the study makes of them."""

    raw_folder: Path
    folder: Path

    def sdtm(self, name: str) -> pd.DataFrame:
        """Read one dataset with an independent reader; missing text is the empty text."""
        return read_dataset(self.folder / "sdtm" / f"{name.lower()}.xpt")

    def raw(self, name: str) -> list[dict[str, str]]:
        """Read a raw CSV file."""
        return read_csv(self.raw_folder / f"{name}.csv")

    def vital_signs(self) -> list[dict[str, object]]:
        """Read VS.xpt with an independent reader."""
        data, _ = pyreadstat.read_xport(self.raw_folder / "VS.xpt")
        return data.astype(object).where(data.notna(), "").to_dict("records")

    def findings(self) -> list[dict[str, str]]:
        """Read the report's findings."""
        return read_findings(self.folder)


@pytest.fixture(scope="module")
def first(run_study: Callable[..., Path]) -> Transfer:
    """Run the transfer of 2020-01-06 once."""
    return Transfer(FIRST, run_study("leader"))


@pytest.fixture(scope="module")
def second(run_study: Callable[..., Path], shared: Callable[[str], Path]) -> Transfer:
    """Run the transfer of 2021-07-07 once."""
    raw = shared("studies/leader/transfers/2021-07-07")
    return Transfer(raw, run_study("leader", raw=raw))


def select(data: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """Take the records whose variables have these values."""
    for name, value in wanted.items():
        data = data[data[name] == value]
    return data


# --- vital signs ----------------------------------------------------------------------------------------------------


def test_every_measurement_of_the_vital_signs_file_is_a_record(first: Transfer) -> None:
    """Counted and added up per column of VS.xpt, read by another reader."""
    raw, vs = first.vital_signs(), first.sdtm("VS")
    done = vs[vs["VSSTAT"] == ""]
    for column, test in VITAL_SIGNS.items():
        values = [float(row[column]) for row in raw if row[column] != ""]
        ours = done.loc[done["VSTESTCD"] == test, "VSSTRESN"]
        assert (len(ours), round(ours.sum(), 3)) == (len(values), round(sum(values), 3)), test


def test_a_visit_becomes_one_record_per_measurement(first: Transfer) -> None:
    """PATNO 01001 is 01-001; SAS date and time are one ISO date and time; the height is measured at screening."""
    screening = select(first.sdtm("VS"), USUBJID="LEADER-01-001", VISIT="SCREENING")
    assert rows(screening, "VSTESTCD VSTEST VSORRES VSORRESU VSSTRESN VSSTRESU VISITNUM VSDTC VSDY EPOCH") == [
        ["DIABP", "Diastolic Blood Pressure", "64", "mmHg", "64", "mmHg", "1", "2018-07-16T10:53", "-7", "SCREENING"],
        ["HEIGHT", "Height", "185.7", "cm", "185.7", "cm", "1", "2018-07-16T10:53", "-7", "SCREENING"],
        ["PULSE", "Pulse Rate", "73", "beats/min", "73", "beats/min", "1", "2018-07-16T10:53", "-7", "SCREENING"],
        [
            "SYSBP",
            "Systolic Blood Pressure",
            "127",
            "mmHg",
            "127",
            "mmHg",
            "1",
            "2018-07-16T10:53",
            "-7",
            "SCREENING",
        ],
        ["TEMP", "Temperature", "36.3", "C", "36.3", "C", "1", "2018-07-16T10:53", "-7", "SCREENING"],
        ["WEIGHT", "Weight", "68", "kg", "68", "kg", "1", "2018-07-16T10:53", "-7", "SCREENING"],
    ]


def test_vital_signs_not_done_say_so_for_each_planned_measurement(first: Transfer) -> None:
    """02-003 at C3D8: the reason once, no results, and no weight, which Day 8 does not have."""
    missed = select(first.sdtm("VS"), USUBJID="LEADER-02-003", VISIT="CYCLE 3 DAY 8")
    assert rows(missed, "VSTESTCD VSORRES VSORRESU VSSTRESC VSSTAT VSREASND VSDTC") == [
        ["DIABP", "", "", "", "NOT DONE", "EQUIPMENT FAILURE", "2018-12-03"],
        ["PULSE", "", "", "", "NOT DONE", "EQUIPMENT FAILURE", "2018-12-03"],
        ["SYSBP", "", "", "", "NOT DONE", "EQUIPMENT FAILURE", "2018-12-03"],
        ["TEMP", "", "", "", "NOT DONE", "EQUIPMENT FAILURE", "2018-12-03"],
    ]
    visits = [row for row in first.vital_signs() if row["NDREAS"]]
    assert (first.sdtm("VS")["VSSTAT"] == "NOT DONE").sum() == 4 * len(visits)


# --- ECG ------------------------------------------------------------------------------------------------------------


def test_every_ecg_is_six_records_done_or_not(first: Transfer) -> None:
    """Results as entered; two ECGs were not done, with the reason on each of their records."""
    raw, eg = first.raw("EG"), first.sdtm("EG")
    for column, test in ECG.items():
        ours = eg[eg["EGTESTCD"] == test]
        assert len(ours) == len(raw)
        assert Counter(ours["EGORRES"]) == Counter(row[column].upper() for row in raw), test
    missed = eg[eg["EGSTAT"] == "NOT DONE"]
    assert Counter(missed["EGREASND"]) == {"MACHINE NOT AVAILABLE": 6, "NOT DONE": 6}
    assert set(missed["EGORRESU"]) == {""}


def test_an_ecg_abnormal_without_significance(first: Transfer) -> None:
    """The interpretation as collected, NORMAL or ABNORMAL as standard result, its significance in EGCLSIG."""
    eg = first.sdtm("EG")
    read = eg[(eg["EGTESTCD"] == "INTP") & (eg["EGSTAT"] == "")]
    kinds = Counter(map(tuple, rows(read, "EGORRES EGSTRESC EGCLSIG EGEVAL")))
    assert kinds == {
        ("NORMAL", "NORMAL", "", "INVESTIGATOR"): 113,
        ("ABNORMAL, NOT CLINICALLY SIGNIFICANT", "ABNORMAL", "N", "INVESTIGATOR"): 27,
    }


# --- baseline -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["VS", "EG", "LB"])
def test_a_subject_has_one_baseline_per_test_and_none_without_a_dose(first: Transfer, name: str) -> None:
    """The last value before the first dose is flagged once; never treated subjects have none."""
    data, dm = first.sdtm(name), first.sdtm("DM")
    flagged = data[data[f"{name}LOBXFL"] == "Y"]
    keys = ["USUBJID", f"{name}TESTCD", *(["LBSPEC"] if name == "LB" else [])]
    assert not flagged.duplicated(keys).any()
    assert set(flagged["USUBJID"]) == set(dm.loc[dm["RFXSTDTC"] != "", "USUBJID"])
    assert (data[f"{name}BLFL"] == data[f"{name}LOBXFL"]).all()


def test_what_was_measured_after_the_first_infusion_is_no_baseline(first: Transfer) -> None:
    """On Day 1, 01-001 had eribulin at 11:10 and vital signs at 14:30; 01-004 at 10:50 and at 09:24."""
    pulse = select(first.sdtm("VS"), VSTESTCD="PULSE", VSLOBXFL="Y")
    pulse = pulse[pulse["USUBJID"].isin(["LEADER-01-001", "LEADER-01-004"])]
    assert rows(pulse, "USUBJID VISIT VSDTC") == [
        ["LEADER-01-001", "SCREENING", "2018-07-16T10:53"],
        ["LEADER-01-004", "CYCLE 1 DAY 1", "2018-09-24T09:24"],
    ]


# --- ECOG performance status ----------------------------------------------------------------------------------------


def test_performance_status_is_a_clinical_classification_in_rs(first: Transfer) -> None:
    """RSCAT ECOG with the published test; grades as entered, the text of the scale as original result."""
    status = select(first.sdtm("RS"), RSCAT="ECOG")
    assert set(map(tuple, rows(status, "RSTESTCD RSTEST"))) == {("ECOG101", "ECOG1-Performance Status")}
    raw = first.raw("ECOG")
    entered = Counter(row["ECOG_STD"] for row in raw)
    earlier, _ = assessed_twice(raw)
    entered[earlier["ECOG_STD"]] -= 1
    assert Counter(status["RSSTRESC"]) == entered
    grades = set(map(tuple, rows(status[status["RSSTAT"] == ""], "RSSTRESC RSSTRESN RSORRES")))
    assert sorted((code, number, text.split(" ")[0]) for code, number, text in grades) == [
        ("0", "0", "Fully"), ("1", "1", "Restricted"), ("2", "2", "Ambulatory"),
    ]  # fmt: skip


def assessed_twice(raw: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the two rows of the one visit that has two."""
    visits = Counter((row["Subject"], row["Folder"], row["InstanceRepeatNumber"]) for row in raw)
    ((visit, _),) = [(visit, count) for visit, count in visits.items() if count > 1]
    return [row for row in raw if (row["Subject"], row["Folder"], row["InstanceRepeatNumber"]) == visit]


def test_a_status_entered_twice_counts_once_and_is_reported(first: Transfer) -> None:
    """01-004 at C3D1 has grade 0 and grade 2: the later row is the record, the other a finding with its place."""
    found = [row for row in first.findings() if row["rule"] == "MAP-DUPLICATE" and row["dataset"] == "RS"]
    assert [(row["file"], row["row"], row["record"]) for row in found] == [("ECOG.csv", "31", "3020037")]
    status = select(first.sdtm("RS"), USUBJID="LEADER-01-004", RSCAT="ECOG", VISIT="CYCLE 3 DAY 1")
    assert [row["ECOG_STD"] for row in assessed_twice(first.raw("ECOG"))] == ["0", "2"]
    assert rows(status, "RSSTRESC RSDTC") == [["2", "2018-11-05"]]


def test_a_status_not_assessed_has_its_reason(first: Transfer) -> None:
    """A telephone visit, and three times an oversight."""
    missed = select(first.sdtm("RS"), RSCAT="ECOG", RSSTAT="NOT DONE")
    assert Counter(missed["RSREASND"]) == {"TELEPHONE VISIT": 1, "NOT ASSESSED BY OVERSIGHT": 3}
    assert set(missed["RSORRES"]) | set(missed["RSSTRESC"]) == {""}


# --- laboratory -----------------------------------------------------------------------------------------------------


def test_urine_protein_by_dipstick(first: Transfer) -> None:
    """Every form is a record of PROT in URINE: degrees as read, or not done with the reason."""
    urine = select(first.sdtm("LB"), LBTESTCD="PROT", LBSPEC="URINE")
    raw = first.raw("UP")
    assert Counter(urine["LBSTRESC"]) == Counter(row["UPDIP"].upper() for row in raw)
    assert Counter(urine["LBREASND"]) == Counter(row["UPREAS"].upper() for row in raw)
    assert set(urine["LBMETHOD"]) == {"DIPSTICK MEASUREMENT METHOD"}
    assert set(urine["LBSTRESU"]) == {""}


def test_protein_of_24_hour_urine(first: Transfer) -> None:
    """01-001 at cycle 5: complete on 17 October, so begun on the 16th; the other seven likewise."""
    collected = select(first.sdtm("LB"), LBTESTCD="PROTEXR")
    assert sorted(collected["LBSTRESN"]) == sorted(float(row["UP24"]) for row in first.raw("UP") if row["UP24"])
    assert rows(
        select(collected, USUBJID="LEADER-01-001"), "LBTEST LBORRES LBORRESU LBSPEC LBDTC LBENDTC LBPDUR VISIT"
    ) == [["Protein Excretion Rate", "6.07", "g/day", "URINE", "2018-10-16", "2018-10-17", "PT24H", "CYCLE 5 DAY 1"]]


def test_pregnancy_tests_where_they_apply(first: Transfer) -> None:
    """Not applicable is no record; the specimen is urine or serum."""
    done = [row for row in first.raw("PREG") if row["PREGPERF_STD"] == "Y"]
    tests = select(first.sdtm("LB"), LBTESTCD="HCG")
    assert Counter(tests["LBSPEC"]) == Counter(row["PREGSPEC"].upper() for row in done)
    assert set(map(tuple, rows(tests, "LBCAT LBORRES LBSTRESC LBSTAT"))) == {
        ("PREGNANCY TEST", "NEGATIVE", "NEGATIVE", "")
    }


def test_a_blood_sample_not_taken_is_one_record_for_the_panel(first: Transfer) -> None:
    """LBALL with the reason (SDTMIG 3.4, 4.5.1.2); samples that were taken have no such record."""
    missed = select(first.sdtm("LB"), LBTESTCD="LBALL")
    assert rows(missed, "USUBJID LBTEST LBORRES LBSTAT LBREASND LBSPEC VISIT") == [
        ["LEADER-01-006", "Laboratory Test Results", "", "NOT DONE", "NOT DRAWN", "BLOOD", "CYCLE 4 DAY 8"],
        ["LEADER-01-015", "Laboratory Test Results", "", "NOT DONE", "SCREENING SAMPLE USED (WITHIN 3 DAYS)", "BLOOD", "CYCLE 1 DAY 1"],
    ]  # fmt: skip


# --- the second transfer --------------------------------------------------------------------------------------------


def test_the_second_transfer_has_every_measurement_too(second: Transfer) -> None:
    """The same counts from the raw files of 2021-07-07."""
    vs, raw = second.sdtm("VS"), second.vital_signs()
    done = Counter(vs.loc[vs["VSSTAT"] == "", "VSTESTCD"])
    assert done == {test: sum(row[name] != "" for row in raw) for name, test in VITAL_SIGNS.items()}
    assert len(second.sdtm("EG")) == 6 * len(second.raw("EG"))
    assert len(select(second.sdtm("RS"), RSCAT="ECOG")) == len(second.raw("ECOG")) - 1  # 01-004 has C3D1 twice
    lb = second.sdtm("LB")
    assert len(select(lb, LBTESTCD="PROT", LBSPEC="URINE")) == len(second.raw("UP"))
    assert len(select(lb, LBTESTCD="PROTEXR")) == sum(row["UP24"] != "" for row in second.raw("UP"))
    assert len(select(lb, LBTESTCD="HCG")) == sum(row["PREGPERF_STD"] == "Y" for row in second.raw("PREG"))
    assert len(select(lb, LBTESTCD="LBALL")) == sum(row["LBCPERF_STD"] == "N" for row in second.raw("LBC"))


def test_a_renamed_column_is_read_under_its_new_name(second: Transfer) -> None:
    """TLDIAM came as TLDIAM_MM: every diameter is there."""
    diameters = [row["TLDIAM_MM"] for row in second.raw("TL") if row["TLDIAM_MM"]]
    tr = second.sdtm("TR")
    ours = tr.loc[tr["TRTESTCD"].isin(["LDIAM", "LPERP"]) & (tr["TRSTAT"] == ""), "TRSTRESC"]
    assert Counter(ours) == Counter(diameters)


def test_a_remark_below_the_laboratorys_last_row_is_no_result(second: Transfer) -> None:
    """The remark explains the word for hemolysed; the potassium that says so is not done with that reason."""
    lb = second.sdtm("LB")
    hospital = select(lb, LBNAM="TAIPEI VETERANS GENERAL HOSPITAL")
    assert rows(select(hospital, LBSTAT="NOT DONE"), "LBTESTCD LBORRES LBREASND") == [["K", "", "HEMOLYZED SPECIMEN"]]
    assert (hospital["LBREFID"] != "").all()


def test_a_grade_that_the_scale_does_not_have_stays_and_is_reported(second: Transfer) -> None:
    """01-015 has performance status 7 at cycle 10: as entered, with a finding that a person explained."""
    status = select(second.sdtm("RS"), USUBJID="LEADER-01-015", RSCAT="ECOG", VISIT="CYCLE 10 DAY 1")
    assert rows(status, "RSORRES RSSTRESC RSDTC") == [["7", "7", "2020-03-30"]]
    found = [row for row in second.findings() if row["rule"] == "MAP-CT" and row["file"] == "ECOG.csv"]
    assert [(row["row"], row["values"], bool(row["explanation"])) for row in found] == [("171", "7", True)]


def test_a_renumbered_subject_has_one_number_in_all_files(second: Transfer) -> None:
    """01-014 became 01-031: nothing is left under the old number, and the laboratory's results came along."""
    for name in ("VS", "EG", "RS", "LB"):
        subjects = set(second.sdtm(name)["USUBJID"])
        assert "LEADER-01-031" in subjects
        assert "LEADER-01-014" not in subjects
