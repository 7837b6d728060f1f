"""From raw rows to SDTM records: each test shows the mapping, the raw table and the records expected."""

from __future__ import annotations

DM = """
    domain: DM
    source: dm
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      SUBJID: {assign: SUBJ}
      SITEID: {constant: "01"}
      SEX: {assign_ct: SEX}
      COUNTRY: {constant: TWN}
      RFSTDTC: {iso8601: {date: FIRST, format: yyyy-MM-dd}}
"""
DM_RAW = """
    SUBJ,SEX,FIRST
    1,Male,2020-01-10
    2,Female,
"""
AE_REQUIRED = """
      USUBJID: {expr: "concat('T-', SUBJ)"}
      AETERM: {assign: TERM}
      AEDECOD: {assign: TERM}
"""


def test_a_domain_has_its_variables_in_the_standards_order(study):
    """Variables come out in the guide's order, expected ones nobody fills as empty columns."""
    built = study(DM, raw={"dm": DM_RAW})
    columns = list(built.domain("DM").data.columns)
    assert columns[:5] == ["STUDYID", "DOMAIN", "USUBJID", "SUBJID", "RFSTDTC"]
    assert built.table("DM", "STUDYID DOMAIN USUBJID SEX RFSTDTC AGE") == [
        ["TEST", "DM", "T-1", "M", "2020-01-10", ""],
        ["TEST", "DM", "T-2", "F", "", ""],
    ]


def test_study_days_have_no_day_zero_and_need_complete_dates(study):
    """The day of the reference is day 1, the day before is day -1, a partial date has no day."""
    mapping = f"""
    domain: AE
    source: ae
    order: [USUBJID, AETERM]
    variables:{AE_REQUIRED}
      AESTDTC: {{iso8601: {{date: START, format: yyyy-MM-dd | yyyy-MM}}}}
    derived:
      AESTDY: {{study_day: AESTDTC}}
    """
    raw = """
    SUBJ,TERM,START
    1,A,2020-01-10
    1,B,2020-01-09
    1,C,2020-01-11
    1,D,2020-01
    2,E,2020-01-09
    """
    built = study(DM, mapping, raw={"dm": DM_RAW, "ae": raw})
    assert built.table("AE", "USUBJID AESEQ AETERM AESTDTC AESTDY") == [
        ["T-1", "1", "A", "2020-01-10", "1"],
        ["T-1", "2", "B", "2020-01-09", "-1"],
        ["T-1", "3", "C", "2020-01-11", "2"],
        ["T-1", "4", "D", "2020-01", ""],
        ["T-2", "1", "E", "2020-01-09", ""],
    ]


def test_dates_of_dm_come_from_exposure_before_days_are_counted(study):
    """RFXSTDTC comes from EX, RFSTDTC from it, and EXSTDY from RFSTDTC: the order is found, not written."""
    dm = DM.replace("      RFSTDTC: {iso8601: {date: FIRST, format: yyyy-MM-dd}}\n", "")
    dm += """
    derived:
      RFSTDTC: {assign: RFXSTDTC}
      RFXSTDTC: {earliest: {of: EX.EXSTDTC, where: EX.EXDOSE > 0}}
      RFXENDTC: {latest: {of: EX.EXENDTC, where: EX.EXDOSE > 0, open: EX.EXENDTC}}
    """
    ex = """
    domain: EX
    source: ex
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      EXTRT: {constant: DRUG}
      EXDOSE: {assign: DOSE}
      EXSTDTC: {iso8601: {date: START, format: yyyy-MM-dd}}
      EXENDTC: {iso8601: {date: END, format: yyyy-MM-dd}}
    derived:
      EXSTDY: {study_day: EXSTDTC}
    """
    raw = """
    SUBJ,DOSE,START,END
    1,0,2020-01-01,2020-01-01
    1,5,2020-01-02,2020-01-03
    1,5,2020-01-09,2020-01-12
    2,5,2020-02-01,2020-02-02
    2,5,2020-02-03,
    """
    built = study(
        dm,
        ex,
        raw={"dm": DM_RAW.replace(",FIRST", "").replace(",2020-01-10", "").replace("Female,", "Female"), "ex": raw},
    )
    assert built.table("DM", "USUBJID RFSTDTC RFXSTDTC RFXENDTC") == [
        ["T-1", "2020-01-02", "2020-01-02", "2020-01-12"],
        ["T-2", "2020-02-01", "2020-02-01", ""],  # treatment goes on: no last dose
    ]
    assert built.table("EX", "USUBJID EXSTDTC EXSTDY")[0] == ["T-1", "2020-01-01", "-1"]


