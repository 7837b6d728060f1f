"""A further terminology version from any of the three formats in which NCI EVS publishes it."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from specs.ct import load_terminology
from specs.ct_import import read_ct_release, write_ct_version
from specs.findings import SpecificationError
from specs.load import load_specs

Find = Callable[[str], Path]

HEADER = (
    "Code", "Codelist Code", "Codelist Extensible (Yes/No)", "Codelist Name", "CDISC Submission Value",
    "CDISC Synonym(s)", "CDISC Definition", "NCI Preferred Term",
)  # fmt: skip
ROWS = (
    ("C66742", "", "No", "No Yes Response", "NY", "No Yes Response", "A reply.", "CDISC No Yes Terminology"),
    ("C49488", "C66742", "", "No Yes Response", "Y", "Yes", "The affirmative.", "Yes"),
    ("C49487", "C66742", "", "No Yes Response", "N", "No", "The non-affirmative.", "No"),
    ("C71620", "", "Yes", "Unit", "UNIT", "Unit; Units", "Units.", "CDISC Unit Terminology"),
    ("C67015", "C71620", "", "Unit", "mg/dL", "g/m3; mg%, serum", "A unit.", "Milligram per Deciliter"),
)
ODM = """<?xml version="1.0" encoding="UTF-8"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:nciodm="http://ncicb.nci.nih.gov/xml/odm/EVS/CDISC" FileOID="X">
 <Study OID="S"><MetaDataVersion OID="M" Name="CDISC SDTM Controlled Terminology, 2025-09-26">
  <CodeList OID="CL.C66742.NY" Name="No Yes Response" DataType="text"
            nciodm:ExtCodeID="C66742" nciodm:CodeListExtensible="No">
   <Description><TranslatedText>A reply.</TranslatedText></Description>
   <EnumeratedItem CodedValue="Y" nciodm:ExtCodeID="C49488">
    <nciodm:CDISCSynonym>Yes</nciodm:CDISCSynonym>
    <nciodm:CDISCDefinition>The affirmative.</nciodm:CDISCDefinition>
    <nciodm:PreferredTerm>Yes</nciodm:PreferredTerm>
   </EnumeratedItem>
   <EnumeratedItem CodedValue="N" nciodm:ExtCodeID="C49487">
    <nciodm:CDISCSynonym>No</nciodm:CDISCSynonym><nciodm:PreferredTerm>No</nciodm:PreferredTerm>
   </EnumeratedItem>
   <nciodm:CDISCSubmissionValue>NY</nciodm:CDISCSubmissionValue>
   <nciodm:CDISCSynonym>No Yes Response</nciodm:CDISCSynonym>
   <nciodm:PreferredTerm>CDISC No Yes Terminology</nciodm:PreferredTerm>
  </CodeList>
  <CodeList OID="CL.C71620.UNIT" Name="Unit" DataType="text"
            nciodm:ExtCodeID="C71620" nciodm:CodeListExtensible="Yes">
   <EnumeratedItem CodedValue="mg/dL" nciodm:ExtCodeID="C67015">
    <nciodm:CDISCSynonym>g/m3</nciodm:CDISCSynonym><nciodm:CDISCSynonym>mg%, serum</nciodm:CDISCSynonym>
    <nciodm:PreferredTerm>Milligram per Deciliter</nciodm:PreferredTerm>
   </EnumeratedItem>
   <nciodm:CDISCSubmissionValue>UNIT</nciodm:CDISCSubmissionValue>
   <nciodm:CDISCSynonym>Unit</nciodm:CDISCSynonym><nciodm:CDISCSynonym>Units</nciodm:CDISCSynonym>
   <nciodm:PreferredTerm>CDISC Unit Terminology</nciodm:PreferredTerm>
  </CodeList>
 </MetaDataVersion></Study>
