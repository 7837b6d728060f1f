"""SDTMIG 3.4 as data: complete, equal to its source, quick to load."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from specs.findings import SpecificationError
from specs.load import load_specs, load_standard, terminology_versions
from specs.model import Dataset, Specs

Find = Callable[[str], Path]


@pytest.fixture(scope="module")
def standard() -> dict[str, Dataset]:
    return load_standard("sdtmig-3.4")


@pytest.fixture(scope="module")
def specs() -> Specs:
    return load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_all_domains_are_carried(standard: dict[str, Dataset]) -> None:
    """The guide has 63 datasets with 1,917 variables."""
    assert len(standard) == 63
    assert sum(len(dataset.variables) for dataset in standard.values()) == 1917


def test_every_dataset_equals_its_source(standard: dict[str, Dataset], shared: Find) -> None:
    """Class, label and structure are as published, in the published order."""
    source = rows(shared("standards/sdtmig-3.4/Datasets.csv"))
    wanted = [(row["Dataset Name"], row["Class"], row["Dataset Label"], row["Structure"]) for row in source]
    assert [(one.name, one.cls, one.label, one.structure) for one in standard.values()] == wanted


def test_every_variable_equals_its_source(standard: dict[str, Dataset], shared: Find) -> None:
    """Order, label, type, role, core, codelists, described domain and fixed value are as published."""
    wanted = [
        (
            row["Dataset Name"], int(row["Variable Order"]), row["Variable Name"], row["Variable Label"], row["Type"],
            row["Role"], row["Core"], row["CDISC CT Codelist Code(s)"], row["Described Value Domain(s)"],
            row["Value List"],
        )
        for row in rows(shared("standards/sdtmig-3.4/Variables.csv"))
    ]  # fmt: skip
    carried = [
        (
            dataset.name, one.order, one.name, one.label, one.type, one.role, one.core, "; ".join(one.codelists),
            one.described, one.fixed,
        )
        for dataset in standard.values()
        for one in dataset.variables
    ]  # fmt: skip
    assert sorted(carried) == sorted(wanted)


def test_no_prose_of_the_guide_is_carried(project: Path) -> None:
    """The tables have facts only: no column of notes or definitions, no cell longer than a structure."""
    header = (project / "specs/sdtmig-3.4/variables.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "dataset,order,variable,label,type,role,core,codelists,described,value"
    cells = [cell for row in rows(project / "specs/sdtmig-3.4/variables.csv") for cell in row.values()]
    assert max(len(cell) for cell in cells) <= 40


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("DM", ("ARMNRS", "Reason Arm and/or Actual Arm is Null", "Char", "Exp", ("C142179",))),
        ("AE", ("AEOUT", "Outcome of Adverse Event", "Char", "Perm", ("C66768",))),
        ("LB", ("LBSTRESN", "Numeric Result/Finding in Standard Units", "Num", "Exp", ())),
        ("DS", ("DSDECOD", "Standardized Disposition Term", "Char", "Req", ("C66727", "C114118", "C150811"))),
    ],
)
def test_some_variables_in_full(standard: dict[str, Dataset], dataset: str, expected: tuple[object, ...]) -> None:
    """A few variables written out, so that a reader can compare them with the guide."""
    found = standard[dataset].variable(str(expected[0]))
    assert found is not None
    assert (found.name, found.label, found.type, found.core, found.codelists) == expected


@pytest.mark.parametrize(
    ("dataset", "keys"),
    [
        ("DM", ("STUDYID", "USUBJID")),
        ("AE", ("STUDYID", "USUBJID", "AETERM", "AESTDTC", "AEENDTC", "AESEQ")),
        ("LB", ("STUDYID", "USUBJID", "LBTESTCD", "VISITNUM", "LBDTC", "LBTPTNUM", "LBSEQ")),
        ("EX", ("STUDYID", "USUBJID", "EXTRT", "EXSTDTC", "EXENDTC", "EXSEQ")),
        ("SUPPQUAL", ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")),
        ("TS", ("STUDYID", "TSPARMCD", "TSSEQ")),
    ],
)
def test_default_keys(standard: dict[str, Dataset], dataset: str, keys: tuple[str, ...]) -> None:
    """Records are ordered by subject, topic, time and number unless the study names its natural keys."""
    assert standard[dataset].keys == keys


def test_every_key_is_a_variable(standard: dict[str, Dataset]) -> None:
    """No dataset is keyed by what it does not have."""
    assert [(one.name, key) for one in standard.values() for key in one.keys if one.variable(key) is None] == []


def test_supplemental_datasets_come_from_the_template(specs: Specs) -> None:
    """SUPPAE has the template's variables and its own label; SUPP of nothing does not exist."""
    supplemental = specs.dataset("SUPPAE")
    assert supplemental is not None
    assert (supplemental.name, supplemental.label) == ("SUPPAE", "Supplemental Qualifiers for AE")
    assert supplemental.variables == specs.datasets["SUPPQUAL"].variables
    assert specs.dataset("SUPPXX") is None


def test_a_record_is_named_by_subject_and_number(specs: Specs) -> None:
    """What a finding says of a record: subject and --SEQ, or the keys where there is no --SEQ."""
    named = {name: dataset.record_keys for name, dataset in specs.datasets.items()}
    assert named["AE"] == ("USUBJID", "AESEQ")
    assert named["DM"] == ("USUBJID",)
    assert named["TS"] == ("TSPARMCD", "TSSEQ")
    assert named["SV"] == ("USUBJID", "VISITNUM")


@pytest.mark.parametrize(
    ("standard_name", "terminology", "said"),
    [
        ("sdtmig-9.9", "sdtm-2025-03-28", "standard: no standard 'sdtmig-9.9' (there is sdtmig-3.4)"),
        (
            "sdtmig-3.4",
            "sdtm-2099-01-01",
            "terminology: no controlled terminology 'sdtm-2099-01-01' (there is sdtm-2025-03-28)"
            " - add it with: trialmill ct import FILE",
        ),
    ],
)
def test_an_unknown_version_is_one_clear_line(standard_name: str, terminology: str, said: str) -> None:
    """A version that is not carried is refused with those that are."""
    with pytest.raises(SpecificationError) as raised:
        load_specs(standard=standard_name, terminology=terminology)
    assert str(raised.value) == said


def test_the_package_carries_one_terminology_version() -> None:
    """The version that a study can pin without importing anything."""
    assert "sdtm-2025-03-28" in terminology_versions()


def test_loading_needs_no_data_library() -> None:
    """Loading the specs imports neither pandera nor pandas: small commands stay quick."""
    code = (
        "import sys; from specs.load import load_specs;"
        "load_specs(standard='sdtmig-3.4', terminology='sdtm-2025-03-28');"
        "print([name for name in ('pandera', 'pandas', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
