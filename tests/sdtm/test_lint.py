"""Faults of a specification: all told at once, each with file, line, reason and cure, before a row is read."""

from __future__ import annotations

import pytest

GOOD = """
    domain: AE
    source: ae
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      AETERM: {assign: TERM}
      AEDECOD: {assign: TERM}
"""
RAW = {"ae": "SUBJ,TERM,SERIOUS\n1,Rash,Y\n"}


def broken(study, *lines: str, raw=RAW, conventions=""):
    """Add lines to the good mapping and return what the linter says."""
    text = GOOD + "".join(f"      {line}\n" if not line.startswith("^") else f"    {line[1:]}\n" for line in lines)
    return study(text, raw=raw, conventions=conventions).told()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("AESER: {asign: SERIOUS}", "domain1.yaml:8: there is no operation asign - did you mean assign?"),
        ("AESER: {assign: SERIOS}", "domain1.yaml:8: AE.csv has no column SERIOS - did you mean SERIOUS?"),
        ("AESR: {assign: SERIOUS}", "domain1.yaml:8: AESR is not a variable of AE - did you mean AESER?; "
         "what the standard has no variable for goes under supp:"),
        ("AESER: SERIOUS", "domain1.yaml:8: a rule is {operation: arguments} - for example {assign: COLUMN}"),
        ("AESER: {assign_ct: {column: SERIOUS, codlist: NY}}",
         "domain1.yaml:8: codlist is not a key of assign_ct - did you mean codelist?"),
        ("AESER: {assign_ct: {column: SERIOUS, codelist: YN}}",
         "domain1.yaml:8: assign_ct: codelist YN is not in sdtm-2025-03-28 nor in the study's codelists - "
         "use the list's short name (NY, OUT) or its C-code, or declare it in the study's codelists.yaml"),
        ("AESER: {assign: SERIOUS, constant: Y}",
         "domain1.yaml:8: a rule has exactly one operation, here are 2: assign, constant"),
        ("AESTDY: {study_day: AESTDTC}",
         "domain1.yaml:8: study_day does not work here - move AESTDY to the section derived:"),
        ("AETERM: {assign: SUBJ}", "domain1.yaml:8: 'AETERM' stands here twice - keep one of the two"),
        ("AESTDTC: {iso8601: {date: TERM}}",
         "domain1.yaml:8: iso8601 needs format - add format: a date format of study.yaml, or a pattern"),
        ("AESEV: {lookup: {table: grades, by: TERM, value: X}}", "domain1.yaml:8: lookup: no lookup table grades"),
        ("VISIT: {visit: {code: TERM}}", "domain1.yaml:8: VISIT is not a variable of AE - "),
    ],
)  # fmt: skip
def test_a_typo_is_told_with_its_line_and_cure(study, line, fault):
    """One typo, one line: where, what, what to do."""
    if "twice" in fault:
        from specs.findings import SpecificationError

        with pytest.raises(SpecificationError) as raised:
            broken(study, line)
        assert [str(item) for item in raised.value.faults] == [fault]
    else:
        told = broken(study, line)
        assert len(told) == 1
        assert told[0].startswith(fault)


def test_all_faults_are_told_at_once(study):
    """Three typos, three lines, in the order of the file."""
    told = broken(study, "AESER: {asign: SERIOUS}", "AESR: {assign: SERIOUS}", "^wher: SERIOUS = 'Y'")
    assert [line.split(" - ")[0] for line in told] == [
        "domain1.yaml:10: wher is not a key of a domain's mapping",
        "domain1.yaml:8: there is no operation asign",
        "domain1.yaml:9: AESR is not a variable of AE",
    ]


def test_a_required_variable_that_nothing_fills_is_a_fault(study):
    """AEDECOD is required in AE."""
    text = GOOD.replace("      AEDECOD: {assign: TERM}\n", "")
    assert study(text, raw=RAW).told() == [
        "domain1.yaml:2: AE requires AEDECOD - add a rule for each under variables:"
    ]


