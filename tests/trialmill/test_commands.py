"""The command line on small studies: custom operations, terminology, waivers, calls that cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from trialmill.cli import main

CLEAN = Path(__file__).parents[2] / "trialmill" / "new_study"


@pytest.fixture
def study(tmp_path) -> Path:
    """Copy the clean study."""
    folder = tmp_path / "study"
    shutil.copytree(CLEAN, folder)
    return folder


def call(*arguments: object):
    """Call trialmill as from a shell."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def edit(path: Path, old: str, new: str) -> None:
    """Replace one text in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


CUSTOM = '''
"""What only this study does."""

from sdtm.operation import ROWS, operation
from sdtm.parameters import ColumnName
from sdtm.results import Result
from sdtm.rows import Rows


@operation(stages=ROWS, origin="Derived")
def NAME(rows: Rows, *, column: ColumnName) -> Result:
    """Spell a column backwards."""
    return Result(rows.column(column).str[::-1])
'''


def test_a_study_may_bring_an_operation_of_its_own(study):
    """custom.py is named in study.yaml and is part of the language for this run alone."""
    (study / "custom.py").write_text(CUSTOM.replace("NAME", "backwards"))
    edit(study / "study.yaml", "standard:", "custom: custom.py\nstandard:")
    edit(study / "ae.yaml", "AESPID: {assign: RecordId}", "AESPID: {backwards: RecordId}")
    assert call("sdtm", study).exit_code == 0
    from trialmill.xpt import read_xpt

    (ae,) = read_xpt(study / "out" / "sdtm" / "ae.xpt")
    assert set(ae.data["AESPID"]) <= {text[::-1] for text in ("2001", "2002", "2003", "2004", "2005")}
    from sdtm.operations import OPERATIONS

    assert "backwards" not in OPERATIONS


def test_an_operation_of_the_study_never_replaces_a_built_in_one(study):
    """The name is taken: one line says so."""
    (study / "custom.py").write_text(CUSTOM.replace("NAME", "assign"))
    edit(study / "study.yaml", "standard:", "custom: custom.py\nstandard:")
    result = call("lint", study)
    assert result.exit_code == 1
    assert "custom.py defines assign, which is a built-in operation - give it another name" in result.stderr


def test_another_terminology_is_imported_and_pinned(study, shared):
    """A release of the EVS becomes a version that study.yaml can name."""
    release = shared("standards/ct/SDTM_Terminology_2025-03-28.txt.xz")
    result = call("ct", "import", release, "--to", study, "--name", "sdtm-2025-03-28-again")
    assert result.exit_code == 0
    assert "pin it with terminology: sdtm-2025-03-28-again in study.yaml" in result.output
    edit(study / "study.yaml", "terminology: sdtm-2025-03-28", "terminology: sdtm-2025-03-28-again")
    assert call("lint", study).exit_code == 0
    assert "sdtm-2025-03-28-again" in call("ct", "list", "--to", study).output


def test_a_file_that_is_no_terminology_is_told_in_one_line(study, tmp_path):
    """What it is, where, what to do."""
    path = tmp_path / "list.csv"
    path.write_text("a,b\n1,2\n")
    result = call("ct", "import", path, "--to", study)
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert "Traceback" not in result.stderr


def test_an_accepted_finding_does_not_fail_the_run_and_stays_in_the_report(study):
    """The waiver's reason stands beside the finding."""
    edit(study / "raw" / "first" / "AE.csv", "28 FEB 2024", "31 FEB 2024")
    assert call("sdtm", study).exit_code == 1
    (study / "waivers.yaml").write_text(
        "- {rule: MAP-DATE, dataset: AE, file: AE.csv, reason: site closed, by: DM, date: 2024-07-01}\n"
    )
    result = call("sdtm", study)
    assert result.exit_code == 0
    assert "1 finding(s) accepted in waivers.yaml" in result.output
    assert "site closed (DM, 2024-07-01)" in (study / "out" / "report" / "findings.csv").read_text(
        encoding="utf-8-sig"
    )


def test_a_waiver_without_a_reason_is_a_fault(study):
    """Nothing is accepted in silence."""
    (study / "waivers.yaml").write_text("- {rule: MAP-DATE, by: DM, date: 2024-07-01}\n")
    result = call("lint", study)
    assert result.exit_code == 1
    assert "waivers.yaml:1: reason is missing here" in result.stderr


@pytest.mark.parametrize("threshold", ["warning", "error"])
def test_the_user_chooses_which_findings_fail_a_run(study, threshold):
    """A file nobody knows is a warning: it fails the run only when warnings do."""
    (study / "raw" / "first" / "LAB.csv").write_text("A\n1\n")
    result = call("sdtm", study, "--fail-on", threshold)
    assert result.exit_code == (1 if threshold == "warning" else 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("sdtm", "nowhere"), "nowhere: no such folder; a study is a folder with a study.yaml (see trialmill new)"),
        (("validate", "STUDY"), "out/sdtm: there are no XPT files to check; make them with: trialmill sdtm STUDY"),
        (
            ("sdtm", "STUDY", "--raw", "gone", "--cutoff", "2024-01-01"),
            "gone: no such folder; give the transfer's folder",
        ),
        (("sdtm", "STUDY", "--cutoff", "31.12.2024"), "'31.12.2024' is not a date - write it as YYYY-MM-DD"),
    ],
)
def test_a_call_that_cannot_be_is_told_in_one_line(study, arguments, says):
    """What, where, what to do; exit 2; no traceback."""
    result = call(*(study if argument == "STUDY" else argument for argument in arguments))
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["adam", "define", "report", "package", "run"])
def test_what_is_not_there_yet_says_so_and_fails(command):
    """No stub is called done."""
    result = call(command, "anything")
    assert result.exit_code == 2
    assert f"trialmill {command}: not there yet" in result.stderr


def test_a_run_ends_with_a_table_of_its_domains(study):
    """Domain, records, subjects, raw rows used, values refused, findings by severity."""
    edit(study / "raw" / "first" / "EX.csv", "21 APR 2024,10,QD", "21 APR 2024,ten,QD")
    lines = call("sdtm", study).output.splitlines()
    table = [line.split()[:-1] for line in lines[1:5]]
    assert lines[0].split() == [
        "domain",
        "records",
        "subjects",
        "raw",
        "rows",
        "refused",
        "errors",
        "warnings",
        "notes",
        "seconds",
    ]
    assert table[:3] == [
        ["AE+", "3", "2", "3", "0", "0", "0", "0"],
        ["DM", "4", "4", "4", "0", "0", "0", "0"],
        ["EX", "4", "3", "4", "1", "1", "0", "0"],
    ]