def test_stacked_sources_share_what_the_domain_says_and_keep_their_rows(study):
    """Two forms become one domain; every record knows the file and row it came from."""
    mapping = """
    domain: EX
    order: [USUBJID, EXTRT]
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
    stack:
      - source: one
        variables:
          EXTRT: {constant: INFUSION}
      - source: two
        where: DOSE > 0
        variables:
          EXTRT: {constant: CAPSULE}
          EXDOSE: {assign: DOSE}
    """
    built = study(mapping, raw={"one": "SUBJ\n1\n", "two": "SUBJ,DOSE\n1,0\n1,14\n"})
    assert built.table("EX", "USUBJID EXSEQ EXTRT EXDOSE") == [
        ["T-1", "1", "CAPSULE", "14"],
        ["T-1", "2", "INFUSION", ""],
    ]
    assert built.domain("EX").origin[["file", "row"]].values.tolist() == [["TWO.csv", 3], ["ONE.csv", 2]]
    assert [(item.table, item.rows, item.kept) for item in built.domain("EX").accounts] == [
        ("one", 1, 1),
        ("two", 2, 1),
    ]


def test_a_wide_form_becomes_one_record_per_result(study):
    """Columns of one row become records; a result that is empty makes none."""
    mapping = """
    domain: VS
    source: vs
    long:
      - for: [SYSBP, DIABP]
        columns: {result: "{}", unit: "{}_U"}
        values: {test: "{}"}
    where: result is not missing
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      VSTESTCD: {assign: test}
      VSORRES: {assign: result}
      VSORRESU: {assign: unit}
    derived:
      VSTEST: {decode: VSTESTCD}
    """
    raw = """
    SUBJ,SYSBP,SYSBP_U,DIABP,DIABP_U
    1,120,mmHg,80,mmHg
    2,130,mmHg,,
    """
    built = study(mapping, raw={"vs": raw})
    assert built.table("VS", "USUBJID VSTESTCD VSTEST VSORRES VSORRESU") == [
        ["T-1", "DIABP", "Diastolic Blood Pressure", "80", "mmHg"],
        ["T-1", "SYSBP", "Systolic Blood Pressure", "120", "mmHg"],
        ["T-2", "SYSBP", "Systolic Blood Pressure", "130", "mmHg"],
    ]


def test_a_long_table_becomes_wide_and_surplus_is_reported(study):
    """One row per subject; a second value and a name that is not listed are findings with their rows."""
    mapping = """
    domain: AE
    source: ae
    wide: {by: [SUBJ], name: ITEM, value: VALUE, columns: {term: TERM, grade: GRADE}}
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      AETERM: {assign: TERM}
      AEDECOD: {assign: TERM}
      AETOXGR: {assign: GRADE}
    """
    raw = """
    SUBJ,ITEM,VALUE
    1,term,Rash
    1,grade,2
    1,grade,3
    1,colour,red
    2,term,Cough
    """
    built = study(mapping, raw={"ae": raw})
    assert built.table("AE", "USUBJID AETERM AETOXGR") == [["T-1", "Rash", "2"], ["T-2", "Cough", ""]]
    assert [finding[:3] for finding in built.findings()] == [
        ("MAP-WIDE-NAME", "AE.csv", 5),
        ("MAP-WIDE-TWICE", "AE.csv", 4),
    ]


def test_case_takes_the_first_branch_that_holds(study):
    """Branches are asked in order; else is what remains."""
    mapping = f"""
    domain: AE
    source: ae
    variables:{AE_REQUIRED}
      AESEV:
        case:
          - {{when: GRADE > 2, then: "'SEVERE'"}}
          - {{when: GRADE = '2', then: "'MODERATE'"}}
          - {{else: "'MILD'"}}
    """
    built = study(mapping, raw={"ae": "SUBJ,TERM,GRADE\n1,A,1\n1,B,2\n1,C,4\n"})
    assert [row[0] for row in built.table("AE", "AESEV")] == ["MILD", "MODERATE", "SEVERE"]


