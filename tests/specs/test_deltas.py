"""A study's deltas: what they can say, and how a fault of theirs is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from specs.findings import SpecificationError
from specs.load import load_specs
from specs.model import Specs, Variable


def load(folder: Path, *, datasets: str = "", codelists: str = "") -> Specs:
    """Load the standard with deltas written in a study's folder."""
    for name, content in (("datasets.yaml", datasets), ("codelists.yaml", codelists)):
        if content:
            (folder / name).write_text(content, encoding="utf-8")
    return load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28", study=folder)


def variable(specs: Specs, dataset: str, name: str) -> Variable:
    found = specs.datasets[dataset].variable(name)
    assert found is not None
    return found


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    """Both files are optional."""
    plain = load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28")
    assert load(tmp_path).datasets == plain.datasets
    assert load(tmp_path).codelists == {}


def test_a_known_variable_is_tightened(tmp_path: Path) -> None:
    """A study may ask more of a variable: present, narrower, with a list of its own."""
    specs = load(
        tmp_path,
        datasets="AE: {variables: {AETOXGR: {core: Exp, codelist: GRADE, label: CTCAE Grade, length: 1}}}",
        codelists="GRADE: {new: true, name: CTCAE grade, terms: {1: Mild, 2: Moderate}}",
    )
    grade = variable(specs, "AE", "AETOXGR")
    assert (grade.core, grade.label, grade.length, grade.codelists) == ("Exp", "CTCAE Grade", 1, ("GRADE",))
    assert [(one.short, one.values) for one in specs.codelists_of(grade)] == [("GRADE", ("1", "2"))]


def test_natural_keys_are_the_study_s(tmp_path: Path) -> None:
    """Keys named by the study replace the default; STUDYID goes without saying."""
    specs = load(tmp_path, datasets="AE: {keys: [USUBJID, AETERM, AESTDTC]}")
    assert specs.datasets["AE"].keys == ("STUDYID", "USUBJID", "AETERM", "AESTDTC")


@pytest.mark.parametrize(
    ("dataset", "name", "before", "after"),
    [
        ("AE", "AELNKID", "AESPID", "AETERM"),  # an identifier that CM shows after --SPID
        ("AE", "VISITNUM", "AETOXGR", "TAETORD"),  # a timing variable of every class
        ("CM", "CMLNKGRP", "CMSPID", "CMTRT"),
        ("VS", "VSREPNUM", "VSCLSIG", "VISITNUM"),
    ],
)
def test_a_variable_of_the_class_needs_no_words(
    tmp_path: Path, dataset: str, name: str, before: str, after: str
) -> None:
    """Where the class knows the variable its label, type, role and place are known too."""
    specs = load(tmp_path, datasets=f"{dataset}:\n  variables:\n    {name}:")
    names = specs.datasets[dataset].names
    place = names.index(name)
    assert (names[place - 1], names[place + 1]) == (before, after)
    assert variable(specs, dataset, name).core == "Perm"
    assert [one.order for one in specs.datasets[dataset].variables] == list(range(1, len(names) + 1))


def test_a_variable_of_the_class_keeps_its_meaning(tmp_path: Path) -> None:
    """AELNKID is the Link ID that other Events datasets have."""
    specs = load(tmp_path, datasets="AE: {variables: {AELNKID: {after: AESPID}, AEDTC: {label: Date of Collection}}}")
    link, date = variable(specs, "AE", "AELNKID"), variable(specs, "AE", "AEDTC")
    assert (link.label, link.type, link.role) == ("Link ID", "Char", "Identifier")
    assert (date.label, date.described) == ("Date of Collection", "ISO 8601 datetime or interval")


