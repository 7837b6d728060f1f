"""Controlled terminology: what is carried, and how a column is recoded to it."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from specs.ct import Terminology, load_terminology, match_terms
from specs.findings import SpecificationError
from specs.load import load_standard
from specs.model import Codelist, Term

Find = Callable[[str], Path]
RELEASE = "standards/ct/SDTM_Terminology_2025-03-28.txt.xz"

GRADES = Codelist(
    "C1",
    "Severity",
    "SEV",
    extensible=False,
    terms=(
        Term("C11", "MILD", "Mild Event", ("Grade 1", "1")),
        Term("C12", "MODERATE", "Moderate Event", ("Grade 2", "2")),
        Term("C13", "SEVERE", "Severe Event", ("Grade 3", "Serious")),
        Term("C14", "FATAL", "Fatal Event", ("Grade 5", "Serious")),
    ),
)
UNITS = Codelist(
    "C2",
    "Unit",
    "UNIT",
    extensible=True,
    terms=(Term("C21", "g/L", "Gram per Liter"), Term("C22", "10^9/L", "Billion per Liter", ("G/L", "GI/L"))),
)


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return load_terminology("sdtm-2025-03-28")


def text(*values: str) -> pd.Series:
    return pd.Series(values, dtype="str")


@pytest.mark.parametrize(
    ("name", "code", "terms", "extensible"),
    [
        ("NY", "C66742", 4, False),
        ("OUT", "C66768", 6, False),
        ("SEX", "C66731", 4, False),
        ("LBTESTCD", "C65047", 2438, True),
        ("LBTEST", "C67154", 2438, True),
        ("UNIT", "C71620", 929, True),
        ("NRIND", "C78736", 4, True),
        ("TPHASE", "C66737", 17, True),
    ],
)
def test_lists_are_found_by_name_and_by_code(
    terminology: Terminology, name: str, code: str, terms: int, extensible: bool
) -> None:
    """A list is asked for as the guide does (C-code) or as people do (submission value)."""
    codelist = terminology.codelist(name)
    assert codelist is not None
    assert codelist is terminology.codelist(code)
    assert (codelist.code, len(codelist.terms), codelist.extensible) == (code, terms, extensible)


def test_a_list_that_is_not_there_is_none(terminology: Terminology) -> None:
    """The linker reports it; looking up does not fail."""
    assert terminology.codelist("TOXGRV4") is None


def test_a_term_in_full(terminology: Terminology) -> None:
    """Code, submission value, preferred term and synonyms are as published."""
    codelist = terminology.codelist("LBTESTCD")
    assert codelist is not None
    assert codelist.term("ALT") == Term(
        "C64433", "ALT", "Alanine Aminotransferase Measurement", ("Alanine Aminotransferase", "SGPT")
    )


def test_every_list_of_the_guide_is_carried(terminology: Terminology) -> None:
    """Of the guide's lists only C85495 (MSRESCAT) is absent: that release had retired it."""
    variables = [one for dataset in load_standard().values() for one in dataset.variables]
    absent = {code for one in variables for code in one.codelists if terminology.codelist(code) is None}
    assert absent == {"C85495"}


def test_no_term_is_lost(terminology: Terminology, shared: Find) -> None:
    """Every list carried has exactly the terms of the release, with their codes, preferred terms and synonyms."""
    with lzma.open(shared(RELEASE), "rt", encoding="utf-8") as stream:
        source = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = ("Codelist Code", "Code", "CDISC Submission Value", "NCI Preferred Term", "CDISC Synonym(s)")
    wanted = {tuple(row[name] for name in columns) for row in source if row["Codelist Code"] in terminology.rows}
    carried = {
        (code, row[4], row[5], row[6], row[7]) for code, lines in terminology.rows.items() for row in lines[1:]
    }
    assert len(carried) == 21028
    assert carried == wanted


