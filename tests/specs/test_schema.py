"""The checks of one dataset: a table in, the expected findings beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest
from pandera.config import config_context

from specs import checks
from specs.findings import CheckResult, Finding, Outcome, Severity
from specs.load import load_specs
from specs.model import Specs
from specs.rules import RULES
from specs.schema import check_dataset, make_schema

Columns = Mapping[str, Sequence[object] | object]


@pytest.fixture(scope="module")
def specs() -> Specs:
    return load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28")


def frame(**columns: Sequence[object] | object) -> pd.DataFrame:
    """Make a table: text columns ``str``, numbers float64; one value stands for every row."""
    rows = max([len(column) for column in columns.values() if isinstance(column, list)], default=1)
    made = {name: column if isinstance(column, list) else [column] * rows for name, column in columns.items()}
    return pd.DataFrame(
        {
            name: pd.Series(column, dtype="str" if any(isinstance(cell, str) for cell in column) else "float64")
            for name, column in made.items()
        }
    )


AE: Columns = {
    "STUDYID": "S1", "DOMAIN": "AE", "USUBJID": "S1-01", "AESEQ": [1, 2], "AETERM": ["Headache", "Nausea"],
    "AELLT": "", "AELLTCD": None, "AEDECOD": ["HEADACHE", "NAUSEA"], "AEPTCD": None, "AEHLT": "", "AEHLTCD": None,
    "AEHLGT": "", "AEHLGTCD": None, "AEBODSYS": "", "AEBDSYCD": None, "AESOC": "", "AESOCCD": None, "AESER": "N",
    "AEACN": "DOSE NOT CHANGED", "AEREL": "RELATED", "AESTDTC": ["2024-03", "2024-03-05"], "AEENDTC": "",
}  # fmt: skip
VS: Columns = {
    "STUDYID": "S1", "DOMAIN": "VS", "USUBJID": "S1-01", "VSSEQ": [1, 2], "VSTESTCD": ["SYSBP", "DIABP"],
    "VSTEST": ["Systolic Blood Pressure", "Diastolic Blood Pressure"], "VSORRES": ["120", "80"],
    "VSORRESU": "mmHg", "VSSTRESC": ["120", "80"], "VSSTRESN": [120, 80], "VSSTRESU": "mmHg", "VSLOBXFL": "",
    "VISITNUM": 1, "VSDTC": "2024-03-01",
}  # fmt: skip


def ae(**changed: Sequence[object] | object) -> pd.DataFrame:
    """Make two adverse events without fault, with the columns that are changed."""
    return frame(**{**AE, **changed})


def check(data: pd.DataFrame, specs: Specs, *, name: str = "AE") -> dict[str, CheckResult]:
    return {result.rule: result for result in check_dataset(data, name=name, specs=specs)}


def failures(results: Mapping[str, CheckResult]) -> list[str]:
    return [rule for rule, result in results.items() if result.outcome is Outcome.FAILED]


def only(results: Mapping[str, CheckResult], rule: str) -> Finding:
    """Return the one finding, which is of *rule*, where nothing else failed."""
    assert failures(results) == [rule]
    (finding,) = results[rule].findings
    return finding


@pytest.mark.parametrize(("name", "columns"), [("AE", AE), ("VS", VS)])
def test_data_without_fault_passes_every_rule(specs: Specs, name: str, columns: Columns) -> None:
    """Every rule that applies is listed, and has passed."""
    results = check(frame(**columns), specs, name=name)
    assert {result.outcome for result in results.values()} == {Outcome.PASSED}
    always = {"SDTM-DATASET", "SDTM-VAR-REQUIRED", "SDTM-VAR-EXPECTED", "SDTM-TYPE", "SDTM-CT", "SDTM-ISO8601"}
    assert always <= set(results)


def test_only_rules_that_apply_are_listed(specs: Specs) -> None:
    """Adverse events have no test names; vital signs have no duration here."""
    assert "SDTM-TEST-PAIR" not in check(ae(), specs)
    assert "SDTM-DURATION" not in check(frame(**VS), specs, name="VS")


def test_an_empty_dataset_passes(specs: Specs) -> None:
    """No records, no findings."""
    assert failures(check(ae().iloc[:0], specs)) == []


def test_a_dataset_that_nobody_knows(specs: Specs) -> None:
    """XX is neither the guide's nor a SUPP-- of it."""
    finding = only(check(ae(), specs, name="XX"), "SDTM-DATASET")
    assert finding.message == "sdtmig-3.4 has no dataset XX"


