"""A REDCap project, read from the flat export and from ODM-XML: every instrument is a table, the same from both."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from sdtm.rawtable import RawTable
from specs.findings import Finding
from trialmill.raw import RawError, RedcapSource, read_dictionary, read_redcap
from trialmill.raw.instruments import parse_choices

# Three instruments: one of the first event, one of an event that repeats, one that itself repeats.
DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",Text Validation Type OR Show Slider Number
rec,baseline,,text,Record,,
sex,baseline,,radio,Sex,"1, Male | 2, Female",
about,baseline,,descriptive,Please read this first,,
sites,baseline,,checkbox,Sites,"1, Liver | 2, Lung | -9, Other, named below",
v_done,visit,,yesno,Visit done?,,
v_time,visit,,text,Date and time,,datetime_ymd
ae_term,ae,,text,Event,,
ae_end,ae,,text,End,,date_ymd
"""
FLAT = '''\
rec,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,sites___1,sites___2,sites____9,baseline_complete,v_done,v_time,visit_complete,ae_term,ae_end,ae_complete
2,start_arm_1,,,1,0,0,1,2,,,,,,
2,cycle_arm_1,,1,,,,,,1,2021-03-01 08:30,2,,,
2,cycle_arm_1,,2,,,,,,0,,1,,,
2,cycle_arm_1,,3,,,,,,,,0,,,
2,logs_arm_1,ae,1,,,,,,,,,恶心,2021-03-09,2
2,logs_arm_1,ae,10,,,,,,,,,"Nausea, again",,0
2,logs_arm_1,ae,3,,,,,,,,,"He said ""no""",,2
10,start_arm_1,,,2,1,1,0,0,,,,,,
'''
ODM = """\
<?xml version="1.0" encoding="UTF-8"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:redcap="https://projectredcap.org" ODMVersion="1.3.1" FileType="Snapshot">
<Study OID="P"><GlobalVariables><StudyName>P</StudyName>
  <redcap:RepeatingInstrumentsAndEvents>
    <redcap:RepeatingEvent redcap:UniqueEventName="cycle_arm_1"/>
    <redcap:RepeatingInstruments><redcap:RepeatingInstrument redcap:UniqueEventName="logs_arm_1" redcap:RepeatInstrument="ae"/></redcap:RepeatingInstruments>
  </redcap:RepeatingInstrumentsAndEvents></GlobalVariables>
<MetaDataVersion OID="M" Name="P" redcap:RecordIdField="rec">
  <StudyEventDef OID="Event.start_arm_1" Name="Start" Repeating="No" redcap:UniqueEventName="start_arm_1"/>
  <StudyEventDef OID="Event.cycle_arm_1" Name="Cycle" Repeating="No" redcap:UniqueEventName="cycle_arm_1"/>
  <StudyEventDef OID="Event.logs_arm_1" Name="Logs" Repeating="No" redcap:UniqueEventName="logs_arm_1"/>
  <FormDef OID="Form.baseline" Name="Baseline" redcap:FormName="baseline"><ItemGroupRef ItemGroupOID="b"/><ItemGroupRef ItemGroupOID="bc"/></FormDef>
  <FormDef OID="Form.visit" Name="Visit" redcap:FormName="visit"><ItemGroupRef ItemGroupOID="v"/></FormDef>
  <FormDef OID="Form.ae" Name="Adverse events" redcap:FormName="ae"><ItemGroupRef ItemGroupOID="a"/></FormDef>
  <ItemGroupDef OID="b"><ItemRef ItemOID="rec"/><ItemRef ItemOID="sex"/><ItemRef ItemOID="sites___1"/><ItemRef ItemOID="sites___2"/><ItemRef ItemOID="sites____9"/></ItemGroupDef>
  <ItemGroupDef OID="bc"><ItemRef ItemOID="baseline_complete"/></ItemGroupDef>
  <ItemGroupDef OID="v"><ItemRef ItemOID="v_done"/><ItemRef ItemOID="v_time"/><ItemRef ItemOID="visit_complete"/></ItemGroupDef>
  <ItemGroupDef OID="a"><ItemRef ItemOID="ae_term"/><ItemRef ItemOID="ae_end"/><ItemRef ItemOID="ae_complete"/></ItemGroupDef>
  <ItemDef OID="rec" Name="rec" DataType="text" redcap:Variable="rec" redcap:FieldType="text"/>
  <ItemDef OID="sex" Name="sex" DataType="text" redcap:Variable="sex" redcap:FieldType="radio"><Question><TranslatedText>Sex</TranslatedText></Question><CodeListRef CodeListOID="sex.choices"/></ItemDef>
  <ItemDef OID="sites___1" DataType="boolean" redcap:Variable="sites" redcap:FieldType="checkbox"><CodeListRef CodeListOID="sites.choices"/></ItemDef>
  <ItemDef OID="sites___2" DataType="boolean" redcap:Variable="sites" redcap:FieldType="checkbox"><CodeListRef CodeListOID="sites.choices"/></ItemDef>
  <ItemDef OID="sites____9" DataType="boolean" redcap:Variable="sites" redcap:FieldType="checkbox"><CodeListRef CodeListOID="sites.choices"/></ItemDef>
  <ItemDef OID="v_done" DataType="text" redcap:Variable="v_done" redcap:FieldType="yesno"/>
  <ItemDef OID="v_time" DataType="datetime" redcap:Variable="v_time" redcap:FieldType="text" redcap:TextValidationType="datetime_ymd"/>
  <ItemDef OID="ae_term" DataType="text" redcap:Variable="ae_term" redcap:FieldType="text"/>
  <ItemDef OID="ae_end" DataType="date" redcap:Variable="ae_end" redcap:FieldType="text"/>
  <CodeList OID="sex.choices" DataType="text"><CodeListItem CodedValue="1"><Decode><TranslatedText>Male</TranslatedText></Decode></CodeListItem><CodeListItem CodedValue="2"><Decode><TranslatedText>Female</TranslatedText></Decode></CodeListItem></CodeList>
  <CodeList OID="sites.choices" DataType="boolean" redcap:CheckboxChoices="1, Liver | 2, Lung | -9, Other, named below"/>
</MetaDataVersion></Study>
<ClinicalData StudyOID="P" MetaDataVersionOID="M">
  <SubjectData SubjectKey="2">
    <StudyEventData StudyEventOID="Event.start_arm_1" StudyEventRepeatKey="1">
      <FormData FormOID="Form.baseline" FormRepeatKey="1">
        <ItemGroupData ItemGroupOID="b" ItemGroupRepeatKey="1"><ItemData ItemOID="rec" Value="2"/><ItemData ItemOID="sex" Value="1"/><ItemData ItemOID="sites____9" Value="1"/></ItemGroupData>
        <ItemGroupData ItemGroupOID="bc" ItemGroupRepeatKey="1"><ItemData ItemOID="baseline_complete" Value="2"/></ItemGroupData>
      </FormData>
    </StudyEventData>
    <StudyEventData StudyEventOID="Event.cycle_arm_1" StudyEventRepeatKey="1">
      <FormData FormOID="Form.visit" FormRepeatKey="1"><ItemGroupData ItemGroupOID="v"><ItemData ItemOID="v_done" Value="1"/><ItemData ItemOID="v_time" Value="2021-03-01T08:30"/><ItemData ItemOID="visit_complete" Value="2"/></ItemGroupData></FormData>
    </StudyEventData>
    <StudyEventData StudyEventOID="Event.cycle_arm_1" StudyEventRepeatKey="2">
      <FormData FormOID="Form.visit" FormRepeatKey="1"><ItemGroupData ItemGroupOID="v"><ItemData ItemOID="v_done" Value="0"/><ItemData ItemOID="visit_complete" Value="1"/></ItemGroupData></FormData>
    </StudyEventData>
    <StudyEventData StudyEventOID="Event.logs_arm_1" StudyEventRepeatKey="1">
      <FormData FormOID="Form.ae" FormRepeatKey="1"><ItemGroupData ItemGroupOID="a"><ItemData ItemOID="ae_term" Value="恶心"/><ItemData ItemOID="ae_end" Value="2021-03-09"/><ItemData ItemOID="ae_complete" Value="2"/></ItemGroupData></FormData>
      <FormData FormOID="Form.ae" FormRepeatKey="3"><ItemGroupData ItemGroupOID="a"><ItemData ItemOID="ae_term" Value="He said &quot;no&quot;"/><ItemData ItemOID="ae_complete" Value="2"/></ItemGroupData></FormData>
      <FormData FormOID="Form.ae" FormRepeatKey="10"><ItemGroupData ItemGroupOID="a"><ItemDataString ItemOID="ae_term">Nausea, again</ItemDataString><ItemData ItemOID="ae_complete" Value="0"/></ItemGroupData></FormData>
    </StudyEventData>
  </SubjectData>
  <SubjectData SubjectKey="10">
    <StudyEventData StudyEventOID="Event.start_arm_1" StudyEventRepeatKey="1">
      <FormData FormOID="Form.baseline" FormRepeatKey="1">
        <ItemGroupData ItemGroupOID="b"><ItemData ItemOID="rec" Value="10"/><ItemData ItemOID="sex" Value="2"/><ItemData ItemOID="sites___1" Value="1"/><ItemData ItemOID="sites___2" Value="1"/></ItemGroupData>
        <ItemGroupData ItemGroupOID="bc"><ItemData ItemOID="baseline_complete" Value="0"/></ItemGroupData>
      </FormData>
    </StudyEventData>
  </SubjectData>
</ClinicalData>
</ODM>
"""
EXPECTED = {
    "baseline": """
        rec | redcap_event_name | redcap_repeat_instrument | redcap_repeat_instance | sex | sites___1 | sites___2 | sites____9 | baseline_complete
        2   | start_arm_1       |                          |                        | 1   | 0         | 0         | 1          | 2
        10  | start_arm_1       |                          |                        | 2   | 1         | 1         | 0          | 0
        """,
    "visit": """
        rec | redcap_event_name | redcap_repeat_instrument | redcap_repeat_instance | v_done | v_time           | visit_complete
        2   | cycle_arm_1       |                          | 1                      | 1      | 2021-03-01 08:30 | 2
        2   | cycle_arm_1       |                          | 2                      | 0      |                  | 1
        """,
    "ae": """
        rec | redcap_event_name | redcap_repeat_instrument | redcap_repeat_instance | ae_term       | ae_end     | ae_complete
        2   | logs_arm_1        | ae                       | 1                      | 恶心          | 2021-03-09 | 2
        2   | logs_arm_1        | ae                       | 3                      | He said "no"  |            | 2
        2   | logs_arm_1        | ae                       | 10                     | Nausea, again |            | 0
        """,
}
SOURCE = RedcapSource(data="data_*.csv", dictionary="dictionary.csv", odm="odm.zip", record="rec")