def test_supplemental_qualifiers_point_to_their_parent(study):
    """A value gives one SUPP record with the parent's sequence number; no value gives none."""
    mapping = f"""
    domain: AE
    source: ae
    order: [USUBJID, AETERM]
    variables:{AE_REQUIRED}
    supp:
      AECOLOUR: {{assign: COLOUR, label: Colour of the Rash}}
      AEDRV: {{case: [{{when: COLOUR = 'red', then: "'Y'"}}], label: Is It Red, evaluator: INVESTIGATOR}}
    """
    built = study(mapping, raw={"ae": "SUBJ,TERM,COLOUR\n1,B,red\n1,A,\n2,C,blue\n"})
    supp = built.domain("AE").supp
    columns = ["RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QLABEL", "QVAL", "QORIG", "QEVAL"]
    assert supp[columns].values.tolist() == [
        ["AE", "T-1", "AESEQ", "2", "AECOLOUR", "Colour of the Rash", "red", "CRF", ""],
        ["AE", "T-1", "AESEQ", "2", "AEDRV", "Is It Red", "Y", "DERIVED", "INVESTIGATOR"],
        ["AE", "T-2", "AESEQ", "1", "AECOLOUR", "Colour of the Rash", "blue", "CRF", ""],
    ]


def test_a_person_screened_twice_is_one_subject(study):
    """Both numbers give the USUBJID of the first, and a chain of screenings is followed to its start."""
    conventions = """
    subjects: {table: dm, id: SUBJ, previous: BEFORE, usubjid: "concat('T-', id)"}
    common: {USUBJID: {subject: SUBJ}}
    """
    mapping = """
    domain: AE
    source: ae
    variables: {AETERM: {assign: TERM}, AEDECOD: {assign: TERM}}
    """
    raw = {"dm": "SUBJ,BEFORE\n1,\n2,1\n3,2\n4,\n", "ae": "SUBJ,TERM\n3,A\n4,B\n9,C\n"}
    built = study(mapping, raw=raw, conventions=conventions)
    assert built.table("AE", "USUBJID AETERM") == [["T-1", "A"], ["T-4", "B"], ["T-9", "C"]]


def test_the_last_record_before_the_first_dose_is_flagged(study):
    """Only records with a value count; on the day itself the times decide where both are known."""
    dm = DM.replace("format: yyyy-MM-dd", 'format: "yyyy-MM-dd hh:mm | yyyy-MM-dd"').replace("RFSTDTC", "RFXSTDTC")
    mapping = """
    domain: LB
    source: lb
    order: [USUBJID, LBDTC]
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      LBTESTCD: {constant: ALB}
      LBTEST: {constant: Albumin}
      LBORRES: {assign: RESULT}
      LBDTC: {iso8601: {date: TAKEN, format: "yyyy-MM-dd hh:mm | yyyy-MM-dd"}}
    derived:
      LBLOBXFL: {last_before: {date: LBDTC, by: [LBTESTCD], value: LBORRES}}
    """
    raw = """
    SUBJ,TAKEN,RESULT
    1,2020-01-08,40
    1,2020-01-09,41
    1,2020-01-10 07:00,42
    1,2020-01-10 07:30,
    1,2020-01-10 09:00,43
    2,2020-02-01,44
    """
    dm_raw = DM_RAW.replace("1,Male,2020-01-10", "1,Male,2020-01-10 08:00").replace(
        "2,Female,", "2,Female,2020-02-01"
    )
    built = study(dm, mapping, raw={"dm": dm_raw, "lb": raw})
    assert built.table("LB", "LBDTC LBORRES LBLOBXFL") == [
        ["2020-01-08", "40", ""],
        ["2020-01-09", "41", ""],
        ["2020-01-10T07:00", "42", "Y"],
        ["2020-01-10T07:30", "", ""],
        ["2020-01-10T09:00", "43", ""],
        ["2020-02-01", "44", "Y"],
    ]


