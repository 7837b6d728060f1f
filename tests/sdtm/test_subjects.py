"""Who the subjects are: one USUBJID for a person, by whatever name a raw table calls the subject."""

from __future__ import annotations

import pandas as pd

from sdtm.conventions import Address, Subjects
from sdtm.expressions import parse_expression
from sdtm.rawtable import RawTable
from sdtm.subjects import compute_usubjid, read_first_numbers

USUBJID = parse_expression("concat('S-', id)")


def enrolment(**columns: list[str]) -> dict[str, RawTable]:
    """Make the raw table that lists the subjects."""
    data = pd.DataFrame(columns, dtype="str")
    return {"enrolment": RawTable("enrolment", data, pd.DataFrame(index=data.index))}


def test_a_record_id_and_a_subject_number_are_one_subject():
    """Record 7 | number A1 -> S-A1 by either; a name that is not listed keeps itself."""
    subjects = Subjects("enrolment", "number", USUBJID, "", ("record",), Address("study.yaml", 1))
    known = read_first_numbers(subjects, enrolment(record=["7", "8"], number=["A1", "A2"]))
    names = pd.Series(["7", "A1", "8", "9", ""], dtype="str")
    assert compute_usubjid(names, subjects=subjects, known=known).tolist() == ["S-A1", "S-A1", "S-A2", "S-9", ""]


def test_the_record_of_a_second_screening_is_the_person_of_the_first():
    """A2 was A1 before: record 8 is S-A1."""
    subjects = Subjects("enrolment", "number", USUBJID, "previous", ("record",), Address("study.yaml", 1))
    listed = enrolment(record=["7", "8"], number=["A1", "A2"], previous=["", "A1"])
    known = read_first_numbers(subjects, listed)
    assert (
        compute_usubjid(pd.Series(["8", "A2"], dtype="str"), subjects=subjects, known=known).tolist() == ["S-A1"] * 2
    )