CELLS = [
    ("AEDECOD", ["", "NAUSEA"], "SDTM-NULL-REQUIRED", "AEDECOD is required and empty"),
    ("DOMAIN", ["AF", "AE"], "SDTM-FIXED", "DOMAIN 'AF' is not 'AE'"),
    ("AESER", ["No", "N"], "SDTM-CT", "AESER 'No' is not a term of NY (C66742)"),
    ("AESER", ["y", "N"], "SDTM-CT", "AESER 'y' is not a term of NY (C66742)"),
    (
        "AEENDTC",
        ["2024-04-31", ""],
        "SDTM-ISO8601",
        "AEENDTC '2024-04-31' is not an ISO 8601 date, time or interval that exists",
    ),
    ("AETERM", ["x" * 201, "Nausea"], "SDTM-LENGTH", f"AETERM '{'x' * 57}...' has more than 200 bytes"),
]


@pytest.mark.parametrize(("variable", "values", "rule", "message"), CELLS)
def test_a_fault_of_a_cell(specs: Specs, variable: str, values: list[str], rule: str, message: str) -> None:
    """The finding names rule, record, variable and value, and says it in words."""
    finding = only(check(ae(**{variable: values}), specs), rule)
    assert finding == Finding(
        rule=rule,
        severity=Severity.ERROR,
        message=message,
        dataset="AE",
        variables=(variable,),
        values=(values[0],),
        key=(("USUBJID", "S1-01"), ("AESEQ", "1")),
        cure=RULES[rule].cure,
    )


def test_length_counts_bytes(specs: Specs) -> None:
    """67 Chinese letters are 201 bytes in UTF-8; not being ASCII is a finding of its own."""
    results = check(ae(AETERM=["頭" * 67, "頭" * 66]), specs)
    assert [finding.key[1] for finding in results["SDTM-LENGTH"].findings] == [("AESEQ", "1")]
    assert [finding.key[1] for finding in results["SDTM-NON-ASCII"].findings] == [("AESEQ", "1"), ("AESEQ", "2")]


def test_a_duration(specs: Specs) -> None:
    """AEDUR is written P3D."""
    data = ae()
    data.insert(list(data.columns).index("AEENDTC") + 1, "AEDUR", pd.Series(["P3D", "3 DAYS"], dtype="str"))
    assert only(check(data, specs), "SDTM-DURATION").message == "AEDUR '3 DAYS' is not an ISO 8601 duration"


def test_an_undeclared_term_of_an_extensible_list_is_told_once(specs: Specs) -> None:
    """It is the value that must be declared: one warning with the number of records, not one per record."""
    results = check(frame(**{**VS, "VSORRESU": "cm water"}), specs, name="VS")
    finding = only(results, "SDTM-CT-EXTENDED")
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "VSORRESU 'cm water' is not a term of VSRESU (C66770), nor declared by the study; 2 records"
    )
    assert (finding.values, finding.key) == (("cm water",), ())


def test_a_declared_term_passes(tmp_path: Path) -> None:
    """What the study declares under extend is a term."""
    (tmp_path / "codelists.yaml").write_text("VSRESU: {extend: {cm water: Centimetre of water}}", encoding="utf-8")
    specs = load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28", study=tmp_path)
    assert failures(check(frame(**{**VS, "VSORRESU": "cm water"}), specs, name="VS")) == []


def test_a_number_is_not_looked_up_as_a_result_term(specs: Specs) -> None:
    """The list of LBSTRESC is for results in words: 4.2, .5 and <0.2 are not in it and need not be."""
    lab = {name: "" for name in specs.datasets["LB"].names if name in ("LBORRESU", "LBSTRESU", "LBNRIND")}
    columns = {"LBSTRESC": ["4.2", "<0.2", ".5", "NEGATIVE", "QUITE A LOT"], **lab}
    results = check(frame(**columns), specs, name="LB")
    assert [finding.values for finding in results["SDTM-CT-EXTENDED"].findings] == [("QUITE A LOT",)]


