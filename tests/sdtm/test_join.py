"""Joins have a declared cardinality: what breaks it is a finding with its row, never silent growth."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtm.conventions import Address
from sdtm.mapping import Join
from sdtm.rawtable import RawTable
from sdtm.source import BASE, join_table

MAPPING = """
    domain: AE
    source: ae
    order: [USUBJID, AETERM]
    join:
      - {{table: code, on: TERM, cardinality: {cardinality}{more}}}
    variables:
      USUBJID: {{expr: "concat('T-', SUBJ)"}}
      AETERM: {{assign: TERM}}
      AEDECOD: {{assign: code.PT}}
"""


def mapping(cardinality: str, more: str = "") -> str:
    """Spell the mapping with this cardinality."""
    return MAPPING.format(cardinality=cardinality, more=more)


def test_many_rows_may_share_one_match(study):
    """The lookup's columns are there, and empty where nothing matches."""
    raw = {"ae": "SUBJ,TERM\n1,rash\n2,rash\n3,cold\n", "code": "TERM,PT\nrash,Rash\n"}
    built = study(mapping("many-to-one"), raw=raw)
    assert built.table("AE", "USUBJID AEDECOD") == [["T-1", "Rash"], ["T-2", "Rash"], ["T-3", ""]]
    assert built.findings() == []


def test_a_second_match_is_reported_and_does_not_grow_the_rows(study):
    """Many-to-one met two matches: the first counts, the row is named."""
    raw = {"ae": "SUBJ,TERM\n1,rash\n", "code": "TERM,PT\nrash,Rash\nrash,Rash pruritic\n"}
    built = study(mapping("many-to-one"), raw=raw)
    assert built.table("AE", "USUBJID AEDECOD") == [["T-1", "Rash"]]
    assert [finding[:3] for finding in built.findings()] == [("MAP-JOIN-MANY", "AE.csv", 2)]


def test_one_to_many_grows_because_it_says_so(study):
    """Each match is a record."""
    raw = {"ae": "SUBJ,TERM\n1,rash\n", "code": "TERM,PT\nrash,Rash\nrash,Rash pruritic\n"}
    built = study(mapping("one-to-many"), raw=raw)
    assert built.table("AE", "USUBJID AEDECOD") == [["T-1", "Rash"], ["T-1", "Rash pruritic"]]
    assert built.findings() == []


def test_one_to_one_reports_a_match_that_is_shared(study):
    """The second row that takes the same match is named."""
    raw = {"ae": "SUBJ,TERM\n1,rash\n2,rash\n", "code": "TERM,PT\nrash,Rash\n"}
    built = study(mapping("one-to-one"), raw=raw)
    assert [finding[:3] for finding in built.findings()] == [("MAP-JOIN-SHARED", "AE.csv", 3)]


def test_a_required_match_that_is_missing_is_reported(study):
    """required: true names the rows without a match."""
    raw = {"ae": "SUBJ,TERM\n1,rash\n2,cold\n", "code": "TERM,PT\nrash,Rash\n"}
    built = study(mapping("many-to-one", ", required: true"), raw=raw)
    assert [finding[:3] for finding in built.findings()] == [("MAP-JOIN-NONE", "AE.csv", 3)]


def test_blank_keys_match_nothing(study):
    """Two blanks are not the same value."""
    raw = {"ae": "SUBJ,TERM\n1,\n", "code": "TERM,PT\n,Nothing\n"}
    built = study(mapping("many-to-one"), raw=raw)
    assert built.table("AE", "AEDECOD") == [[""]]


