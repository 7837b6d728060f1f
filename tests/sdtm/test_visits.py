"""Visits: planned ones by the visit map, unscheduled ones between them, the same number in every domain."""

from __future__ import annotations

CONVENTIONS = """
subjects: {table: sv, id: SUBJ, usubjid: "concat('T-', id)"}
common: {USUBJID: {subject: SUBJ}}
visits:
  schedule:
    - {code: SCR, visitnum: 1, visit: SCREENING}
    - {code: "C{n}D1", visitnum: 10 * n + 1, visit: "CYCLE {n} DAY 1", visitdy: 21 * (n - 1) + 1}
  unscheduled: {codes: [UNS]}
  occurrences:
    - {table: sv, subject: SUBJ, code: CODE, instance: INSTANCE, date: DATE, format: yyyy-MM-dd, series: clinic}
    - {table: lb, subject: SUBJ, date: TAKEN, format: yyyy-MM-dd, series: clinic}
"""
SV_RAW = """
    SUBJ,CODE,INSTANCE,DATE
    1,SCR,0,2020-01-01
    1,C1D1,0,2020-01-10
    1,UNS,1,2020-01-15
    1,C2D1,0,2020-01-31
    1,UNS,2,2020-02-05
"""
LB_RAW = """
    SUBJ,TAKEN
    1,2020-01-10
    1,2020-01-15
    1,2020-01-20
    2,2020-01-20
"""
VS = """
    domain: VS
    source: sv
    order: [USUBJID, VISITNUM]
    variables:
      VSTESTCD: {constant: PULSE}
      VSTEST: {constant: Pulse Rate}
      "VISITNUM, VISIT, VISITDY": {visit: {code: CODE, instance: INSTANCE}}
"""
LB = """
    domain: LB
    source: lb
    order: [USUBJID, VISITNUM]
    variables:
      LBTESTCD: {constant: ALB}
      LBTEST: {constant: Albumin}
      "VISITNUM, VISIT, VISITDY": {visit: {date: TAKEN, format: yyyy-MM-dd, series: clinic}}
"""


def test_unscheduled_visits_are_numbered_after_the_planned_one_before(study):
    """Day 15 lies between cycle 1 (11) and cycle 2 (21); the laboratory's extra day 20 takes its place in the row."""
    built = study(VS, LB, raw={"sv": SV_RAW, "lb": LB_RAW}, conventions=CONVENTIONS)
    assert built.table("VS", "VISITNUM VISIT VISITDY") == [
        ["1", "SCREENING", ""],
        ["11", "CYCLE 1 DAY 1", "1"],
        ["11.1", "UNSCHEDULED 11.1", ""],
        ["21", "CYCLE 2 DAY 1", "22"],
        ["21.1", "UNSCHEDULED 21.1", ""],
    ]


def test_samples_without_a_visit_belong_to_the_visit_of_their_date(study):
    """The sample of day 10 is cycle 1 day 1, that of day 15 the unscheduled visit, that of day 20 one of its own."""
    built = study(VS, LB, raw={"sv": SV_RAW, "lb": LB_RAW}, conventions=CONVENTIONS)
    assert built.table("LB", "USUBJID VISITNUM VISIT") == [
        ["T-1", "11", "CYCLE 1 DAY 1"],
        ["T-1", "11.1", "UNSCHEDULED 11.1"],
        ["T-1", "11.2", "UNSCHEDULED 11.2"],
        ["T-2", "0.1", "UNSCHEDULED 0.1"],
    ]


def test_a_tenth_unscheduled_visit_does_not_collide_with_the_next_planned_one(study):
    """More than nine between two planned visits are numbered in hundredths."""
    days = "".join(f"    1,UNS,{n},2020-01-{10 + n}\n" for n in range(1, 12))
    raw = f"\n    SUBJ,CODE,INSTANCE,DATE\n    1,C1D1,0,2020-01-10\n{days}    1,C2D1,0,2020-01-31\n"
    built = study(VS, raw={"sv": raw, "lb": "SUBJ,TAKEN\n"}, conventions=CONVENTIONS)
    numbers = [float(row[0]) for row in built.table("VS", "VISITNUM")]
    assert numbers == [11, *(11 + n / 100 for n in range(1, 12)), 21]
    assert len(set(numbers)) == len(numbers)