def test_a_date_is_not_looked_up_as_a_result_term(specs: Specs) -> None:
    """Of a subject's status, the date last known alive is a date, complete or not; any other word must be a term."""
    status = {"SSSTRESC": ["ALIVE", "2019-10-09", "2019-10", "2019-10-09T08:30", "AS OF 2019-10-09"]}
    results = check(frame(**status), specs, name="SS")
    assert [finding.values for finding in results["SDTM-CT-EXTENDED"].findings] == [("AS OF 2019-10-09",)]


def test_several_races_are_multiple(specs: Specs) -> None:
    """RACE may be MULTIPLE, as the guide says, though the published list does not have it."""
    results = check(frame(RACE=["ASIAN", "MULTIPLE", "ASIAN, WHITE"]), specs, name="DM")
    assert [finding.values for finding in results["SDTM-CT"].findings] == [("ASIAN, WHITE",)]


def test_a_list_that_the_terminology_lacks_is_not_evaluated(specs: Specs) -> None:
    """A rule that could not look is not green."""
    result = check(frame(MSRESCAT=["SUSCEPTIBLE"]), specs, name="MS")["SDTM-CT"]
    assert result.outcome is Outcome.NOT_EVALUATED
    assert result.reason == "sdtm-2025-03-28 has no codelist C85495 for MSRESCAT"


@pytest.mark.parametrize(
    ("variable", "rule", "message"),
    [
        ("AETERM", "SDTM-VAR-REQUIRED", "the required variable AETERM is absent"),
        ("AEREL", "SDTM-VAR-EXPECTED", "the expected variable AEREL is absent"),
    ],
)
def test_an_absent_variable(specs: Specs, variable: str, rule: str, message: str) -> None:
    """A required variable is an error, an expected one a warning."""
    finding = only(check(ae().drop(columns=variable), specs), rule)
    assert (finding.message, finding.variables, finding.key) == (message, (variable,), ())
    assert finding.severity is RULES[rule].severity


def test_variables_beyond_the_guide(specs: Specs) -> None:
    """What the class knows wants a declaration, what nobody knows is an error."""
    data = ae().assign(AELNKID=pd.Series(["a", "b"], dtype="str"), AEFOO=pd.Series(["a", "b"], dtype="str"))
    results = check(data, specs)
    assert failures(results) == ["SDTM-VAR-UNKNOWN", "SDTM-VAR-UNDECLARED"]
    assert [one.message for one in results["SDTM-VAR-UNKNOWN"].findings] == ["AE has no variable AEFOO"]
    assert [one.message for one in results["SDTM-VAR-UNDECLARED"].findings] == [
        "AELNKID is not in the guide's table of AE"
    ]


def test_the_order_of_variables(specs: Specs) -> None:
    """One finding says where the order breaks first."""
    data = ae()
    swapped = data[["STUDYID", "USUBJID", "DOMAIN", *data.columns[3:]]]
    assert only(check(swapped, specs), "SDTM-VAR-ORDER").message == "USUBJID stands where DOMAIN should"


def test_a_wrong_type(specs: Specs) -> None:
    """One finding for the column; rules that need its type are not evaluated, and say why."""
    results = check(ae(AESEQ=["1", "2"], AESER=[1.0, 2.0]), specs)
    assert [one.message for one in results["SDTM-TYPE"].findings] == [
        "AESEQ is not a number but str",
        "AESER is not text but float64",
    ]
    assert results["SDTM-SEQ"].outcome is Outcome.NOT_EVALUATED
    assert results["SDTM-SEQ"].reason == "AESEQ has the wrong type"
    assert results["SDTM-CT"].outcome is Outcome.NOT_EVALUATED
    assert results["SDTM-CT"].reason == "AESER has the wrong type"


def test_whole_numbers_are_numbers(specs: Specs) -> None:
    """A column of integers is as good as one of floats."""
    assert failures(check(ae().astype({"AESEQ": "int64"}), specs)) == []