def expected(instrument: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in EXPECTED[instrument].strip().splitlines()]


def rows_of(table: RawTable) -> list[list[str]]:
    return [list(table.columns), *table.data.to_numpy().tolist()]


def put(folder: Path, *, flat: str = FLAT, odm: str = ODM, dictionary: str = DICTIONARY) -> Path:
    """Write the project's exports; an empty text leaves one out."""
    (folder / "dictionary.csv").write_text(dictionary, encoding="utf-8")
    if flat:
        (folder / "data_2021.csv").write_text(flat, encoding="utf-8")
    if odm:
        with zipfile.ZipFile(folder / "odm.zip", "w") as archive:
            archive.writestr("project.xml", odm)
    return folder


def read(
    folder: Path, *, source: RedcapSource = SOURCE, reading: str = "data"
) -> tuple[Mapping[str, RawTable], list[Finding]]:
    chosen = dataclasses.replace(source, reading=reading)
    return read_redcap(chosen, read_dictionary(chosen, folder=folder), folder=folder)


@pytest.mark.parametrize("reading", ["data", "odm"])
@pytest.mark.parametrize("instrument", EXPECTED)
def test_every_instrument_is_a_table(tmp_path: Path, instrument: str, reading: str) -> None:
    """Keys, the instrument's fields and its status, where it is in use; the same from both exports."""
    tables, findings = read(put(tmp_path), reading=reading)
    assert rows_of(tables[instrument]) == expected(instrument)
    assert set(tables[instrument].data.dtypes) == {pd.StringDtype(na_value=float("nan"))}
    assert findings == []