def test_a_visit_that_is_not_in_the_map_is_a_finding_with_its_row(study):
    """A code nobody planned is not guessed."""
    raw = SV_RAW + "    1,C9D99,0,2020-03-01\n"
    built = study(VS, raw={"sv": raw, "lb": "SUBJ,TAKEN\n"}, conventions=CONVENTIONS)
    assert [finding[:3] for finding in built.findings() if finding[0] != "MAP-COLUMN-EMPTY"] == [
        ("MAP-VISIT", "SV.csv", 7)
    ]


def test_epochs_follow_the_reference_dates_and_open_ones_stay_blank(study):
    """Treatment begins on the first dose, follow-up the day after the last; a month that holds both is left open."""
    dm = """
    domain: DM
    source: dm
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      SUBJID: {assign: SUBJ}
      SITEID: {constant: "01"}
      SEX: {constant: F}
      COUNTRY: {constant: TWN}
      RFICDTC: {iso8601: {date: CONSENT, format: yyyy-MM-dd}}
      RFXSTDTC: {iso8601: {date: FIRST, format: yyyy-MM-dd}}
      RFXENDTC: {iso8601: {date: LAST, format: yyyy-MM-dd}}
    """
    ae = """
    domain: AE
    source: ae
    order: [USUBJID, AETERM]
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      AETERM: {assign: TERM}
      AEDECOD: {assign: TERM}
      AESTDTC: {iso8601: {date: START, format: yyyy-MM-dd | yyyy-MM}}
    derived:
      EPOCH: {epoch: AESTDTC}
    """
    conventions = """
    epochs:
      - {epoch: SCREENING, from: DM.RFICDTC}
      - {epoch: TREATMENT, from: DM.RFXSTDTC}
      - {epoch: FOLLOW-UP, after: DM.RFXENDTC}
    """
    raw = {
        "dm": "SUBJ,CONSENT,FIRST,LAST\n1,2020-01-01,2020-01-10,2020-03-10\n",
        "ae": """
            SUBJ,TERM,START
            1,A,2019-12-31
            1,B,2020-01-09
            1,C,2020-01-10
            1,D,2020-03-10
            1,E,2020-03-11
            1,F,2020-02
            1,G,2020-01
        """,
    }
    built = study(dm, ae, raw=raw, conventions=conventions)
    assert built.table("AE", "AETERM EPOCH") == [
        ["A", ""], ["B", "SCREENING"], ["C", "TREATMENT"], ["D", "TREATMENT"], ["E", "FOLLOW-UP"],
        ["F", "TREATMENT"], ["G", ""],
    ]  # fmt: skip


def test_unscheduled_visits_of_two_series_never_have_one_number(study):
    """An unscheduled visit and an unscheduled scan, both after screening: 1.1 and 1.2."""
    conventions = """
    subjects: {table: sv, id: SUBJ, usubjid: "concat('T-', id)"}
    common: {USUBJID: {subject: SUBJ}}
    visits:
      schedule:
        - {code: SCR, visitnum: 1, visit: SCREENING}
      unscheduled: {codes: [UNS, SCAN]}
      occurrences:
        - {table: sv, subject: SUBJ, code: CODE, instance: INSTANCE, date: DATE, format: yyyy-MM-dd, series: clinic}
        - {table: rs, subject: SUBJ, code: CODE, instance: INSTANCE, date: DATE, format: yyyy-MM-dd, series: tumour}
    """
    stacked = """
    domain: VS
    order: [USUBJID, VISITNUM]
    variables:
      VSTESTCD: {constant: PULSE}
      VSTEST: {constant: Pulse Rate}
      "VISITNUM, VISIT": {visit: {code: CODE, instance: INSTANCE}}
    stack:
      - source: sv
      - source: rs
    """
    raw = {
        "sv": "SUBJ,CODE,INSTANCE,DATE\n1,SCR,0,2020-01-01\n1,UNS,1,2020-01-15\n",
        "rs": "SUBJ,CODE,INSTANCE,DATE\n1,SCR,0,2020-01-02\n1,SCAN,1,2020-01-09\n",
    }
    built = study(stacked, raw=raw, conventions=conventions)
    assert built.table("VS", "VISITNUM VISIT") == [
        ["1", "SCREENING"],
        ["1", "SCREENING"],
        ["1.1", "UNSCHEDULED 1.1"],
        ["1.2", "UNSCHEDULED 1.2"],
    ]
