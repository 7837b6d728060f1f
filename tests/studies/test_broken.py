"""
Broken studies: each file in broken/ changes the clean study in one place, and exactly one thing is said about it.

Before the broken run the clean study has run once; its outputs must still be there, untouched.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from specs.yamlfile import read_yaml
from trialmill.cli import main

FOLDER = Path(__file__).parent / "broken"
CASES = sorted(FOLDER.glob("*.yaml"))
CLEAN = Path(__file__).parents[2] / "trialmill" / "new_study"


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """Make the clean study and run it once."""
    folder = tmp_path_factory.mktemp("clean") / "study"
    shutil.copytree(CLEAN, folder)
    assert CliRunner().invoke(main, ["sdtm", str(folder)]).exit_code == 0
    return folder


def run(folder: Path, *arguments: str):
    """Run the command line as a user would, in the study's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        return CliRunner().invoke(main, ["sdtm", folder.name, *arguments], catch_exceptions=False)


def change(folder: Path, changes: dict) -> None:
    """Make the changes of a case: text replaced in a file, a file removed, added or overwritten."""
    for name, what in changes.items():
        path = folder / name
        if what == "remove":
            path.unlink()
        elif isinstance(what, str):
            path.write_text(what, encoding="utf-8")
        elif "bytes" in what:
            path.write_bytes(path.read_bytes().replace(what["from"].encode(), bytes.fromhex(what["bytes"])))
        else:
            text = path.read_text(encoding="utf-8")
            assert text.count(what["from"]) >= 1, f"{what['from']} is not in {name}"
            path.write_text(text.replace(what["from"], what["to"], 1), encoding="utf-8")


def hashes(folder: Path) -> dict[str, str]:
    """Hash every file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*"))}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_broken_study_says_exactly_one_thing(case, clean, tmp_path):
    """The message, the exit code, one finding with its place, and the earlier outputs as they were."""
    expected = read_yaml(case).content
    study = tmp_path / "study"
    shutil.copytree(clean, study)
    before = hashes(study / "out" / "sdtm")
    change(study, expected["change"])

    result = run(study)

    said = [line.strip() for line in result.stderr.splitlines()]
    assert expected["says"] in said
    assert result.exit_code == expected["exit"]
    if expected["exit"] != 0:
        assert hashes(study / "out" / "sdtm") == before
    if "finding" in expected:
        report = "rejected/report" if expected["exit"] else "report"
        text = (study / "out" / report / "findings.csv").read_text(encoding="utf-8-sig")
        (finding,) = list(csv.DictReader(io.StringIO(text)))
        wanted = {key: str(value) for key, value in expected["finding"].items()}
        assert {key: finding[key] for key in wanted} == wanted
    else:
        assert not (study / "out" / "rejected").exists()


def test_there_is_a_case_for_every_kind_of_bad_input_of_the_readme():
    """The kinds that a user will meet first are all here."""
    names = {path.stem for path in CASES}
    assert {
        "missing-file", "renamed-column", "subject-not-in-dm", "value-not-in-codelist", "impossible-date",
        "mapping-typo",
    } <= names  # fmt: skip


def test_a_failed_run_is_forgotten_when_the_next_one_is_good(clean, tmp_path):
    """The rejected outputs go when good ones take their place."""
    study = tmp_path / "study"
    shutil.copytree(clean, study)
    path = study / "raw" / "first" / "AE.csv"
    good = path.read_text()
    path.write_text(good.replace("28 FEB 2024", "31 FEB 2024"))
    assert run(study).exit_code == 1
    assert (study / "out" / "rejected" / "sdtm" / "ae.xpt").exists()
    path.write_text(good)
    assert run(study).exit_code == 0
    assert not (study / "out" / "rejected").exists()


def test_two_runs_of_the_same_input_write_the_same_bytes(clean, tmp_path):
    """Every output file is the same, byte by byte."""
    again = tmp_path / "again"
    shutil.copytree(clean, again, ignore=shutil.ignore_patterns("out"))
    assert run(again).exit_code == 0
    for folder in ("sdtm", "report", "lineage"):
        assert hashes(again / "out" / folder) == hashes(clean / "out" / folder)
    assert (again / "out" / "manifest.json").read_bytes() == (clean / "out" / "manifest.json").read_bytes()
