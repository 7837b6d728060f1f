"""A first draft of a study from raw files: what is sure runs, all else is a comment, and the whole lints."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from sdtm.coverage import check_coverage
from specs.yamlfile import read_yaml
from trialmill.cdash_facts import find_form_domains, find_targets, name_column
from trialmill.cli import main
from trialmill.lint import lint_study
from trialmill.run import read_tables
from trialmill.study import read_study

DM = """
    STUDYID,SUBJID,SITEID,SEX,COUNTRY,BRTHDAT,RACE,HOBBY
    ABC,01-001,01,F,TWN,02 JAN 1960,1,golf
    ABC,01-002,01,M,TWN,UN FEB 1971,2,chess
"""
AE = """
    Subject,DataPageName,RecordId,AETERM,AETERM_PT,AESTDAT_RAW,AESTDAT_INT,AESTTIM,AESER,AESER_STD,AEACN,AEONGO
    01-001,Adverse Events,1,rash,Rash,02 JAN 2019,2019-01-02,08:30,No,N,1,N
    01-001,Adverse Events,2,cold,Cold,UN JAN 2019,,,Yes,Y,2,Y
    01-002,Adverse Events,3,,,,,,,,,
"""
VITALS = """
    PATNO,VISIT,VSDAT,SBP,PULSE,WEIGHTKG,COMMENT
    01-001,WEEK 1,2019-01-02,120,70,60.5,none
    01-002,WEEK 1,2019-01-03,118,,71.0,tired