def test_row_is_the_line_in_the_flat_export(tmp_path: Path) -> None:
    """Rows are ordered by instance as a number; each names the line where it stands."""
    tables, _ = read(put(tmp_path))
    assert tables["ae"].origin["row"].tolist() == [6, 8, 7]
    assert set(tables["ae"].origin["file"]) == {"data_2021.csv"}


def test_row_is_the_line_of_the_form_in_odm(tmp_path: Path) -> None:
    """A row from ODM-XML names the line its form begins in."""
    tables, _ = read(put(tmp_path), reading="odm")
    lines = ODM.splitlines()
    shown = [lines[row - 1] for row in tables["ae"].origin["row"]]
    assert ["FormRepeatKey=" + text.partition("FormRepeatKey=")[2][:4] for text in shown] == [
        'FormRepeatKey="1">', 'FormRepeatKey="3">', 'FormRepeatKey="10"'
    ]  # fmt: skip
    assert set(tables["ae"].origin["file"]) == {"odm.zip!project.xml"}


@pytest.mark.parametrize("reading", ["data", "odm"])
def test_record_of_a_row_is_its_whole_key(tmp_path: Path, reading: str) -> None:
    """Record, event, instrument and instance, as far as it has them: the same from both exports."""
    tables, _ = read(put(tmp_path), reading=reading)
    assert tables["baseline"].origin["record"].tolist() == ["2 start_arm_1 baseline", "10 start_arm_1 baseline"]
    assert tables["visit"].origin["record"].tolist() == ["2 cycle_arm_1 visit 1", "2 cycle_arm_1 visit 2"]
    assert tables["ae"].origin["record"].tolist()[2] == "2 logs_arm_1 ae 10"


