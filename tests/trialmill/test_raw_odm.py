"""ODM-XML of any EDC: a form, or a group of items, is a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtm.rawtable import RawTable
from specs.findings import Finding
from trialmill.raw import RawError, TableSource, read_table

# An EDC other than REDCap: typed and untyped values, a form with a group that repeats, audit records in between.
ODM = """\
<?xml version="1.0" encoding="UTF-8"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:edc="urn:edc" ODMVersion="1.3.2" FileType="Snapshot">
<Study OID="S"><MetaDataVersion OID="1" Name="1">
  <FormDef OID="F.VS" Name="Vital signs" Repeating="No"><ItemGroupRef ItemGroupOID="IG.VS"/></FormDef>
  <FormDef OID="F.AE" Name="Adverse events" Repeating="No"><ItemGroupRef ItemGroupOID="IG.ANY"/><ItemGroupRef ItemGroupOID="IG.AE"/></FormDef>
  <ItemGroupDef OID="IG.VS" Name="VS" Repeating="No"><ItemRef ItemOID="SBP"/><ItemRef ItemOID="DBP"/><ItemRef ItemOID="VSDAT"/></ItemGroupDef>
  <ItemGroupDef OID="IG.ANY" Name="ANY" Repeating="No"><ItemRef ItemOID="AEYN"/></ItemGroupDef>
  <ItemGroupDef OID="IG.AE" Name="AE" Repeating="Yes"><ItemRef ItemOID="AETERM"/><ItemRef ItemOID="AESEV"/></ItemGroupDef>
</MetaDataVersion></Study>
<ClinicalData StudyOID="S" MetaDataVersionOID="1">
  <SubjectData SubjectKey="001"><SiteRef LocationOID="TW01"/>
    <StudyEventData StudyEventOID="SE.V" StudyEventRepeatKey="1">
      <FormData FormOID="F.VS">
        <ItemGroupData ItemGroupOID="IG.VS">
          <ItemDataDate ItemOID="VSDAT">2021-03-01</ItemDataDate>
          <ItemDataInteger ItemOID="SBP">120<MeasurementUnitRef MeasurementUnitOID="mmHg"/></ItemDataInteger>
          <AuditRecord><ReasonForChange>not a value</ReasonForChange></AuditRecord>
        </ItemGroupData>
      </FormData>
    </StudyEventData>
    <StudyEventData StudyEventOID="SE.V" StudyEventRepeatKey="2">
      <FormData FormOID="F.VS">
        <ItemGroupData ItemGroupOID="IG.VS"><ItemData ItemOID="SBP" Value="118"><AuditRecord><ReasonForChange>typing error</ReasonForChange></AuditRecord></ItemData><ItemData ItemOID="DBP" IsNull="Yes"/><edc:ItemData ItemOID="DBP" Value="1"/></ItemGroupData>
      </FormData>
      <FormData FormOID="F.AE">
        <ItemGroupData ItemGroupOID="IG.ANY"><ItemData ItemOID="AEYN" Value="Y"/></ItemGroupData>
        <ItemGroupData ItemGroupOID="IG.AE" ItemGroupRepeatKey="1"><ItemData ItemOID="AETERM" Value="Nausea"/><ItemData ItemOID="AESEV" Value="1"/></ItemGroupData>
        <ItemGroupData ItemGroupOID="IG.AE" ItemGroupRepeatKey="2"><ItemData ItemOID="AETERM" Value="A &lt; B &#38; C"/><ItemData ItemOID="EXTRA" Value="x"/></ItemGroupData>
      </FormData>
    </StudyEventData>
  </SubjectData>
  <SubjectData SubjectKey="002">
    <StudyEventData StudyEventOID="SE.V"><FormData FormOID="F.VS"><ItemGroupData ItemGroupOID="IG.VS"><ItemData ItemOID="DBP" Value="80"/></ItemGroupData></FormData></StudyEventData>
  </SubjectData>
