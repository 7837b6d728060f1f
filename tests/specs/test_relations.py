"""What holds between datasets: subjects are in DM, related records exist."""

from __future__ import annotations

import pandas as pd
import pytest

from specs.findings import CheckResult, Outcome
from specs.load import load_specs
from specs.model import Specs
from specs.schema import check_study


@pytest.fixture(scope="module")
def specs() -> Specs:
    return load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28")


def table(header: str, *rows: str) -> pd.DataFrame:
    """Make a table from words; columns that end in SEQ or NUM are numbers, a hyphen is empty."""
    columns = header.split()
    cells = [["" if cell == "-" else cell for cell in row.split()] for row in rows]
    data = pd.DataFrame(cells, columns=columns, dtype="str")
    numbers = {name: "float64" for name in columns if name.endswith(("SEQ", "NUM"))}
    return data.astype(numbers)


DM = table("STUDYID USUBJID", "S S-01", "S S-02")
AE = table("STUDYID USUBJID AESEQ AESPID", "S S-01 1 a", "S S-01 2 b", "S S-02 1 c")
SUPP = "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL QNAM"
RELREC = "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID"


def result(specs: Specs, rule: str, dataset: str, **datasets: pd.DataFrame) -> CheckResult:
    (found,) = [one for one in check_study(datasets, specs=specs) if (one.rule, one.dataset) == (rule, dataset)]
    return found


def test_every_subject_is_in_dm(specs: Specs) -> None:
    """Two records of a subject that DM does not have are one finding."""
    events = table("STUDYID USUBJID AESEQ", "S S-01 1", "S S-09 1", "S S-09 2")
    found = result(specs, "SDTM-SUBJECT", "AE", DM=DM, AE=events)
    assert found.outcome is Outcome.FAILED
    (finding,) = found.findings
    assert (finding.message, finding.key) == ("S-09 is not in DM; 2 records", (("USUBJID", "S-09"),))


def test_subjects_that_are_all_there(specs: Specs) -> None:
    """DM itself is not asked."""
    results = check_study({"DM": DM, "AE": AE}, specs=specs)
    assert [(one.rule, one.dataset, one.outcome) for one in results] == [("SDTM-SUBJECT", "AE", Outcome.PASSED)]


def test_without_dm_nothing_is_known_of_subjects(specs: Specs) -> None:
    """Not evaluated, and not passed."""
    found = result(specs, "SDTM-SUBJECT", "AE", AE=AE)
    assert (found.outcome, found.reason) == (Outcome.NOT_EVALUATED, "there is no DM.USUBJID")


def test_the_raw_location_of_the_first_record(specs: Specs) -> None:
    """A subject's finding leads to the first raw row."""
    events = table("STUDYID USUBJID AESEQ", "S S-01 1", "S S-09 1", "S S-09 2")
    origin = pd.DataFrame({"file": "ae.csv", "row": [2, 3, 4], "record": ""})
    results = check_study({"DM": DM, "AE": events}, specs=specs, origins={"AE": origin})
    assert results[0].findings[0].where() == "ae.csv:3 AE.USUBJID USUBJID=S-09"


@pytest.mark.parametrize(
    "row",
    [
        "S AE S-01 AESEQ 2 AETRTEM",  # by number
        "S AE S-01 AESPID b AETRTEM",  # by text
        "S AE S-01 - - AETRTEM",  # of the subject's every event
    ],
)
def test_a_qualifier_of_an_existing_record(specs: Specs, row: str) -> None:
    """RDOMAIN, IDVAR and IDVARVAL name a record of the same subject."""
    assert result(specs, "SDTM-SUPP", "SUPPAE", DM=DM, AE=AE, SUPPAE=table(SUPP, row)).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("S AE S-01 AESEQ 3 AETRTEM", "AE has no record with AESEQ '3' of S-01"),
        ("S AE S-02 AESEQ 2 AETRTEM", "AE has no record with AESEQ '2' of S-02"),  # another subject's number
        ("S AE S-01 AESEQ one AETRTEM", "AE has no record with AESEQ 'one' of S-01"),
        ("S AE S-01 AESEQ - AETRTEM", "AE has no record with AESEQ '' of S-01"),
        ("S AE S-01 AEFOO 1 AETRTEM", "AE has no record with AEFOO '1' of S-01"),
        ("S AE S-09 - - AETRTEM", "AE has no record of S-09"),
        ("S CM S-01 CMSEQ 1 AETRTEM", "CM has no record with CMSEQ '1' of S-01"),
        ("S DM S-01 - - AETRTEM", "DM has no record of S-01"),  # SUPPAE qualifies AE only
    ],
)
def test_a_qualifier_of_nothing(specs: Specs, row: str, message: str) -> None:
    """What leads nowhere is told with the reference."""
    found = result(specs, "SDTM-SUPP", "SUPPAE", DM=DM, AE=AE, SUPPAE=table(SUPP, row))
    assert [finding.message for finding in found.findings] == [message]


def test_a_qualifier_named_as_a_variable_of_its_parent(specs: Specs) -> None:
    """AESEV belongs into AE."""
    supplemental = table(SUPP, "S AE S-01 AESEQ 1 AESEV", "S AE S-01 AESEQ 2 AESEV")
    found = result(specs, "SDTM-QNAM", "SUPPAE", DM=DM, AE=AE, SUPPAE=supplemental)
    assert [finding.message for finding in found.findings] == ["AESEV is a variable of the parent; 2 records"]


def test_related_records(specs: Specs) -> None:
    """Records and whole datasets can be related; what is not there cannot."""
    relations = table(
        RELREC,
        "S AE S-01 AESEQ 1 - R1",
        "S AE S-01 AESEQ 9 - R1",
        "S AE - AESPID - ONE R2",
        "S CM - CMSPID - MANY R2",
    )
    found = result(specs, "SDTM-RELATED", "RELREC", DM=DM, AE=AE, RELREC=relations)
    assert [finding.message for finding in found.findings] == [
        "AE has no record with AESEQ '9' of S-01",
        "CM has no record with CMSPID '' of any subject",
    ]


def test_reltype_belongs_to_datasets(specs: Specs) -> None:
    """RELTYPE is empty between records and filled between datasets."""
    relations = table(RELREC, "S AE S-01 AESEQ 1 ONE R1", "S AE - AESPID - - R2", "S AE S-01 AESEQ 2 - R1")
    found = result(specs, "SDTM-RELTYPE", "RELREC", DM=DM, AE=AE, RELREC=relations)
    assert [finding.message for finding in found.findings] == [
        "RELTYPE is 'ONE' on a record-level relationship",
        "RELTYPE is empty between datasets",
    ]


def test_a_comment_may_be_on_nothing_in_particular(specs: Specs) -> None:
    """A comment without RDOMAIN is a comment on the subject."""
    comments = table(
        "STUDYID RDOMAIN USUBJID COSEQ IDVAR IDVARVAL", "S - S-01 1 - -", "S AE S-01 2 AESEQ 2", "S AE S-01 3 AESEQ 7"
    )
    found = result(specs, "SDTM-RELATED", "CO", DM=DM, AE=AE, CO=comments)
    assert [finding.key for finding in found.findings] == [(("USUBJID", "S-01"), ("COSEQ", "3"))]