def test_results_and_ranges_are_converted_by_one_factor(study, tmp_path):
    """Grams per decilitre become grams per litre, and so do both limits; the indicator uses what was collected."""
    (tmp_path / "units.csv").write_text("testcd,unit\nALB,g/L\nINR,\n")
    mapping = """
    domain: LB
    source: lb
    variables:
      USUBJID: {expr: "concat('T-', SUBJ)"}
      LBTESTCD: {assign: TEST}
      LBORRES: {assign: RESULT}
      LBORRESU: {assign: UNIT}
      LBORNRLO: {assign: LOW}
      LBORNRHI: {assign: HIGH}
    derived:
      LBTEST: {decode: LBTESTCD}
      "LBSTRESC, LBSTRESN, LBSTRESU, LBSTNRLO, LBSTNRHI":
        standardize: {test: LBTESTCD, result: LBORRES, unit: LBORRESU, low: LBORNRLO, high: LBORNRHI, units: units}
      LBNRIND: {range_indicator: {result: LBORRES, low: LBORNRLO, high: LBORNRHI}}
    """
    raw = """
    SUBJ,TEST,RESULT,UNIT,LOW,HIGH
    1,ALB,3.4,g/dL,3.5,5.7
    2,ALB,<3.0,g/dL,3.5,5.7
    3,ALB,40,g/L,35,
    4,ALB,40,,35,57
    5,INR,1.1,,0.9,1.2
    """
    built = study(mapping, raw={"lb": raw}, conventions="lookups: {units: units.csv}")
    assert built.table("LB", "USUBJID LBSTRESC LBSTRESN LBSTRESU LBSTNRLO LBSTNRHI LBNRIND") == [
        ["T-1", "34", "34", "g/L", "35", "57", "LOW"],
        ["T-2", "<30", "", "g/L", "35", "57", "LOW"],
        ["T-3", "40", "40", "g/L", "35", "", ""],  # one bound missing: not called normal
        ["T-4", "40", "", "", "", "", "NORMAL"],  # no unit: not converted, never labelled with the standard unit
        ["T-5", "1.1", "1.1", "", "0.9", "1.2", "NORMAL"],
    ]
    assert [finding[:3] for finding in built.findings()] == [("MAP-UNIT", "LB.csv", 5)]


def test_records_after_the_cut_off_are_left_out_and_noted(study):
    """A laboratory extract runs past the cut-off; those rows are named, not silently dropped."""
    mapping = f"""
    domain: AE
    source: ae
    cutoff: AESTDTC
    variables:{AE_REQUIRED}
      AESTDTC: {{iso8601: {{date: START, format: yyyy-MM-dd}}}}
    """
    raw = "SUBJ,TERM,START\n1,A,2020-01-31\n1,B,2020-02-01\n"
    built = study(mapping, raw={"ae": raw}, cutoff="2020-01-31")
    assert built.table("AE", "AETERM") == [["A"]]
    assert [finding[:3] for finding in built.findings()] == [("MAP-CUTOFF", "AE.csv", 3)]


def test_the_same_input_gives_the_same_records_in_any_row_order(study):
    """Sequence numbers follow the declared order, not the order of the file."""
    mapping = f"""
    domain: AE
    source: ae
    order: [USUBJID, AETERM]
    variables:{AE_REQUIRED}
    """
    one = study(mapping, raw={"ae": "SUBJ,TERM\n1,A\n1,B\n2,C\n"})
    other = study(mapping, raw={"ae": "SUBJ,TERM\n2,C\n1,B\n1,A\n"})
    columns = "USUBJID AESEQ AETERM"
    assert one.table("AE", columns) == other.table("AE", columns)


def test_what_a_helper_refuses_is_reported_in_rows_that_become_records(study):
    """A value lost in a helper is as lost as one lost in a rule; a row that is left out has nothing to lose."""
    mapping = f"""
    domain: AE
    source: ae
    with:
      grade: {{recode: {{column: GRADE, map: {{1: MILD}}}}}}
      day: {{expr: number(DAY) + 1}}
    where: TERM is not missing
    variables:{AE_REQUIRED}
      AESEV: {{assign: grade}}
      AESPID: {{assign: day}}
    """
    built = study(mapping, raw={"ae": "SUBJ,TERM,GRADE,DAY\n1,A,1,1\n1,B,7,x\n1,,8,y\n"})
    assert [finding[:3] for finding in built.findings()] == [
        ("MAP-RECODE", "AE.csv", 3),
        ("MAP-EXPRESSION", "AE.csv", 3),
    ]