</ClinicalData>
</ODM>
"""
VITALS = """
    SubjectKey | LocationOID | StudyEventOID | StudyEventRepeatKey | FormOID | FormRepeatKey | SBP | DBP | VSDAT
    001        | TW01        | SE.V          | 1                   | F.VS    |               | 120 |     | 2021-03-01
    001        | TW01        | SE.V          | 2                   | F.VS    |               | 118 |     |
    002        |             | SE.V          |                     | F.VS    |               |     | 80  |
    """
EVENTS = """
    SubjectKey | LocationOID | StudyEventOID | StudyEventRepeatKey | FormOID | FormRepeatKey | ItemGroupOID | ItemGroupRepeatKey | AETERM    | AESEV | EXTRA
    001        | TW01        | SE.V          | 2                   | F.AE    |               | IG.AE        | 1                  | Nausea    | 1     |
    001        | TW01        | SE.V          | 2                   | F.AE    |               | IG.AE        | 2                  | A < B & C |       | x
    """
# The same subject, changed and changed again
TRANSACTIONS = """\
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="Transactional"><ClinicalData>
<SubjectData SubjectKey="1"><StudyEventData StudyEventOID="V"><FormData FormOID="F"><ItemGroupData ItemGroupOID="G" TransactionType="Insert"><ItemData ItemOID="A" Value="1"/><ItemData ItemOID="B" Value="1"/><ItemData ItemOID="C" Value="1"/></ItemGroupData></FormData></StudyEventData></SubjectData>
<SubjectData SubjectKey="2"><StudyEventData StudyEventOID="V"><FormData FormOID="F"><ItemGroupData ItemGroupOID="G"><ItemData ItemOID="A" Value="5"/></ItemGroupData></FormData></StudyEventData></SubjectData>
<SubjectData SubjectKey="1"><StudyEventData StudyEventOID="V"><FormData FormOID="F"><ItemGroupData ItemGroupOID="G"><ItemData ItemOID="A" Value="2" TransactionType="Update"/><ItemData ItemOID="B" TransactionType="Remove"/></ItemGroupData></FormData></StudyEventData></SubjectData>
<SubjectData SubjectKey="2" TransactionType="Remove"/>
</ClinicalData></ODM>
"""


def read(folder: Path, content: str | bytes, *, member: str = "", record: str = "") -> tuple[RawTable, list[Finding]]:
    (folder / "export.xml").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(TableSource("t", "export.xml", member=member, record=record), folder=folder)


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def rows_of(table: RawTable) -> list[list[str]]:
    return [list(table.columns), *table.data.to_numpy().tolist()]


def test_form_is_a_table(tmp_path: Path) -> None:
    """A form is a row: keys, site, items in the metadata's order; audit records and units are not values."""
    table, findings = read(tmp_path, ODM, member="F.VS", record="SubjectKey")
    assert rows_of(table) == cells(VITALS)
    assert findings == []
    assert table.origin["record"].tolist() == ["001", "001", "002"]
    assert [ODM.splitlines()[row - 1].strip()[:9] for row in table.origin["row"]] == [
        "<FormData",
        "<FormData",
        "<StudyEve",
    ]


def test_group_is_a_table(tmp_path: Path) -> None:
    """A group that repeats is a row each time; an item that the metadata do not have is kept."""
    table, _ = read(tmp_path, ODM, member="IG.AE")
    assert rows_of(table) == cells(EVENTS)
    assert 'ItemGroupRepeatKey="2"' in ODM.splitlines()[table.origin["row"].iloc[1] - 1]


def test_form_without_data_is_empty(tmp_path: Path) -> None:
    """A form that nobody filled has its columns, no rows, and a warning."""
    content = ODM.replace(
        '<FormDef OID="F.VS"',
        '<FormDef OID="F.NEW"><ItemGroupRef ItemGroupOID="IG.ANY"/></FormDef><FormDef OID="F.VS"',
    )
    table, (finding,) = read(tmp_path, content, member="F.NEW")
    assert rows_of(table) == [
        ["SubjectKey", "LocationOID", "StudyEventOID", "StudyEventRepeatKey", "FormOID", "FormRepeatKey", "AEYN"]
    ]
    assert finding.rule == "RAW-NO-ROWS"