@pytest.mark.parametrize("reading", ["data", "odm"])
def test_project_without_events_or_repeats(tmp_path: Path, reading: str) -> None:
    """The keys that a classic project does not have are empty; its ODM-XML has forms right below the subject."""
    dictionary = "field_name,form_name,field_type,field_label,select_choices_or_calculations,text_validation_type_or_show_slider_number\nid,f,text,Id,,\na,f,text,A,,\n"
    forms = '<FormData FormOID="Form.f" FormRepeatKey="1"><ItemGroupData ItemGroupOID="g"><ItemData ItemOID="id" Value="7"/><ItemData ItemOID="a" Value="x"/><ItemData ItemOID="f_complete" Value="2"/></ItemGroupData></FormData>'
    odm = f'<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"><ClinicalData><SubjectData SubjectKey="7">{forms}</SubjectData></ClinicalData></ODM>'
    put(tmp_path, flat="id,a,f_complete\n7,x,2\n", odm=odm, dictionary=dictionary)
    tables, findings = read(tmp_path, source=dataclasses.replace(SOURCE, record=""), reading=reading)
    assert rows_of(tables["f"])[1:] == [["7", "", "", "", "x", "2"]]
    assert findings == []


def test_column_of_system_belongs_to_the_first_instrument(tmp_path: Path) -> None:
    """The data access group stands before the fields of the first instrument, and uses no form by itself."""
    flat = "rec,redcap_data_access_group,sex,baseline_complete,v_done,visit_complete\n1,taipei,1,2,1,2\n2,hualien,,,1,2\n"
    dictionary = "\n".join(
        line
        for line in DICTIONARY.splitlines()
        if line.split(",")[0] in ("rec", "sex", "v_done") or "Form Name" in line
    )
    tables, findings = read(
        put(tmp_path, flat=flat, odm="", dictionary=dictionary + "\n"), source=dataclasses.replace(SOURCE, odm="")
    )
    assert rows_of(tables["baseline"])[1:] == [["1", "", "", "", "taipei", "1", "2"]]
    assert [row[0] for row in rows_of(tables["visit"])[1:]] == ["1", "2"]
    assert findings == []


def test_dictionary_says_labels_and_choices(tmp_path: Path) -> None:
    """A field's instrument, type, label, validation and choices; the first field is the record id."""
    fields = read_dictionary(SOURCE, folder=put(tmp_path)).fields
    assert next(iter(fields)) == "rec"
    assert dict(fields["sex"].choices) == {"1": "Male", "2": "Female"}
    assert dict(fields["sites"].choices) == {"1": "Liver", "2": "Lung", "-9": "Other, named below"}
    assert dict(fields["v_done"].choices) == {"1": "Yes", "0": "No"}
    assert (fields["v_time"].instrument, fields["v_time"].label, fields["v_time"].validation) == (
        "visit",
        "Date and time",
        "datetime_ymd",
    )


def test_odm_alone_is_its_own_dictionary(tmp_path: Path) -> None:
    """Where only ODM-XML is named, its metadata are the data dictionary; the tables are the same."""
    source = RedcapSource(odm="odm.zip", reading="odm")
    tables, findings = read(put(tmp_path, flat=""), source=source, reading="odm")
    assert {name: rows_of(table) for name, table in tables.items()} == {name: expected(name) for name in EXPECTED}
    fields = read_dictionary(source, folder=tmp_path).fields
    assert dict(fields["sex"].choices) == {"1": "Male", "2": "Female"}
    assert dict(fields["sites"].choices) == {"1": "Liver", "2": "Lung", "-9": "Other, named below"}
    assert findings == []