def test_a_variable_of_nobody_is_declared_custom(tmp_path: Path) -> None:
    """What no class knows is said in full, and said to be the study's own."""
    specs = load(
        tmp_path,
        datasets="DM: {variables: {COHORT: {custom: true, label: Cohort, type: Char, after: ARMNRS, length: 8}}}",
    )
    cohort = variable(specs, "DM", "COHORT")
    assert (cohort.label, cohort.role, cohort.core, cohort.length) == ("Cohort", "Record Qualifier", "Perm", 8)
    assert specs.datasets["DM"].names[cohort.order - 2] == "ARMNRS"


def test_an_extensible_list_is_extended(tmp_path: Path) -> None:
    """A declared term is a term of the list, by name and by code, and marked as the study's."""
    extend = "{Capsule-spoon: {preferred: Capsule of a spoon, synonyms: [CSP]}, KNIFETIP: Tip of a knife}"
    specs = load(tmp_path, codelists=f"UNIT: {{extend: {extend}}}")
    unit = specs.codelist("UNIT")
    assert unit is not None
    assert unit is specs.codelist("C71620")
    added = [(term.value, term.preferred, term.synonyms, term.code) for term in unit.terms if term.extended]
    assert added == [("Capsule-spoon", "Capsule of a spoon", ("CSP",), ""), ("KNIFETIP", "Tip of a knife", (), "")]
    assert len(unit.terms) == 931


def test_a_list_is_narrowed_to_the_study_s_terms(tmp_path: Path) -> None:
    """A subset keeps the named terms, whatever the list's extensibility."""
    specs = load(tmp_path, codelists="C66742: {subset: [Y, N]}\nUNIT: {subset: [mg], extend: {KNIFETIP: Tip}}")
    yes_no, unit = specs.codelist("NY"), specs.codelist("UNIT")
    assert yes_no is not None
    assert unit is not None
    assert (yes_no.values, unit.values) == (("N", "Y"), ("mg", "KNIFETIP"))


DATASET_FAULTS = {
    "RELREK: {}": "datasets.yaml:1: sdtmig-3.4 has no dataset 'RELREK' - did you mean RELREC?",
    "AE: {varables: {}}": "datasets.yaml:1: unknown key 'varables' - did you mean variables?",
    "AE:\n  keys: [USUBJID, AETREM]": "datasets.yaml:2: AE has no variable 'AETREM' - did you mean AETERM?",
    "AE: {variables: {AETOXGR: {codelst: NY}}}": "datasets.yaml:1: unknown key 'codelst' - did you mean codelist?",
    "AE: {variables: {AETOXGR: {codelist: TOXGRV4}}}": (
        "datasets.yaml:1: no codelist 'TOXGRV4' - declare it in codelists.yaml with new: true"
    ),
    "AE: {variables: {AETOXGR: {core: Must}}}": (
        "datasets.yaml:1: 'Must' is not a core - write one of Req, Exp, Perm"
    ),
    "AE: {variables: {AEDECOD: {core: Perm}}}": "datasets.yaml:1: AEDECOD is Req and cannot become Perm",
    "AE: {variables: {AESER: {codelist: UNIT}}}": (
        "datasets.yaml:1: AESER takes NY (C66742), which is not extensible"
    ),
    "AE: {variables: {AESER: {type: Num}}}": (
        "datasets.yaml:1: the standard says the type of AESER - leave type out"
    ),
    "AE: {variables: {AETERM: {length: 500}}}": (
        "datasets.yaml:1: 500 is not a length - write a whole number from 1 to 200"
    ),
    "AE: {variables: {AESTDTCC: {label: Foo, type: Char}}}": (
        "datasets.yaml:1: AESTDTCC is known neither to AE nor to its class"
        " - did you mean AESTDTC? or write custom: true"
    ),
    "DM: {variables: {AGEGROUPING: {custom: true, label: A, type: Char}}}": (
        "datasets.yaml:1: 'AGEGROUPING' cannot name a variable - use up to eight capital letters and digits"
    ),
    "DM: {variables: {COHORT: {custom: true, label: Cohort}}}": (
        "datasets.yaml:1: COHORT is not in the guide - say its type"
    ),
    "AE: {variables: {AEDTC: {}}}": "datasets.yaml:1: AEDTC has no common label in the guide - say its label",
    "AE: {variables: {AELNKID: {after: AESPIDS}}}": (
        "datasets.yaml:1: no variable 'AESPIDS' before this one - did you mean AESPID?"
    ),
    "AE: {variables: {AELNKID: {label: "
    + "x" * 41
    + "}}}": "datasets.yaml:1: the label has 41 bytes - use 40 at most",
    "AE: [AETERM]": "datasets.yaml:1: AE says nothing in the form 'key: value'",
    "- AE": "datasets.yaml:1: the file must be written as 'NAME: {...}' lines",
}