def test_only_form_need_not_be_named(tmp_path: Path) -> None:
    """Where there is one form, it is the table; changes are applied in their order."""
    table, findings = read(tmp_path, TRANSACTIONS)
    assert rows_of(table)[0][-3:] == ["A", "B", "C"]
    assert [row[0] + ":" + "".join(row[-3:]) for row in rows_of(table)[1:]] == ["1:21"]
    assert table.data["B"].tolist() == [""]
    assert findings == []


def test_item_twice_in_a_snapshot_is_an_error(tmp_path: Path) -> None:
    """Two values of one item: the first is read, both are told."""
    content = TRANSACTIONS.replace("Transactional", "Snapshot").replace(
        ' TransactionType="Update"/><ItemData ItemOID="B" TransactionType="Remove"/>', "/>"
    )
    table, (finding,) = read(tmp_path, content)
    assert table.data["A"].tolist() == ["1"]
    assert (finding.rule, finding.variables, finding.values, finding.row) == ("RAW-KEY-TWICE", ("A",), ("1", "2"), 4)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030", "big5", "iso-8859-1"])
def test_declared_encoding(tmp_path: Path, encoding: str) -> None:
    """The encoding is the one that the XML declaration names."""
    word = "nausée" if encoding == "iso-8859-1" else "噁心"
    content = f'<?xml version="1.0" encoding="{encoding}"?>\n' + TRANSACTIONS.replace('Value="2"', f'Value="{word}"')
    table, _ = read(tmp_path, content.encode(encoding))
    assert table.data["A"].tolist() == [word]


def test_uploaded_file_is_not_read(tmp_path: Path) -> None:
    """A file within the data is named as such, not carried."""
    content = TRANSACTIONS.replace(
        '<ItemData ItemOID="C" Value="1"/>',
        '<ItemDataBase64Binary ItemOID="C"><![CDATA[AAAA]]></ItemDataBase64Binary>',
    )
    table, _ = read(tmp_path, content)
    assert table.data["C"].tolist() == ["[document]"]


ENTITIES = '<?xml version="1.0"?>\n<!DOCTYPE ODM [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'


@pytest.mark.parametrize(("content", "member", "message"), [
    (ENTITIES + TRANSACTIONS.replace('Value="1"', 'Value="&b;"'), "", "export.xml:2: a document type (ODM) is not accepted - have it exported without one"),
    ("\n".join(ODM.splitlines()[:20])[:-3], "F.VS", "export.xml:20: cut off: unclosed token - fetch the file again"),
    (TRANSACTIONS.replace("</ClinicalData>", "</Clinical>"), "", "export.xml:6: not XML that can be read: mismatched tag - fetch"),
    (TRANSACTIONS.replace('Value="5"', 'Value="&#11;"'), "", "export.xml:3: not XML that can be read: reference to invalid character number"),
    ("<html/>", "", "export.xml: is not ODM-XML: it begins with <html> - have it exported as ODM-XML 1.3"),
    ('<ODM xmlns="http://www.cdisc.org/ns/odm/v2.0" ODMVersion="2.0"/>', "", "export.xml: is ODM 2.0, not 1.x - have it"),
    ('<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"/>', "", "export.xml: holds no clinical data - have it exported with the data"),
    (b"\xff\xfe\x00", "", "export.xml:1: "),
    (b"", "", "export.xml: is empty (0 bytes)"),
    (b"\x1f\x8b\x08\x00garbage", "", "export.xml:1: not XML that can be read"),
    (b'<?xml version="1.0" encoding="klingon"?><ODM/>', "", "export.xml: no encoding 'klingon' is known"),
    (ODM, "", "export.xml: holds 2 forms: 'F.VS', 'F.AE' - name one with `member:`"),
    (ODM, "F.AF", "export.xml: no form and no group of items 'F.AF' - did you mean 'F.AE'"),
    (ODM, "F.AE", "export.xml:28: the group IG.AE repeats within the form F.AE - name it with `member: IG.AE`"),
])  # fmt: skip
def test_damage_is_one_line(tmp_path: Path, content: str | bytes, member: str, message: str) -> None:
    """File, line where there is one, what is wrong, and what to do; no entity is ever resolved."""
    with pytest.raises(RawError) as caught:
        read(tmp_path, content, member=member)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert " - " in str(caught.value)
