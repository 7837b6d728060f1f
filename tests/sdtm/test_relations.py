"""RELREC, epochs from SE, records left out after they are derived, translations."""

from __future__ import annotations

DM = """
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
SE = """
    domain: SE
    source: dm
    long:
      - {values: {etcd: SCRN, element: Screening, epoch: SCREENING, order: "1"}}
      - {values: {etcd: DRUG, element: Drug, epoch: TREATMENT, order: "2"}}
      - {values: {etcd: FUP, element: Follow-up, epoch: FOLLOW-UP, order: "3"}}
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      ETCD: {assign: etcd}
      ELEMENT: {assign: element}
      EPOCH: {assign: epoch}
      TAETORD: {assign: order}
    derived:
      SESTDTC:
        case:
          - {when: ETCD = 'SCRN', then: DM.RFICDTC}
          - {when: ETCD = 'DRUG', then: DM.RFXSTDTC}
          - {else: "add_days(DM.RFXENDTC, 1)"}
    keep: SESTDTC is not missing
    order: [USUBJID, TAETORD]
"""
AE = """
    domain: AE
    source: ae
    order: [USUBJID, AETERM]
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      AESPID: {assign: LINE}
      AETERM: {assign: TERM}
      AEDECOD: {assign: TERM}
      AESTDTC: {iso8601: {date: START, format: yyyy-MM-dd}}
    derived:
      EPOCH: {epoch: AESTDTC}
"""
CM = """
    domain: CM
    source: cm
    order: [USUBJID, CMTRT]
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      CMTRT: {assign: DRUG}
      _line: {assign: FOR}
"""
DM_RAW = "SUBJ,CONSENT,FIRST,LAST\n1,2020-01-01,2020-01-10,2020-03-10\n2,2020-02-01,,\n"
AE_RAW = "SUBJ,LINE,TERM,START\n1,1,A,2020-01-05\n1,2,B,2020-01-10\n1,3,C,2020-03-11\n2,1,D,2020-02-02\n"


def test_elements_that_did_not_begin_are_left_out(study):
    """A screening failure has one element; the others are counted as left out, with the condition."""
    built = study(DM, SE, raw={"dm": DM_RAW}, conventions="epochs: SE")
    assert built.table("SE", "USUBJID SESEQ ETCD SESTDTC") == [
        ["T-1", "1", "SCRN", "2020-01-01"],
        ["T-1", "2", "DRUG", "2020-01-10"],
        ["T-1", "3", "FUP", "2020-03-11"],
        ["T-2", "1", "SCRN", "2020-02-01"],
    ]
    last = built.domain("SE").accounts[-1]
    assert (last.rows, last.kept, last.where) == (6, 4, "SESTDTC is not missing")


def test_the_epoch_of_a_date_is_that_of_the_last_element_that_had_begun(study):
    """The element's first day belongs to it."""
    built = study(DM, SE, AE, raw={"dm": DM_RAW, "ae": AE_RAW}, conventions="epochs: SE")
    assert built.table("AE", "AETERM EPOCH") == [
        ["A", "SCREENING"],
        ["B", "TREATMENT"],
        ["C", "FOLLOW-UP"],
        ["D", "SCREENING"],
    ]


def test_records_that_name_each_other_are_related_by_their_sequence_numbers(study):
    """The medication for event 2 and the event: two rows with one RELID and no RELTYPE."""
    relrec = "domain: RELREC\nrelations:\n  - {relid: AECM, records: {CM: _line, AE: AESPID}}\n"
    cm_raw = "SUBJ,DRUG,FOR\n1,Aspirin,2\n1,Zinc,\n1,Tea,3\n2,Tea,9\n"
    built = study(DM, SE, AE, CM, relrec, raw={"dm": DM_RAW, "ae": AE_RAW, "cm": cm_raw}, conventions="epochs: SE")
    assert built.table("RELREC", "RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID") == [
        ["CM", "T-1", "CMSEQ", "1", "", "AECM1"],
        ["AE", "T-1", "AESEQ", "2", "", "AECM1"],
        ["CM", "T-1", "CMSEQ", "2", "", "AECM2"],
        ["AE", "T-1", "AESEQ", "3", "", "AECM2"],
    ]


def test_datasets_are_related_as_a_whole(study):
    """One row per side, with ONE and MANY, for no subject in particular."""
    relrec = """
    domain: RELREC
    relations:
      - {relid: DMAE, datasets: {AE: {by: AESPID, type: ONE}, CM: {by: CMTRT, type: MANY}}}
    """
    cm_raw = "SUBJ,DRUG,FOR\n1,Aspirin,2\n"
    built = study(DM, SE, AE, CM, relrec, raw={"dm": DM_RAW, "ae": AE_RAW, "cm": cm_raw}, conventions="epochs: SE")
    assert built.table("RELREC", "RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID") == [
        ["AE", "", "AESPID", "", "ONE", "DMAE"],
        ["CM", "", "CMTRT", "", "MANY", "DMAE"],
    ]


def test_a_relation_to_what_is_not_there_is_a_fault(study):
    """The domain is not mapped; the variable is not filled."""
    relrec = """
    domain: RELREC
    relations:
      - {relid: A, records: {PR: PRSPID, AE: AESPID}}
      - {relid: B, records: {AE: AESPIDD, AE2: X}}
    """
    told = study(DM, SE, AE, relrec, raw={"dm": DM_RAW, "ae": AE_RAW}, conventions="epochs: SE").told()
    assert [line.split(" - ")[0] for line in told] == [
        "domain4.yaml:4: this study maps no domain PR",
        "domain4.yaml:5: AE fills no AESPIDD",
        "domain4.yaml:5: this study maps no domain AE2",
    ]


def test_a_variable_of_a_domain_with_many_records_is_not_taken_for_one(study):
    """A subject has many events; none of them is taken silently."""
    cm = CM + "    derived:\n      CMINDC: {assign: AE.AETERM}\n"
    told = study(
        DM, SE, AE, cm, raw={"dm": DM_RAW, "ae": AE_RAW, "cm": "SUBJ,DRUG,FOR\n"}, conventions="epochs: SE"
    ).told()
    assert told == ["domain4.yaml:10: AE has many records per subject - use earliest or latest"]


def test_text_that_is_not_ascii_is_translated_or_refused(study, tmp_path):
    """ASCII stays; an entry of the signed table is taken; without one nothing is made up."""
    (tmp_path / "words.csv").write_text(
        "original,english,translated_by,date\n恶心,nausea,LW,2022-05-01\n", encoding="utf-8"
    )
    ae = AE.replace("AETERM: {assign: TERM}", "AETERM: {translate: {column: TERM, table: words}}")
    raw = "SUBJ,LINE,TERM,START\n1,1,恶心,2020-01-05\n1,2,Rash,2020-01-10\n1,3,乏力,2020-03-11\n"
    conventions = "epochs: SE\nlookups: {words: words.csv}\n"
    built = study(DM, SE, ae, raw={"dm": DM_RAW, "ae": raw}, conventions=conventions)
    assert sorted(built.table("AE", "AESPID AETERM")) == [["1", "nausea"], ["2", "Rash"], ["3", ""]]
    assert [finding[:3] for finding in built.findings()] == [("MAP-TRANSLATION", "AE.csv", 4)]