@pytest.mark.parametrize(("text", "choices"), [
    ("1, Male | 2, Female", {"1": "Male", "2": "Female"}),
    ("1,a|2,b, c", {"1": "a", "2": "b, c"}),
    ("alone", {"alone": "alone"}),
    ("", {}),
])  # fmt: skip
def test_choices(text: str, choices: dict[str, str]) -> None:
    """Choices are separated by bars, a code from its label by the first comma."""
    assert parse_choices(text) == choices


# Where the two exports do not agree


def test_value_that_differs_is_a_finding(tmp_path: Path) -> None:
    """It names record, event, instrument, instance, field, both values and both places."""
    _, (finding,) = read(put(tmp_path, flat=FLAT.replace("2021-03-09", "2021-03-08")))
    assert (finding.rule, finding.severity) == ("RAW-READINGS-DIFFER", "warning")
    assert (finding.file, finding.row, finding.record) == ("data_2021.csv", 6, "2 logs_arm_1 ae 1")
    assert (finding.variables, finding.values) == (("ae_end",), ("2021-03-08", "2021-03-09"))
    line = next(number for number, text in enumerate(ODM.splitlines(), start=1) if "恶心" in text)
    assert f"odm.zip!project.xml, form at line {line}" in finding.message


def test_box_that_differs_is_a_finding(tmp_path: Path) -> None:
    """A box that ODM-XML does not mention is not ticked."""
    _, (finding,) = read(put(tmp_path, flat=FLAT.replace("2,start_arm_1,,,1,0,0,1,2", "2,start_arm_1,,,1,1,0,1,2")))
    assert (finding.variables, finding.values) == (("sites___1",), ("1", "0"))


@pytest.mark.parametrize(("alone", "flat", "odm"), [
    ("data_2021.csv", FLAT + "11,start_arm_1,,,1,0,0,0,2,,,,,,\n", ODM),
    ("odm.zip!project.xml", "\n".join(FLAT.splitlines()[:-1]) + "\n", ODM),
])  # fmt: skip
def test_row_of_one_export_alone_is_a_finding(tmp_path: Path, alone: str, flat: str, odm: str) -> None:
    """The finding stands in the file that has the row."""
    _, (finding,) = read(put(tmp_path, flat=flat, odm=odm))
    assert (finding.rule, finding.file) == ("RAW-READINGS-ROW", alone)
    assert finding.record in ("11 start_arm_1 baseline", "10 start_arm_1 baseline")


def test_export_that_has_not_come_is_told(tmp_path: Path) -> None:
    """Nothing is compared in silence: a note says that there is one export alone."""
    tables, (finding,) = read(put(tmp_path, odm=""))
    assert (finding.rule, finding.severity, finding.file) == ("RAW-READINGS-ONE", "note", "odm.zip")
    assert rows_of(tables["ae"]) == expected("ae")


def test_row_twice_is_an_error(tmp_path: Path) -> None:
    """Both rows are read, and the second is reported with its line."""
    flat = FLAT + '2,logs_arm_1,ae,3,,,,,,,,,"He said ""no""",,2\n'
    tables, findings = read(put(tmp_path, flat=flat))
    assert len(tables["ae"].data) == 4
    twice = [(item.severity, item.row, item.record) for item in findings if item.rule == "RAW-KEY-TWICE"]
    assert twice == [("error", 10, "2 logs_arm_1 ae 3")]


# Where an export and the dictionary do not agree


def test_column_that_the_dictionary_lacks_is_kept_and_told(tmp_path: Path) -> None:
    """It stays with the instrument it stands in."""
    flat = FLAT.replace("v_time,", "v_time,v_new,").replace("08:30,", "08:30,x,")
    lines = [
        line if "v_new" in line or ",x," in line else ",".join([*line.split(",")[:11], "", *line.split(",")[11:]])
        for line in flat.splitlines()
    ]
    tables, findings = read(put(tmp_path, flat="\n".join(lines) + "\n", odm=""))
    assert list(tables["visit"].columns)[-3:] == ["v_time", "v_new", "visit_complete"]
    assert tables["visit"].data["v_new"].tolist() == ["x", ""]
    assert [(item.rule, item.variables) for item in findings][:1] == [("RAW-DICTIONARY", ("v_new",))]


