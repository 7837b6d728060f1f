"""ERIANLO's clinical domains in the second transfer: a renamed and a new column, a renumbered subject, nothing lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from read_back import Row, read_csv, read_findings, read_forms, rows

STUDY = Path(__file__).parents[2] / "mappings" / "anlotinib-breast"
TRANSFER = "studies/anlotinib-breast/transfers/2023-04-06"
Read = Callable[[str], pd.DataFrame]
Form = Callable[[str], list[Row]]


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path], shared: Callable[[str], Path]) -> Path:
    """Run the study on the second transfer once."""
    return run_study("anlotinib-breast", raw=shared("studies/anlotinib-breast/transfers/2023-04-06"))


@pytest.fixture(scope="module")
def form(shared: Callable[[str], Path]) -> Form:
    """Return a function that gives the rows of one form in the EDC's flat export: those where the form is used."""
    return read_forms(shared(f"{TRANSFER}/ERIANLO_DATA_2023-03-31.csv"))


def subject(data: pd.DataFrame, number: str) -> pd.DataFrame:
    """Take the records of one subject."""
    return data[data["USUBJID"] == f"ERIANLO-01-{number}"]


def test_the_renamed_outcome_is_aeout(sdtm: Read, form: Form):
    """ae_outcome is called ae_out in this transfer, with the same codes."""
    words = {"1": "RECOVERED/RESOLVED", "3": "NOT RECOVERED/NOT RESOLVED", "5": "FATAL"}
    wanted = Counter(words[row["ae_out"]] for row in form("adverse_events"))
    wanted["RECOVERED/RESOLVED"] -= 1  # an event number of EA001 that stands twice
    assert Counter(sdtm("AE")["AEOUT"]) == wanted


def test_the_new_field_of_special_interest_is_a_qualifier(sdtm: Read, form: Form):
    """ae_aesi is new: Y and N as ticked."""
    answers = Counter({"1": "Y", "0": "N"}[row["ae_aesi"]] for row in form("adverse_events"))
    supp = sdtm("SUPPAE")
    found = Counter(supp[supp["QNAM"] == "AESI"]["QVAL"])
    assert found == answers - Counter({"N": 1})


def test_the_renumbered_subject_has_one_number_in_all_datasets(out: Path):
    """Record 14, EA014, is now record 48, EA048: no dataset knows EA014, and what belongs to EA048 is there."""
    numbers: dict[str, set[str]] = {}
    for path in sorted((out / "sdtm").glob("*.xpt")):
        data, _ = pyreadstat.read_xport(path)
        if "USUBJID" in data.columns:
            numbers[path.stem] = set(data["USUBJID"])
    assert [name for name, known in numbers.items() if "ERIANLO-01-EA014" in known] == []
    has_it = {name for name, known in numbers.items() if "ERIANLO-01-EA048" in known}
    assert {"ae", "cm", "dd", "dm", "ds", "ec", "ex", "lb", "mh", "rs", "se", "ss", "sv", "tr", "tu", "vs"} <= has_it


def test_who_was_enrolled_and_never_dosed_is_assigned_and_not_treated(sdtm: Read):
    """EA036 withdrew before the first dose; the element of screening ends with the participation."""
    assert rows(subject(sdtm("DM"), "EA036"), "RFSTDTC RFPENDTC ARMCD ACTARMCD ARMNRS") == [
        ["", "2022-06-06", "ERIANL", "", "ASSIGNED, NOT TREATED"]
    ]
    assert rows(subject(sdtm("SE"), "EA036"), "ETCD SESTDTC SEENDTC") == [["SCRN", "2022-05-24", "2022-06-06"]]


def test_a_death_known_to_the_month_stays_partial(sdtm: Read):
    """EA025 died in December 2022."""
    assert rows(subject(sdtm("DM"), "EA025"), "DTHDTC DTHFL RFPENDTC") == [["2022-12", "Y", "2022-12"]]
    assert rows(subject(sdtm("DD"), "EA025"), "DDSTRESC DDDTC DDDY") == [["BREAST CANCER", "2022-12", ""]]
    assert rows(subject(sdtm("SE"), "EA025").tail(1), "ETCD SEENDTC SEENDY") == [["FUP", "2022-12", ""]]


def test_a_dose_written_with_its_unit_is_a_number_and_a_unit(sdtm: Read):
    """EA041 took 0.5g, the unit in the field of the dose."""
    cm = subject(sdtm("CM"), "EA041")
    assert rows(cm[cm["CMSPID"] == "41-CM3"], "CMTRT CMDECOD CMDOSE CMDOSU") == [
        ["Acetaminophen", "PARACETAMOL", "0.5", "g"]
    ]


def test_the_translation_table_has_every_verbatim_of_this_transfer_too(out: Path, form: Form):
    """No value was refused, and every text that is not ASCII on a clinical form has its entry."""
    table = {row["original"]: row for row in read_csv(STUDY / "lookups" / "translations.csv")}
    for name in ("adverse_events", "medical_history", "concomitant_meds", "prior_treatment", "subsequent_therapy"):
        assert {value for row in form(name) for value in row.values() if not value.isascii()} <= set(table)
    assert all(row["english"].isascii() and row["translated_by"] and row["date"] for row in table.values())
    assert not [row for row in read_findings(out) if row["rule"] == "MAP-TRANSLATION"]


def test_every_row_of_the_longer_transfer_has_its_record(sdtm: Read, form: Form):
    """Counted from the flat export."""
    enrolment = form("enrollment")
    counted = {
        "DM": len(enrolment) - 1,
        "EX": sum(row["eri_given"] == "1" for row in form("eribulin")) + len(form("anlotinib")),
        "EC": len(form("eribulin")) + len(form("anlotinib")),
        "AE": len(form("adverse_events")) - 1,
        "SS": len(form("followup")),
        "DD": sum(row["dth_cause"] != "" for row in form("death")),
        "MH": len(form("medical_history")) + 2 * len(form("disease_history")),
    }
    assert {name: len(sdtm(name)) for name in counted} == counted
    treatments = len(form("concomitant_meds")) + len(form("prior_treatment")) + len(form("subsequent_therapy"))
    assert len(sdtm("CM")) + len(sdtm("PR")) == treatments
    assert (sdtm("SE")["ETCD"] == "SCRN").sum() == len(enrolment)


def test_an_event_that_is_ongoing_and_has_ended_is_reported(out: Path, sdtm: Read):
    """EA048, event 1: the end date stays, the mark ongoing is refused."""
    ae = subject(sdtm("AE"), "EA048")
    assert rows(ae[ae["AESPID"] == "1"], "AETERM AEENDTC AEENRTPT") == [["nausea", "2021-07-10", ""]]
    found = [row for row in read_findings(out) if row["values"] == "ONGOING ENDED"]
    assert [(row["dataset"], row["explanation"] != "") for row in found] == [("AE", True)]
