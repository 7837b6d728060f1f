"""The operation count: how many different values a variable of another domain has in the whole study."""

from __future__ import annotations

DM = """
    domain: DM
    source: dm
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      SUBJID: {assign: SUBJ}
      SITEID: {assign: SITE}
      SEX: {assign_ct: SEX}
      COUNTRY: {constant: TWN}
      ARMCD: {assign: ARM}
"""
DM_RAW = """
    SUBJ,SITE,SEX,ARM
    1,01,F,A
    2,02,M,
    3,01,F,A
"""
TS = """
    domain: TS
    source: ts
    variables:
      TSPARMCD: {assign: CODE}
    derived:
      TSPARM: {decode: TSPARMCD}
      _all: {count: {of: DM.USUBJID}}
      _inarm: {count: {of: DM.USUBJID, where: DM.ARMCD is not missing}}
      _sites: {count: {of: DM.SITEID}}
      _none: {count: {of: DM.USUBJID, where: DM.ARMCD = 'B'}}
      TSVAL:
        case:
          - {when: TSPARMCD = 'PLANSUB', then: text(_all)}
          - {when: TSPARMCD = 'ACTSUB', then: text(_inarm)}
          - {when: TSPARMCD = 'NARMS', then: text(_sites)}
          - {when: TSPARMCD = 'NCOHORT', then: text(_none)}
"""
TS_RAW = """
    CODE
    PLANSUB
    ACTSUB
    NARMS
    NCOHORT
"""


def test_values_are_counted_once_each_in_records_that_qualify(study):
    """Three subjects, two of them in an arm, at two sites; nobody in arm B."""
    built = study(DM, TS, raw={"dm": DM_RAW, "ts": TS_RAW})
    assert sorted(built.table("TS", "TSPARMCD TSVAL")) == [
        ["ACTSUB", "2"],
        ["NARMS", "2"],
        ["NCOHORT", "0"],
        ["PLANSUB", "3"],
    ]
