"""A new study is whole or not there, and never written over what somebody has."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialmill.faults import CallError
from trialmill.lint import lint_study
from trialmill.skeleton import NEW_STUDY, make_study


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["study", "deep/below/study"])
def test_new_study_has_all_files(name: str, tmp_path: Path) -> None:
    """The folder and those above it are made; nothing else stays behind."""
    make_study(tmp_path / name)
    assert _files(tmp_path / name) == _files(NEW_STUDY)
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == ["study"]


def test_new_study_lints_clean(tmp_path: Path) -> None:
    """Its mappings compile, fit its raw files, and their examples come out."""
    make_study(tmp_path / "study")
    said: list[str] = []
    assert lint_study(tmp_path / "study", raw=None, say=said.append) == []
    assert "compiled and linked" in said[0]


def test_every_domain_of_the_new_study_shows_an_example() -> None:
    """A newcomer sees examples in each mapping."""
    for name in ("dm", "ae", "ex"):
        assert "\nexamples:" in (NEW_STUDY / f"{name}.yaml").read_text()


def test_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``trialmill new .`` in an empty folder: the folder a shell stands in is kept."""
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    make_study(Path())
    assert tmp_path.stat().st_ino == before
    assert _files(tmp_path) == _files(NEW_STUDY)


def test_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    """One line, and nothing is touched."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CallError, match=r"^.*: this folder is not empty; give the name of a new folder$"):
        make_study(tmp_path)
    assert _files(tmp_path) == {"mine.txt": b"mine"}


def test_file_is_refused(tmp_path: Path) -> None:
    """A file of that name is left alone."""
    (tmp_path / "study").write_text("mine")
    with pytest.raises(CallError, match="this is a file"):
        make_study(tmp_path / "study")


def test_nothing_is_left_when_a_file_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk half way leaves no half of a study."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        make_study(tmp_path / "study")
    assert list(tmp_path.iterdir()) == []