def test_an_expression_is_checked_before_a_row_is_read(study):
    """The position of the fault in the expression is told."""
    (told,) = broken(study, 'AESER: {expr: "upper(SERIOUS"}')
    assert told.startswith("domain1.yaml:8: expr: 'upper(SERIOUS': ")


def test_rules_that_wait_for_each_other_are_a_fault(study):
    """A circle is named, not met while running."""
    text = GOOD + "    derived:\n      AESTDTC: {assign: AEENDTC}\n      AEENDTC: {assign: AESTDTC}\n"
    (told,) = study(text, raw=RAW).told()
    assert "these wait for each other" in told
    assert "AE.AESTDTC" in told


def test_a_derived_rule_reads_only_what_some_rule_fills(study):
    """DM is not mapped, so there is no DM.RFSTDTC."""
    text = GOOD + "    derived:\n      AESTDY: {study_day: AETERM}\n"
    assert study(text, raw=RAW).told() == ["domain1.yaml:9: DM.RFSTDTC: this study maps no domain DM - known: AE"]


def test_an_example_that_does_not_come_out_is_a_fault(study):
    """The specification carries its own test."""
    text = GOOD + "    examples:\n      - given: {TERM: Rash}\n        expect: {AETERM: Cough}\n"
    assert study(text, raw=RAW).told() == ["domain1.yaml:9: AETERM is 'Rash', not 'Cough' - rule {assign: TERM}"]


def test_a_qualifier_needs_a_name_and_a_label_that_xpt_can_hold(study):
    """QNAM has eight characters, the label forty."""
    text = GOOD + "    supp:\n      AETOOLONGNAME: {assign: SERIOUS, label: " + "x" * 41 + "}\n"
    assert study(text, raw=RAW).told() == [
        "domain1.yaml:9: AETOOLONGNAME cannot be a QNAM - use at most 8 capitals, digits and underscores",
        "domain1.yaml:9: the label of AETOOLONGNAME has 41 characters - use at most 40",
    ]


def test_a_column_is_not_submitted_only_with_a_reason(study):
    """A blank reason is no reason."""
    text = GOOD + "    not_submitted: {SERIOUS: }\n"
    assert study(text, raw=RAW).told() == [
        "domain1.yaml:8: SERIOUS is not submitted without a reason - say why, in words"
    ]


def test_a_raw_column_nobody_accounts_for_is_a_finding(study):
    """Mapped, or listed with a reason, or reported with its first filled row."""
    built = study(GOOD, raw=RAW)
    assert [finding[:3] for finding in built.findings()] == [("MAP-COLUMN", "AE.csv", 2)]
    listed = study(GOOD + "    not_submitted: {SERIOUS: asked twice}\n", raw=RAW)
    assert listed.findings() == []


def test_faults_of_every_kind_are_told_together(study):
    """An operation, a raw column and a derived variable are wrong: three lines, and none that follows from another."""
    text = GOOD.replace("AEDECOD: {assign: TERM}", "AEDECOD: {asign: TERM}")
    text += "      AESER: {assign: SERIOS}\n    derived:\n      AESTDY: {study_day: AEDECD}\n"
    told = [line.split(" - ")[0] for line in study(text, raw=RAW).told()]
    assert told == [
        "domain1.yaml:7: there is no operation asign",
        "domain1.yaml:10: AEDECD is not filled in AE",
        "domain1.yaml:10: DM.RFSTDTC: this study maps no domain DM",
        "domain1.yaml:8: AE.csv has no column SERIOS",
    ]


def test_a_source_beside_a_stack_is_a_fault(study):
    """It would be passed over in silence."""
    text = GOOD + "    stack:\n      - source: ae\n"
    assert (
        "domain1.yaml:3: source stands beside stack - move it into the blocks of stack" in study(text, raw=RAW).told()
    )
