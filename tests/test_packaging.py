"""The wheel holds what it must and nothing else, and runs in a clean environment far from the checkout."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pyreadstat
import pytest

PACKAGES = {"adam", "define_xml", "sdtm", "specs", "trialmill"}
# One file of each kind that is no Python code.
DATA_FILES = (
    "sdtm/expressions/grammar.lark",
    "specs/py.typed",
    "specs/ct/sdtm-2025-03-28.csv",
    "specs/sdtmig-3.4/variables.csv",
    "specs/units/units.csv",
    "trialmill/cdash/variables.csv",
    "trialmill/new_study/README.md",
    "trialmill/new_study/study.yaml",
    "trialmill/new_study/raw/first/DM.csv",
)


def build_wheel(project: Path, folder: Path) -> Path:
    """Build the wheel into *folder*; hatchling is in this environment, so nothing is fetched."""
    _run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project)], folder)
    (wheel,) = folder.glob("trialmill-*.whl")
    return wheel


def _run(command: list[str], folder: Path) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_content_of_the_wheel(project: Path, tmp_path: Path) -> None:
    """Our five packages with their data; no study, no test, no bench."""
    with zipfile.ZipFile(build_wheel(project, tmp_path)) as wheel:
        names = wheel.namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES
    assert len(top) == len(PACKAGES) + 1
    assert [name for name in DATA_FILES if name not in names] == []
    assert [name for name in names if name.startswith("specs/") and name.endswith((".yaml", ".yml"))] == []
    assert [name for name in names if "__pycache__" in name or "/out/" in name] == []


@pytest.fixture(scope="module")
def installed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A clean environment with our wheel; returns its folder of programs.

    The libraries are those of this environment, seen through a .pth file: its folder comes after the new one's, and
    .pth files within it (our editable install) are not followed.
    """
    folder = tmp_path_factory.mktemp("clean")
    wheel = build_wheel(project, folder)
    environment = folder / "environment"
    _run([sys.executable, "-m", "venv", "--without-pip", str(environment)], folder)
    programs = environment / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], folder)
    (packages,) = environment.glob("lib/python*/site-packages")
    libraries = "\n".join(site.getsitepackages())
    (packages / "libraries.pth").write_text(libraries + "\n")
    return programs


def test_wheel_runs_far_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """New study, lint, SDTM, version, doctor: each exits 0, and the XPT files can be read."""
    where = "import sdtm, specs, adam, trialmill.cli; print(sdtm.__file__, specs.__file__, adam.__file__)"
    for path in _run([str(installed / "python"), "-c", where], tmp_path).split():
        assert Path(path).is_relative_to(installed.parent)
    trialmill = str(installed / "trialmill")
    assert _run([trialmill, "--version"], tmp_path).startswith("trialmill, version ")
    _run([trialmill, "new", "demo"], tmp_path)
    assert "compiled and linked" in _run([trialmill, "lint", "demo"], tmp_path)
    assert "0 error(s), 0 warning(s), 0 note(s)" in _run([trialmill, "sdtm", "demo"], tmp_path)
    assert str(installed.parent) in _run([trialmill, "doctor"], tmp_path)
    records = {
        path.stem: len(pyreadstat.read_xport(str(path))[0]) for path in (tmp_path / "demo/out/sdtm").glob("*.xpt")
    }
    assert records == {"ae": 3, "dm": 4, "ex": 4, "suppae": 2}