@pytest.mark.parametrize(("content", "said"), DATASET_FAULTS.items())
def test_faults_of_datasets_yaml(tmp_path: Path, content: str, said: str) -> None:
    """Each fault is one line: file, line, reason, cure."""
    with pytest.raises(SpecificationError) as raised:
        load(tmp_path, datasets=content)
    assert str(raised.value) == f"{tmp_path}/{said}"


CODELIST_FAULTS = {
    "OUT: {extend: {GRADE CHANGED: Grade changed}}": (
        "codelists.yaml:1: OUT (C66768) is not extensible - map the values to its terms"
    ),
    "UNIT: {extend: {milligram: Milligram}}": "codelists.yaml:1: UNIT (C71620) has 'mg' for it - use that term",
    "UNITS: {subset: [mg]}": "codelists.yaml:1: sdtm-2025-03-28 has no codelist 'UNITS' - did you mean UNIT?",
    "NY:\n  subset:\n    - Y\n    - Maybe": (
        "codelists.yaml:4: 'Maybe' is not a term of NY (C66742) - there is N, NA, U, Y"
    ),
    "NY: {new: true, terms: {Y: Yes}}": (
        "codelists.yaml:1: NY (C66742) is published - choose another name, or extend it"
    ),
    "NY: {terms: {Y: Yes}}": "codelists.yaml:1: NY (C66742) is published: its terms cannot be changed",
    "MINE: {new: true}": "codelists.yaml:1: the new list MINE has no terms - write terms: {CODE: decode}",
    "MINE: {new: true, terms: {A: Aye}, subset: [A]}": (
        "codelists.yaml:1: a new list has no subset - write its terms under terms"
    ),
    "MINE: {new: maybe, terms: {A: Aye}}": "codelists.yaml:1: new must be true or false",
    "UNIT: {extend: {KNIFETIP: {decode: Tip}}}": (
        "codelists.yaml:1: unknown key 'decode' - there is preferred, synonyms"
    ),
}


@pytest.mark.parametrize(("content", "said"), CODELIST_FAULTS.items())
def test_faults_of_codelists_yaml(tmp_path: Path, content: str, said: str) -> None:
    """Each fault is one line: file, line, reason, cure."""
    with pytest.raises(SpecificationError) as raised:
        load(tmp_path, codelists=content)
    assert str(raised.value).splitlines()[0] == f"{tmp_path}/{said}"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """An author mends both files in one go."""
    with pytest.raises(SpecificationError) as raised:
        load(tmp_path, datasets="AE: {foo: 1}\nXX: {}", codelists="NY: {subset: [Z]}\nOUT: {extend: {ODD: Odd}}")
    places = [(Path(fault.file).name, fault.line) for fault in raised.value.faults]
    assert places == [("codelists.yaml", 1), ("codelists.yaml", 2), ("datasets.yaml", 1), ("datasets.yaml", 2)]


def test_a_missing_folder_is_a_fault(tmp_path: Path) -> None:
    """A mistyped folder is not the same as no deltas."""
    with pytest.raises(SpecificationError, match="no such folder"):
        load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28", study=tmp_path / "absent")