def test_ranges_are_found_by_laboratory_test_sex_age_and_date(study):
    """The row whose bounds hold, for this sex or for both; on another date another range."""
    lb = """
    domain: LB
    source: lb
    order: [USUBJID]
    join:
      - table: ranges
        on: {TEST: TEST}
        wildcard: {SEX: [SEX, Both]}
        between: {AGE: [FROM_AGE, TO_AGE], DAY: [FROM, TO]}
        cardinality: many-to-one
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      LBTESTCD: {assign: TEST}
      LBTEST: {constant: Alanine Aminotransferase}
      LBORNRHI: {assign: ranges.HIGH}
    """
    raw = {
        "lb": """
            SUBJ,TEST,SEX,AGE,DAY
            1,ALT,M,40,2019-12-31
            2,ALT,M,40,2020-01-01
            3,ALT,F,40,2020-01-01
            4,ALT,F,12,2020-01-01
        """,
        "ranges": """
            TEST,SEX,FROM_AGE,TO_AGE,FROM,TO,HIGH
            ALT,Both,18,120,2017-01-01,2019-12-31,41
            ALT,M,18,120,2020-01-01,,50
            ALT,F,18,120,2020-01-01,,44
        """,
    }
    built = study(lb, raw=raw)
    assert built.table("LB", "USUBJID LBORNRHI") == [["T-1", "41"], ["T-2", "50"], ["T-3", "44"], ["T-4", ""]]


def test_a_computed_age_that_is_missing_has_no_range(study):
    """A row without a year of birth matches no age bounds; the others do."""
    lb = """
    domain: LB
    source: lb
    order: [USUBJID]
    with:
      age: {expr: "2020 - number(BORN)"}
    join:
      - {table: ranges, on: {TEST: TEST}, between: {age: [FROM_AGE, TO_AGE]}, cardinality: many-to-one}
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      LBTESTCD: {assign: TEST}
      LBTEST: {constant: Alanine Aminotransferase}
      LBORNRHI: {assign: ranges.HIGH}
    """
    raw = {"lb": "SUBJ,TEST,BORN\n1,ALT,1980\n2,ALT,\n", "ranges": "TEST,FROM_AGE,TO_AGE,HIGH\nALT,18,120,41\n"}
    built = study(lb, raw=raw)
    assert built.table("LB", "USUBJID LBORNRHI") == [["T-1", "41"], ["T-2", ""]]


def test_rows_with_one_key_are_counted_once_and_the_others_reported(study):
    """The one updated last counts; the earlier one is named."""
    mapping_unique = """
    domain: AE
    source: ae
    unique: {by: [SUBJ, LINE], order: UPDATED}
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      AETERM: {assign: TERM}
      AEDECOD: {assign: TERM}
    """
    raw = "SUBJ,LINE,UPDATED,TERM\n1,1,2020-01-02,new\n1,1,2020-01-01,old\n1,2,2020-01-01,other\n"
    built = study(mapping_unique, raw={"ae": raw})
    assert built.table("AE", "AETERM") == [["new"], ["other"]]
    assert [finding[:3] for finding in built.findings()] == [("MAP-DUPLICATE", "AE.csv", 3)]


keys = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(left=keys, right=keys, cardinality=st.sampled_from(["many-to-one", "one-to-one", "one-to-many"]))
def test_a_join_is_what_a_loop_over_the_rows_would_give(left, right, cardinality):
    """Against a plain loop: the same pairs in the same order, the same number of findings."""
    here = pd.DataFrame({"K": pd.Series(left, dtype="str"), BASE: range(len(left))})
    there = pd.DataFrame(
        {"K": pd.Series(right, dtype="str"), "V": pd.Series(map(str, range(len(right))), dtype="str")}
    )
    origin = pd.DataFrame({"file": "A.csv", "row": range(2, len(left) + 2), "record": ""}, index=range(len(left)))
    join = Join("t", "t", {"K": "K"}, cardinality, False, None, {}, {}, Address("x.yaml", 1))
    findings = []
    joined = join_table(
        here, join, table=RawTable("t", there, origin), origin=origin, findings=findings, dataset="AE"
    )

    expected, surplus, taken, shared = [], 0, set(), 0
    for key in left:
        matches = [str(n) for n, other in enumerate(right) if other == key != ""]
        if cardinality == "one-to-many":
            expected += [(key, match) for match in matches] or [(key, "")]
            continue
        surplus += len(matches) > 1
        expected.append((key, matches[0] if matches else ""))
        if matches and cardinality == "one-to-one":
            shared += matches[0] in taken
            taken.add(matches[0])
    assert list(zip(joined["K"], joined["t.V"], strict=True)) == expected
    assert Counter(finding.rule for finding in findings) == Counter(
        {"MAP-JOIN-MANY": surplus, "MAP-JOIN-SHARED": shared}
    )
