"""What study.yaml says of a REDCap project: its instruments are tables, and what of them is not submitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from specs.findings import SpecificationError
from trialmill.faults import CallError
from trialmill.run import read_tables
from trialmill.study import read_study

DICTIONARY = "field_name,form_name,field_type,field_label,select_choices_or_calculations,text_validation_type_or_show_slider_number\n"
FIELDS = "id,enrol,text,Id,,\nsex,enrol,text,Sex,,\nterm,events,text,Term,,\nout_now,events,text,Outcome,,\nnote,diary,text,Note,,\n"
FLAT = "id,sex,enrol_complete,term,out_now,events_complete,note,diary_complete\n1,F,2,Nausea,1,2,slept,2\n"
STUDY = """
study: X
terminology: sdtm-2025-03-28
transfers: {raw: {cutoff: 2021-01-01}}
redcap: {data: data.csv, dictionary: fields.csv}
"""


def put(folder: Path, *, study: str = STUDY) -> Path:
    (folder / "raw").mkdir()
    (folder / "raw" / "fields.csv").write_text(DICTIONARY + FIELDS)
    (folder / "raw" / "data.csv").write_text(FLAT)
    (folder / "study.yaml").write_text(study)
    return folder


def test_instruments_are_tables_without_being_named(tmp_path: Path) -> None:
    """Every instrument of the dictionary is there; its files are known to the transfer."""
    tables, findings = read_tables(read_study(put(tmp_path)))
    assert list(tables) == ["enrol", "events", "diary"]
    assert findings == []


def test_study_knows_the_fields(tmp_path: Path) -> None:
    """Labels and choices of the data dictionary are at hand for what comes after."""
    dictionary = read_study(put(tmp_path)).export.dictionary
    assert dictionary is not None
    assert (dictionary.fields["term"].label, dictionary.fields["term"].instrument) == ("Term", "events")


def test_more_can_be_said_of_an_instrument(tmp_path: Path) -> None:
    """Another name, a renamed column, one that a transfer may lack, an instrument that is not submitted."""
    tables = """
tables:
  ae: {instrument: events, renamed: {out_now: outcome}, optional_columns: [aesi]}
  diary: {instrument: diary, not_submitted: for the subject alone}
"""
    study = read_study(put(tmp_path, study=STUDY + tables))
    found, _ = read_tables(study)
    assert list(found) == ["ae", "enrol"]
    assert list(found["ae"].columns)[4:] == ["term", "outcome", "events_complete", "aesi"]
    assert study.tables["diary"].whole == "for the subject alone"


def test_instrument_that_a_transfer_may_lack(tmp_path: Path) -> None:
    """Optional: it is simply not there."""
    tables, _ = read_tables(
        read_study(put(tmp_path, study=STUDY + "tables: {pk: {instrument: pk, optional: true}}\n"))
    )
    assert "pk" not in tables


def test_without_the_transfer_the_study_compiles(tmp_path: Path) -> None:
    """The instruments are known only from the dictionary, so tables are linked when it is there."""
    study = put(tmp_path)
    (study / "raw").rename(study / "elsewhere")
    assert read_study(study).export.names is None


@pytest.mark.parametrize(("study", "fault"), [
    (STUDY + "tables: {ae: {instrument: event}}\n", "study.yaml:6: no instrument is called event - did you mean events?"),
    (STUDY + "tables: {a: {instrument: events}, b: {instrument: events}}\n", "study.yaml:6: events is the table a already"),
    (STUDY + "tables: {events: {file: data.csv}}\n", "study.yaml:6: events is an instrument of fields.csv"),
    (STUDY + "tables: {ae: {instrument: events, file: data.csv}}\n", "study.yaml:6: file is not a key of an instrument"),
    (STUDY + "tables: {ae: {record: id}}\n", "study.yaml:6: file is missing here"),
    (STUDY.replace("redcap:", "tables: {ae: {instrument: events}} #"), "study.yaml:5: there is no REDCap project"),
    (STUDY.replace(", dictionary: fields.csv", ""), "study.yaml:5: dictionary is missing here: data needs it"),
    (STUDY.replace("fields.csv", "fields.csv, reading: xml"), "study.yaml:5: no reading is called xml"),
    (STUDY.replace("fields.csv", "fields.csv, reading: odm"), "study.yaml:5: odm is to be read, and no odm: is named"),
    (STUDY.replace("fields.csv", "fields.csv, events: 1"), "study.yaml:5: events is not a key of redcap"),
])  # fmt: skip
def test_faults_of_the_section(tmp_path: Path, study: str, fault: str) -> None:
    """Each is an address, a reason and a cure."""
    put(tmp_path, study=study)
    with pytest.raises(SpecificationError) as caught:
        read_study(tmp_path)
    assert [str(item).partition(f"{tmp_path}/")[2] for item in caught.value.faults if fault in str(item)]


def test_reading_of_a_study_without_a_project_is_a_fault(tmp_path: Path) -> None:
    """`--reading` says nothing there."""
    put(tmp_path, study=STUDY.replace("redcap:", "tables: {enrol: {file: data.csv}} #"))
    with pytest.raises(SpecificationError, match="there is no redcap: of which odm could be read"):
        read_study(tmp_path, reading="odm")


def test_data_dictionary_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """The transfer is there, and its dictionary is not."""
    (put(tmp_path) / "raw" / "fields.csv").unlink()
    with pytest.raises(CallError, match=r"fields\.csv: no such file"):
        read_study(tmp_path)