@pytest.mark.parametrize("reading", ["data", "odm"])
def test_field_that_the_export_lacks_is_told(tmp_path: Path, reading: str) -> None:
    """The table does not have the column, so that no mapping takes it for empty."""
    dictionary = DICTIONARY + "ae_aesi,ae,,yesno,Special interest?,,\n"
    tables, findings = read(put(tmp_path, dictionary=dictionary), reading=reading)
    assert "ae_aesi" not in tables["ae"].columns
    files = sorted((item.rule, item.file, *item.variables) for item in findings)
    assert files == [
        ("RAW-DICTIONARY", "data_2021.csv", "ae_aesi"),
        ("RAW-DICTIONARY", "odm.zip!project.xml", "ae_aesi"),
    ]


def test_box_without_a_choice_is_told(tmp_path: Path) -> None:
    """A box whose code the dictionary does not have stays in the table of its field."""
    dictionary = DICTIONARY.replace(" | 2, Lung", "")
    tables, findings = read(put(tmp_path, dictionary=dictionary, odm=""))
    assert "sites___2" in tables["baseline"].columns
    assert [item.variables for item in findings if item.rule == "RAW-DICTIONARY"] == [("sites___2",)]


# What cannot be trusted is one line


@pytest.mark.parametrize(("change", "message"), [
    ({"flat": FLAT.replace("rec,", "Record ID,", 1)}, "data_2021.csv: has no column 'rec', the record id"),
    ({"flat": FLAT.replace("logs_arm_1,ae,10", "logs_arm_1,Adverse events,10")}, "data_2021.csv:7: 'Adverse events' is no instrument of dictionary.csv"),
    ({"flat": FLAT[:-20]}, "data_2021.csv:9: cut off"),
    ({"flat": ""}, "data_*.csv: no such file"),
    ({"odm": "\n".join(ODM.splitlines()[:38])}, "odm.zip!project.xml:38: cut off"),
    ({"odm": ODM.replace("Form.ae", "Form.other").replace('FormName="ae"', 'FormName="other"')}, "odm.zip!project.xml: holds instruments that dictionary.csv does not have: 'other'"),
    ({"dictionary": DICTIONARY + "sex,baseline,,radio,Sex again,,\n"}, "dictionary.csv:10: the field 'sex' stands twice"),
    ({"dictionary": DICTIONARY.replace("Form Name", "Forms")}, "dictionary.csv: has no column 'Form Name'"),
    ({"dictionary": DICTIONARY.replace("rec,", "record,", 1)}, "dictionary.csv: has no field 'rec' for the record id"),
    ({"dictionary": DICTIONARY.splitlines()[0] + "\n"}, "dictionary.csv: holds no field"),
])  # fmt: skip
def test_damage_is_one_line(tmp_path: Path, change: dict[str, str], message: str) -> None:
    """File, line where there is one, what is wrong, and what to do."""
    put(tmp_path, **change)
    with pytest.raises(RawError) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert " - " in str(caught.value)


def test_empty_archive_member(tmp_path: Path) -> None:
    """A file of 0 bytes is damage too."""
    put(tmp_path, odm="")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("project.xml", "")
    (tmp_path / "odm.zip").write_bytes(buffer.getvalue())
    with pytest.raises(RawError, match="is empty"):
        read(tmp_path)


# A whole study: both readings of both transfers

ERIANLO = RedcapSource(
    data="ERIANLO_DATA_*.csv", dictionary="ERIANLO_DataDictionary_*.csv", odm="ERIANLO_ODM_*.zip", record="record_id"
)
DIFFERENCES = {
    "2022-05-09": [],
    "2023-04-06": [("RAW-READINGS-DIFFER", "41 cycle_day_1_arm_1 vitals 3", ("weight",), ("72.1", "74.0"))],
}


@pytest.mark.parametrize("transfer", DIFFERENCES)
def test_both_readings_of_a_study_are_equal_but_for_the_findings(
    shared: Callable[[str], Path], transfer: str
) -> None:
    """Every table is the same from both exports, except where a finding says so."""
    folder = shared(f"studies/anlotinib-breast/transfers/{transfer}")
    data, findings = read(folder, source=ERIANLO)
    odm, _ = read(folder, source=ERIANLO, reading="odm")
    found = [(item.rule, item.record, item.variables, item.values) for item in findings]
    assert found == DIFFERENCES[transfer]
    assert len(data) == 23
    for name, table in data.items():
        other = odm[name].data.copy()
        for _, record, (field,), (ours, theirs) in found:
            for place in table.data.index[table.origin["record"] == record]:
                assert (table.data.loc[place, field], other.loc[place, field]) == (ours, theirs)
                other.loc[place, field] = ours
        pd.testing.assert_frame_equal(table.data, other)
        assert table.origin["record"].tolist() == odm[name].origin["record"].tolist()