@pytest.mark.parametrize("numbers", [[1, 1], [0, 1], [1.5, 1]])
def test_a_sequence_number(specs: Specs, numbers: list[float]) -> None:
    """--SEQ is a whole number above zero, once per subject."""
    results = check(ae(AESEQ=numbers), specs)
    assert failures(results) == ["SDTM-SEQ"]
    assert results["SDTM-SEQ"].findings[0].message == (
        "AESEQ is not a whole number above zero that is unique within USUBJID"
    )


def test_the_same_number_of_two_subjects(specs: Specs) -> None:
    """--SEQ starts again with every subject."""
    assert failures(check(ae(AESEQ=[1, 1], USUBJID=["S1-01", "S1-02"]), specs)) == []


def test_a_subject_twice_in_dm(specs: Specs) -> None:
    """DM has one record per subject; the second is told."""
    data = frame(STUDYID="S1", DOMAIN="DM", USUBJID=["S1-01", "S1-02", "S1-01"], AGE=[40, 50, 41])
    result = check(data, specs, name="DM")["SDTM-KEY"]
    assert [finding.key for finding in result.findings] == [(("USUBJID", "S1-01"),)]
    assert result.findings[0].message == "an earlier record has the same STUDYID, USUBJID"


def test_the_study_s_natural_keys(tmp_path: Path) -> None:
    """Keys named by the study are its claim that they tell the records apart."""
    (tmp_path / "datasets.yaml").write_text("AE: {keys: [USUBJID, AETERM, AESTDTC]}", encoding="utf-8")
    specs = load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28", study=tmp_path)
    results = check(ae(AETERM="Headache", AESTDTC="2024-03"), specs)
    assert failures(results) == ["SDTM-KEY"]
    assert len(results["SDTM-KEY"].findings) == 1


def test_a_key_that_is_absent_is_not_evaluated(specs: Specs) -> None:
    """Without --SEQ nothing can be said of it."""
    result = check(ae().drop(columns="AESEQ"), specs)["SDTM-SEQ"]
    assert (result.outcome, result.reason) == (Outcome.NOT_EVALUATED, "AESEQ is absent")


def test_an_end_before_its_start(specs: Specs) -> None:
    """Compared as far as both dates are known: 2024-03 may end on 2024-03-01."""
    results = check(ae(AESTDTC=["2024-03", "2024-03-05"], AEENDTC=["2024-03-01", "2024-03-04"]), specs)
    finding = only(results, "SDTM-TIME-ORDER")
    assert (finding.message, finding.values) == ("AEENDTC is before AESTDTC", ("2024-03-05", "2024-03-04"))
    assert finding.key == (("USUBJID", "S1-01"), ("AESEQ", "2"))


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        (["SYSBP", "DIABP"], ["Systolic Blood Pressure", "Systolic Blood Pressure"]),  # one name of two codes
        (["SYSBP", "SYSBP"], ["Systolic Blood Pressure", "Diastolic Blood Pressure"]),  # two names of one code
        (["SYSBP", "DIABP"], ["Diastolic Blood Pressure", "Systolic Blood Pressure"]),  # one to one, but swapped
    ],
)
def test_a_short_name_and_its_name(specs: Specs, codes: list[str], names: list[str]) -> None:
    """--TESTCD and --TEST are one to one, and paired as the terminology pairs them."""
    results = check(frame(**{**VS, "VSTESTCD": codes, "VSTEST": names}), specs, name="VS")
    assert failures(results) == ["SDTM-TEST-PAIR"]


@pytest.mark.parametrize("code", ["TOOLONGCD", "1ST", "A-B", "A B"])
def test_a_short_name_s_form(specs: Specs, code: str) -> None:
    """Up to eight letters, digits and underscores, the first no digit; told once for all records."""
    results = check(frame(**{**VS, "VSTESTCD": code, "VSTEST": "Something"}), specs, name="VS")
    (finding,) = results["SDTM-TESTCD"].findings
    assert finding.message.endswith("the first no digit; 2 records")


def test_a_name_of_more_than_forty_characters(specs: Specs) -> None:
    """--TEST has up to 40; an inclusion criterion may be longer."""
    results = check(frame(**{**VS, "VSTESTCD": "LONGTEST", "VSTEST": "x" * 41}), specs, name="VS")
    assert "SDTM-TEST-LENGTH" in failures(results)
    assert "SDTM-TEST-LENGTH" not in check(frame(IETEST=["x" * 150]), specs, name="IE")


