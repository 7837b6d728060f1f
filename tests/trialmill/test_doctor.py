"""The doctor names what is wrong with an installation, and by its path what stands in our place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import specs.load
from trialmill.doctor import PACKAGES, examine, find_stranger


def test_whole_installation_has_no_faults() -> None:
    """This installation is whole, and its versions, standards and XPT are said."""
    said: list[str] = []
    assert examine(say=said.append) == []
    text = "\n".join(said)
    assert f"Python {sys.version.split()[0]}" in text
    assert f"pandas {metadata.version('pandas')}" in text
    assert "sdtmig-3.4: 63 datasets" in text
    assert "sdtm-2025-03-28: " in text
    assert "XPT: written" in text


@pytest.mark.parametrize("name", ["adam", "specs"])
def test_strangers_package_is_named_with_its_path(name: str, tmp_path: Path) -> None:
    """A package of our name that stands before ours is named, and no traceback is shown."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('a stranger ran')")
    done = subprocess.run(
        [sys.executable, "-m", "trialmill.doctor"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"{name}: {tmp_path / name} is not our package" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_package_that_was_overwritten_is_named() -> None:
    """A package in our place without our mark is a stranger's."""
    home = Path(json.__file__).parent.parent
    assert find_stranger("json", home=home)[0].startswith(f"json: {home / 'json'} is not our package")


def test_package_that_is_missing_is_named() -> None:
    """A package that is not there at all is said."""
    assert find_stranger("no_such_package", home=Path("/")) == [
        "no_such_package: our package is not there - install trialmill again"
    ]


def test_every_package_has_our_mark() -> None:
    """The five packages of this checkout are ours."""
    home = Path(specs.__file__).parent.parent
    assert [fault for name in PACKAGES for fault in find_stranger(name, home=home)] == []


def test_missing_and_old_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is missing, and one that is too old, with what to do; extras are passed over."""
    needed = ["pandas>=99", "no-such-library>=1", "click", "no-such-tool; extra == 'dev'"]
    monkeypatch.setattr(metadata, "requires", lambda _: needed)
    assert examine(say=lambda _: None) == [
        f"pandas {metadata.version('pandas')} is too old - pip install 'pandas>=99'",
        "no-such-library is missing - pip install 'no-such-library>=1'",
    ]


def test_missing_standards_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without its data files is not whole."""
    monkeypatch.setattr(specs.load, "list_standards", tuple)
    assert examine(say=lambda _: None) == ["the standards are not there - install trialmill again"]