"""


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes raw files, makes a draft of them by the command, and gives its folder."""

    def make(**files: str) -> Path:
        raw = tmp_path / "raw"
        raw.mkdir()
        for name, text in files.items():
            (raw / f"{name}.csv").write_text(dedent(text).lstrip(), encoding="utf-8")
        result = CliRunner().invoke(main, ["new", str(tmp_path / "study"), "--raw", str(raw)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        (tmp_path / "said.txt").write_text(result.output)
        return tmp_path / "study"

    return make


def rules(folder: Path, domain: str) -> dict[str, object]:
    """Return the rules under ``variables:`` of a domain's file."""
    content = read_yaml(folder / f"{domain.lower()}.yaml").content
    found: dict[str, object] = content["variables"]
    return found


def faults(folder: Path, *, raw: Path | None = None) -> list[str]:
    """Lint a study."""
    return [str(fault) for fault in lint_study(folder, raw=raw, say=lambda _: None)]


def test_a_draft_lints_and_accounts_for_every_column(draft: Callable[..., Path]) -> None:
    """Every column is mapped, a column of the EDC, or not looked at yet; nothing is left unsaid."""
    folder = draft(DM=DM, AE=AE, VS=VITALS)
    assert faults(folder) == []
    study = read_study(folder)
    tables, _ = read_tables(study)
    listed = {name: item.not_submitted for name, item in study.tables.items()}
    assert check_coverage(study.mapping, tables=tables, not_submitted=listed) == []
    assert listed["dm"]["HOBBY"] == "not looked at yet"
    assert listed["ae"]["AESTDAT_INT"] == "the EDC's reading of AESTDAT_RAW, which is mapped"
    assert listed["ae"]["RecordId"] == "the EDC's record, kept in the lineage"


def test_names_and_values_that_agree_become_rules(draft: Callable[..., Path]) -> None:
    """CDASH dates, the dictionary's columns beside a term, the code of an answer where it is a term."""
    folder = draft(DM=DM, AE=AE)
    assert rules(folder, "AE") == {
        "USUBJID": {"subject": "Subject"},
        "AETERM": {"assign": "AETERM"},
        "AEDECOD": {"assign": "AETERM_PT"},
        "AESTDTC": {"iso8601": {"date": "AESTDAT_RAW", "format": "dd_mmm_yyyy", "time": "AESTTIM"}},
        "AESER": {"assign_ct": "AESER_STD"},
    }
    content = read_yaml(folder / "ae.yaml").content
    assert content["where"] == "AETERM is not missing and AETERM_PT is not missing"
    assert rules(folder, "DM")["SITEID"] == {"assign": "SITEID"}


def test_the_study_is_described_by_its_files(draft: Callable[..., Path]) -> None:
    """Name, tables with their record's column, date formats with the words for unknown parts, subjects, cut-off."""
    content = read_yaml(draft(DM=DM, AE=AE, VS=VITALS) / "study.yaml").content
    assert content["study"] == "ABC"
    assert content["raw"] == "../raw"
    assert content["transfers"] == {"raw": {"cutoff": "2019-01-03"}}
    assert content["tables"]["ae"]["record"] == "RecordId"
    assert content["dates"] == {
        "dd_mmm_yyyy": {"format": "dd MMM yyyy", "unknown": ["UN"]},
        "yyyy_mm_dd": {"format": "yyyy-MM-dd"},
    }
    assert content["subjects"] == {"table": "dm", "id": "SUBJID", "usubjid": "concat('ABC-', id)"}


def test_columns_named_after_tests_become_rows(draft: Callable[..., Path]) -> None:
    """Systolic pressure, pulse and weight, each a record; the unit is stated where the column's name says it."""
    folder = draft(DM=DM, VS=VITALS)
    content = read_yaml(folder / "vs.yaml").content
    assert content["long"] == [
        {"columns": {"result": "SBP"}, "values": {"test": "SYSBP"}},
        {"columns": {"result": "PULSE"}, "values": {"test": "PULSE"}},
        {"columns": {"result": "WEIGHTKG"}, "values": {"test": "WEIGHT", "stated": "kg"}},
    ]
    assert content["where"] == "result is not missing"
    assert content["variables"]["VSTESTCD"] == {"assign": "test"}
    assert content["derived"] == {"VSTEST": {"decode": "VSTESTCD"}}


def test_what_is_not_sure_is_a_comment_with_the_columns_profile(draft: Callable[..., Path]) -> None:
    """A code that is no term, a flag whose reference is a choice, a column that nothing speaks for."""
    folder = draft(DM=DM, AE=AE)
    shown = [line.strip() for line in (folder / "ae.yaml").read_text().splitlines() if line.strip().startswith("#")]
    assert '# AEACN: {assign_ct: {column: AEACN, map: {"1": "?", "2": "?"}}}   # name of the variable; 2 value(s) are no terms of ACN' in shown  # fmt: skip
    assert "#     AEACN - 67% filled (2 of 3), 2 distinct, number: 1 | 2" in shown
    assert """# AEENRTPT: {case: [{when: "AEONGO = 'Y'", then: "'ONGOING'"}]}   # CDASHIG: ongoing at the end of data collection""" in shown  # fmt: skip
    hobby = [line for line in (folder / "dm.yaml").read_text().splitlines() if "HOBBY" in line]
    assert hobby == ["  #   HOBBY - 100% filled (2 of 2), 2 distinct, text: golf | chess"]


def test_a_domain_that_lacks_a_required_variable_is_a_comment(draft: Callable[..., Path], tmp_path: Path) -> None:
    """No column says the country; with a rule for it and the # taken away the file compiles."""
    folder = draft(DM=DM.replace("COUNTRY", "LAND"), AE=AE)
    assert faults(folder) == []
    lines = (folder / "dm.yaml").read_text().splitlines()
    assert lines[0] == "# dm is not mapped yet: COUNTRY required, and nothing sure to fill it with."
    assert all(line.startswith("#") for line in lines)
    assert "dm.yaml is a comment: required: COUNTRY" in (tmp_path / "said.txt").read_text()
    shown = "\n".join(line.removeprefix("# ") for line in lines[1:])
    added = shown.replace("variables:\n", "variables:\n  COUNTRY: {constant: TWN}\n")
    (folder / "dm.yaml").write_text(f"{added}\n")
    assert faults(folder) == []
    assert "DM" in read_study(folder).mapping.domains


def test_subjects_that_the_subjects_table_does_not_know_are_not_mapped(draft: Callable[..., Path]) -> None:
    """Another system writes 01001 for 01-001: a person has to say so."""
    folder = draft(DM=DM, VS=VITALS.replace("01-00", "0100"))
    text = (folder / "vs.yaml").read_text()
    assert text.startswith("# vs is not mapped yet: USUBJID required")
    assert "USUBJID: {subject: PATNO}   # column of the subject; 2 of 2 numbers are not in dm" in text


def test_month_or_day_first_is_taken_from_the_other_columns(draft: Callable[..., Path]) -> None:
    """01/02/2019 alone is open; 12/31/2018 in another column of the study decides."""
    table = "SUBJID,AETERM,AEDECOD,AESTDAT,AEENDAT\n01-001,rash,Rash,01/02/2019,12/31/2018\n"
    decided = rules(draft(DM=DM, AE=table), "AE")
    assert decided["AESTDTC"] == {"iso8601": {"date": "AESTDAT", "format": "mm_dd_yyyy"}}


def test_month_or_day_first_stays_open_where_nothing_tells(draft: Callable[..., Path]) -> None:
    """The date is then a comment."""
    folder = draft(DM=DM, AE="SUBJID,AETERM,AEDECOD,AESTDAT\n01-001,rash,Rash,01/02/2019\n")
    assert "AESTDTC" not in rules(folder, "AE")
    assert "MM/dd/yyyy or dd/MM/yyyy?" in (folder / "ae.yaml").read_text()


def test_the_profile_lies_beside_the_draft(draft: Callable[..., Path]) -> None:
    """One line per column with its profile, and what is proposed for it, sure or not, and why."""
    folder = draft(DM=DM, AE=AE)
    with (folder / "profile.csv").open(encoding="utf-8-sig", newline="") as stream:
        lines = {(row["file"], row["column"]): row for row in csv.DictReader(stream)}
    assert len(lines) == 8 + 12
    said = lines["AE.csv", "AESER_STD"]
    assert [said[name] for name in ("filled", "distinct", "kind", "examples", "variable", "rule", "sure")] == [
        "2", "2", "text", "N | Y", "AESER", "{assign_ct: AESER_STD}", "yes",
    ]  # fmt: skip
    assert lines["DM.csv", "HOBBY"]["basis"] == "not looked at yet"


def test_the_same_files_give_the_same_draft(draft: Callable[..., Path], tmp_path: Path) -> None:
    """Twice the same bytes."""
    folder = draft(DM=DM, AE=AE, VS=VITALS)
    again = tmp_path / "again"
    CliRunner().invoke(main, ["new", str(again), "--raw", str(tmp_path / "raw")], catch_exceptions=False)
    for path in sorted(folder.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_names_that_yaml_would_misread_are_quoted(draft: Callable[..., Path]) -> None:
    """Columns called NO, yes: or # 1 come back as they are."""
    folder = draft(DM=DM, AE='Subject,AETERM,AEDECOD,NO,"yes: no",# 1,012\n01-001,rash,Rash,1,2,3,4\n')
    assert faults(folder) == []
    listed = read_yaml(folder / "study.yaml").content["tables"]["ae"]["not_submitted"]
    assert list(listed) == ["NO", "yes: no", "# 1", "012"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("nowhere", "nowhere: no such folder; give the folder with the raw files"),
        ("empty", "there is no raw table here"),
    ],
)
def test_a_folder_without_raw_files_is_one_line(raw: str, said: str, tmp_path: Path) -> None:
    """Nothing is written."""
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(main, ["new", str(tmp_path / "study"), "--raw", str(tmp_path / raw)])
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("column", "stem", "part"),
    [("AESTDAT_RAW", "AESTDAT", "entered"), ("AESER_STD", "AESER", "code"), ("IT.AETERM", "AETERM", "item"), ("_STD", "_STD", "")],
)  # fmt: skip
def test_column_names_are_taken_apart(column: str, stem: str, part: str) -> None:
    """What an EDC puts before and behind a name says what the column is."""
    named = name_column(column)
    assert (named.stem, named.part) == (stem, part)


def test_conventions_say_what_a_name_stands_for() -> None:
    """A start date; the system organ class, which is two variables; an end time, which belongs to the end date."""
    assert [target[:2] for target in find_targets("CMSTDAT", prefix="CM")] == [("CMSTDTC", "date")]
    assert [target[:2] for target in find_targets("AETERM_SOC", prefix="AE")] == [
        ("AESOC", "value"),
        ("AEBODSYS", "value"),
    ]
    assert [target[:2] for target in find_targets("EXENTIM", prefix="EX")] == [("EXENDTC", "time")]
    assert find_form_domains("Prior Cancer Surgery")[0] == "PR"


RUNNING = {
    "oracles/lzzt/raw": {"AE", "CM", "DM", "EX", "MH", "VS"},
    "oracles/pharmaverse/raw": {"AE", "VS"},
    "studies/leader/transfers/2020-01-06": {"AE", "CM", "EG", "MH"},
}


@pytest.mark.parametrize("folder", sorted(RUNNING))
def test_drafts_of_real_exports_lint(folder: str, tmp_path: Path, shared: Callable[[str], Path]) -> None:
    """Three exports of three EDCs: each draft lints and has rules for the domains that its columns speak for."""
    raw = shared(folder)
    result = CliRunner().invoke(main, ["new", str(tmp_path / "study"), "--raw", str(raw)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert faults(tmp_path / "study", raw=raw) == []
    assert set(read_study(tmp_path / "study").mapping.domains) == RUNNING[folder]