</ODM>
"""
VERSION = """\
codelist,name,short,extensible,term,value,preferred,synonyms
C66742,No Yes Response,NY,No,,,CDISC No Yes Terminology,No Yes Response
C66742,,,,C49487,N,No,No
C66742,,,,C49488,Y,Yes,Yes
C71620,Unit,UNIT,Yes,,,CDISC Unit Terminology,Unit; Units
C71620,,,,C67015,mg/dL,Milligram per Deciliter,"g/m3; mg%, serum"
"""


def as_text(rows: tuple[tuple[str, ...], ...] = ROWS) -> str:
    return "".join("\t".join(row) + "\n" for row in (HEADER, *rows))


def as_csv() -> str:
    lines = [(*HEADER, "Standard and Date"), *((*row, "SDTM CT 2025-09-26") for row in ROWS)]
    return "".join(",".join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("SDTM Terminology 2025-09-26.txt", as_text()),
        ("SDTM_Terminology_2025-09-26.txt", "\ufeff" + as_text()),
        ("SDTM_Terminology_2025-09-26.txt.xz", as_text()),
        ("release.csv", as_csv()),
        ("SDTM Terminology.odm.xml", ODM),
    ],
)
def test_every_format_gives_the_same_bytes(tmp_path: Path, file: str, content: str) -> None:
    """Tab text, packed text, CSV and ODM-XML of one release become the same version, by name and by content."""
    data = content.encode()
    (tmp_path / file).write_bytes(lzma.compress(data) if file.endswith(".xz") else data)
    written = write_ct_version(read_ct_release(tmp_path / file), folder=tmp_path / "ct")
    assert written.name == "sdtm-2025-09-26.csv"
    assert written.read_text(encoding="utf-8") == VERSION
    assert [path.name for path in (tmp_path / "ct").iterdir()] == ["sdtm-2025-09-26.csv"]


def test_the_order_of_the_release_does_not_matter(tmp_path: Path) -> None:
    """The same content in another order gives the same bytes."""
    path = tmp_path / "SDTM 2025-09-26.txt"
    path.write_text(as_text((ROWS[3], ROWS[4], ROWS[0], ROWS[2], ROWS[1])), encoding="utf-8")
    written = write_ct_version(read_ct_release(path), folder=tmp_path)
    assert written.read_text(encoding="utf-8") == VERSION


def test_an_imported_version_can_be_pinned(tmp_path: Path) -> None:
    """A study pins the version by its name, and gets its lists."""
    (tmp_path / "release.csv").write_text(as_csv(), encoding="utf-8", newline="")
    write_ct_version(read_ct_release(tmp_path / "release.csv"), folder=tmp_path / "ct", version="sdtm-special-1")
    specs = load_specs(standard="sdtmig-3.4", terminology="sdtm-special-1", ct_folders=[tmp_path / "ct"])
    unit = specs.codelist("UNIT")
    assert unit is not None
    assert (specs.terminology.version, unit.values) == ("sdtm-special-1", ("mg/dL",))


@pytest.mark.parametrize(
    ("file", "version", "lists", "terms"),
    [
        ("SDTM_Terminology_2025-03-28.txt.xz", "sdtm-2025-03-28", 1158, 43698),
        ("ADaM_CT_2025-09-26.csv", "adam-2025-09-26", 23, 140),
        ("Define-XML_CT_2025-09-26.csv", "define-xml-2025-09-26", 15, 96),
        ("Protocol_CT_2025-09-26.csv", "protocol-2025-09-26", 51, 419),
    ],
)
def test_real_releases(shared: Find, file: str, version: str, lists: int, terms: int) -> None:
    """Releases as published are read whole."""
    release = read_ct_release(shared(f"standards/ct/{file}"))
    assert release.version == version
    assert (len(release.codelists), sum(len(one.terms) for one in release.codelists)) == (lists, terms)


def test_the_carried_version_is_a_part_of_the_whole_release(shared: Find, tmp_path: Path) -> None:
    """Importing the release that we carry in part gives the same lists, and many more."""
    release = read_ct_release(shared("standards/ct/SDTM_Terminology_2025-03-28.txt.xz"))
    write_ct_version(release, folder=tmp_path)
    whole, carried = load_terminology("sdtm-2025-03-28", folders=[tmp_path]), load_terminology("sdtm-2025-03-28")
    assert len(whole.rows) > 1000
    assert all(whole.rows[code] == rows for code, rows in carried.rows.items())


def test_a_release_without_name_or_date_must_be_named(tmp_path: Path) -> None:
    """``SDTM Terminology.txt`` does not say its date: the person must."""
    (tmp_path / "SDTM Terminology.txt").write_text(as_text(), encoding="utf-8")
    release = read_ct_release(tmp_path / "SDTM Terminology.txt")
    with pytest.raises(SpecificationError, match="name it, for example: sdtm-2025-09-26"):
        write_ct_version(release, folder=tmp_path)


@pytest.mark.parametrize("name", ["../evil", "SDTM CT", ".hidden", "a/b"])
def test_a_version_name_is_a_plain_name(tmp_path: Path, name: str) -> None:
    """A version's name becomes a file's name and nothing else."""
    (tmp_path / "release.csv").write_text(as_csv(), encoding="utf-8", newline="")
    with pytest.raises(SpecificationError, match="cannot name a version"):
        write_ct_version(read_ct_release(tmp_path / "release.csv"), folder=tmp_path / "ct", version=name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("USUBJID,AETERM\n1,HEADACHE\n", "not a terminology release: no column 'Code'"),
        ("", "not a terminology release: no column 'Code'"),
        (as_text(()), "it holds no codelist"),
        (
            as_text((*ROWS, ("C1", "C9", "", "Lost", "X", "", "", "X"))),
            "C1 names the codelist C9",
        ),
        (as_text((*ROWS, ROWS[1])), "'Y' stands twice in C66742"),
        (as_text((*ROWS, ("", "C66742", "", "No Yes Response", "U", "", "", ""))), "'U' has no C-code"),
        (as_text((*ROWS, ("C17998", "C66742", "", "U"))), "4 cells under 8 columns"),
        ("<html><body/></html>", "not a terminology release: <html> and not <ODM>"),
        ("<ODM><Study>", "not XML that can be read"),
        (
            '<!DOCTYPE ODM [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><ODM>&b;</ODM>',
            "a document type (ODM) is not accepted",
        ),
    ],
)
def test_what_is_no_release_is_refused_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    """A file that is not a release, or contradicts itself, is refused: what, where, what to do."""
    path = tmp_path / "file.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SpecificationError) as raised:
        read_ct_release(path)
    line = str(raised.value)
    assert line.startswith(str(path))
    assert said in line
    assert line.endswith("as .txt, .csv or .odm.xml")
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.txt", None, "no such file"),
        ("bytes.txt", b"Code\t\xff\xfe", "not UTF-8 text (byte 5)"),
        ("packed.txt.xz", b"not packed at all", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    """A missing, damaged or wrongly encoded file is one line as well."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecificationError) as raised:
        read_ct_release(tmp_path / name)
    assert said in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