def test_definitions_are_not_carried(project: Path) -> None:
    """CDISC's definitions stay with CDISC."""
    header = (project / "specs/ct/sdtm-2025-03-28.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "codelist,name,short,extensible,term,value,preferred,synonyms"


@pytest.mark.parametrize(
    ("received", "recoded"),
    [
        ("MILD", "MILD"),  # submission value
        (" mild ", "MILD"),  # letter case and blanks
        ("Moderate event", "MODERATE"),  # preferred term
        ("grade 3", "SEVERE"),  # synonym
        ("1", "MILD"),  # synonym
        ("", ""),  # nothing collected
        ("   ", ""),
    ],
)
def test_a_value_becomes_its_term(received: str, recoded: str) -> None:
    """Submission value, preferred term and synonyms are recognised."""
    values, refused = match_terms(text(received), codelist=GRADES)
    assert values.tolist() == [recoded]
    assert refused.tolist() == [False]


@pytest.mark.parametrize("received", ["Serious", "4", "GRADE", "mild/moderate"])
def test_what_is_no_term_or_several_is_refused(received: str) -> None:
    """Two terms have the synonym Serious: nothing is guessed, and the received text stays."""
    values, refused = match_terms(text(received), codelist=GRADES)
    assert values.tolist() == [received]
    assert refused.tolist() == [True]


@pytest.mark.parametrize(
    ("received", "recoded", "refused"),
    [
        ("g/L", "g/L", False),
        ("GI/L", "10^9/L", False),
        ("gi/l", "10^9/L", False),
        ("G/L", "G/L", True),  # giga per litre as published, gram per litre in capitals
    ],
)
def test_letter_case_never_changes_a_unit(received: str, recoded: str, refused: bool) -> None:
    """A synonym as written and another unit in other letters: a person must say which."""
    values, mask = match_terms(text(received), codelist=UNITS)
    assert (values.tolist(), mask.tolist()) == ([recoded], [refused])


@pytest.mark.parametrize(
    ("received", "recoded", "refused"),
    [
        ("light", "MILD", False),  # as the study maps it
        (" LIGHT", "MILD", False),  # the mapping too ignores letter case and blanks
        ("Grade 1", "MODERATE", False),  # the mapping comes before the synonym
        ("odd", "odd", True),  # mapped to what the list does not have
        ("SEVERE", "SEVERE", False),  # not mapped: the list itself
    ],
)
def test_the_study_s_mapping_comes_first(received: str, recoded: str, refused: bool) -> None:
    """What the study says counts before what the terminology says."""
    mapping = {"light": "MILD", "Grade 1": "MODERATE", "odd": "STRANGE"}
    values, mask = match_terms(text(received), codelist=GRADES, mapping=mapping)
    assert (values.tolist(), mask.tolist()) == ([recoded], [refused])


def test_a_mapping_may_name_a_new_term_of_an_extensible_list() -> None:
    """An extensible list takes the study's own terms; the schema asks for their declaration."""
    values, mask = match_terms(text("spoon"), codelist=UNITS, mapping={"spoon": "SPOONFUL"})
    assert (values.tolist(), mask.tolist()) == (["SPOONFUL"], [False])


def test_index_and_name_are_kept() -> None:
    """The recoded column lines up with the rows that it came from."""
    received = pd.Series(["mild", "what", ""], index=[7, 3, 5], name="AESEV", dtype="str")
    values, refused = match_terms(received, codelist=GRADES)
    expected = pd.Series(["MILD", "what", ""], index=[7, 3, 5], name="AESEV", dtype="str")
    pd.testing.assert_series_equal(values, expected)
    pd.testing.assert_series_equal(refused, pd.Series([False, True, False], index=[7, 3, 5]))


def test_an_empty_column_stays_empty() -> None:
    """No rows in, no rows out."""
    values, refused = match_terms(text(), codelist=GRADES)
    assert (str(values.dtype), str(refused.dtype), len(values)) == ("str", "bool", 0)


def test_a_damaged_version_is_one_clear_line(tmp_path: Path) -> None:
    """A version file that is not ours is refused with the cure."""
    (tmp_path / "sdtm-2030-01-01.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SpecificationError, match="not a terminology version") as raised:
        load_terminology("sdtm-2030-01-01", folders=[tmp_path])
    assert len(str(raised.value).splitlines()) == 1