def test_a_supplemental_dataset_has_its_template_s_checks(specs: Specs) -> None:
    """QNAM has a short name's form, QLABEL 40 characters, and the keys tell the records apart."""
    data = frame(
        STUDYID="S1", RDOMAIN="AE", USUBJID="S1-01", IDVAR="AESEQ", IDVARVAL="1", QNAM=["AETRTEM", "AETRTEM"],
        QLABEL="TREATMENT EMERGENT FLAG", QVAL="Y", QORIG="DERIVED", QEVAL="",
    )  # fmt: skip
    results = check(data, specs, name="SUPPAE")
    assert failures(results) == ["SDTM-KEY"]
    assert results["SDTM-TEST-PAIR"].outcome is Outcome.PASSED


def test_raw_locations_go_with_the_findings(specs: Specs) -> None:
    """A finding says the raw file and row that the record came from."""
    data = ae(AESER=["N", "No"])
    origin = pd.DataFrame(
        {"file": pd.Categorical(["ae.csv", "ae.csv"]), "row": [2, 3], "record": pd.Series(["17", "18"], dtype="str")}
    )
    data.index = origin.index = pd.Index([40, 41])
    (result,) = [one for one in check_dataset(data, name="AE", specs=specs, origin=origin) if one.rule == "SDTM-CT"]
    (finding,) = result.findings
    assert (finding.file, finding.row, finding.record) == ("ae.csv", 3, "18")
    assert finding.where() == "ae.csv:3 AE.AESER USUBJID=S1-01 AESEQ=2"


def test_cells_reported_already_are_not_reported_again(specs: Specs) -> None:
    """The mapping told it with the collected value; the rule stays red all the same."""
    data = ae(AESER=["No", "Yes"])
    known = frozenset({(0, "AESER"), (1, "AESTDTC")})
    results = {one.rule: one for one in check_dataset(data, name="AE", specs=specs, skip=known)}
    assert [finding.values for finding in results["SDTM-CT"].findings] == [("Yes",)]
    results = {one.rule: one for one in check_dataset(data, name="AE", specs=specs, skip=known | {(1, "AESER")})}
    assert results["SDTM-CT"].outcome is Outcome.FAILED
    assert results["SDTM-CT"].findings == ()
    assert results["SDTM-CT"].reason == "2 already reported where the data was mapped"


def test_one_finding_for_each_record_of_a_wide_table(specs: Specs) -> None:
    """A hundred duplicates in a table of 22 columns are a hundred findings."""
    data = ae(AESEQ=[1] * 100, AETERM="Headache", AEDECOD="HEADACHE", AESTDTC="2024-03")
    assert len(check(data, specs)["SDTM-SEQ"].findings) == 100


def test_a_check_that_breaks_is_not_evaluated(specs: Specs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that crashed is neither passed nor failed, and the others go on."""

    def broken(cells: pd.Series) -> pd.Series:
        raise ZeroDivisionError(f"broke on {cells.name}")

    monkeypatch.setattr(checks, "_ascii", broken)
    results = check(ae(AESER=["No", "N"]), specs)
    assert results["SDTM-NON-ASCII"].outcome is Outcome.NOT_EVALUATED
    assert "ZeroDivisionError" in results["SDTM-NON-ASCII"].reason
    assert failures(results) == ["SDTM-CT"]


def test_the_environment_cannot_switch_the_checks_off(specs: Specs) -> None:
    """Pandera can be disabled from outside (PANDERA_VALIDATION_ENABLED); our checks cannot."""
    with config_context(validation_enabled=False):
        assert failures(check(ae(AESER=["No", "N"]), specs)) == ["SDTM-CT"]


def test_the_schema_carries_the_rules_ids(specs: Specs) -> None:
    """A generated schema can be used with pandera alone: every check's error is a rule of the catalogue."""
    schema = make_schema(specs.datasets["AE"], specs)
    every = [*schema.checks, *(check for column in schema.columns.values() for check in column.checks)]
    assert len(schema.columns) == 60
    assert {check.error for check in every} <= set(RULES)
    assert len({check.name for check in every}) == len(every)
    schema.validate(ae(), lazy=True)
