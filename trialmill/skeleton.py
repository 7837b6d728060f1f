"""Make a new study: a copy of ``trialmill/new_study``, which runs as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trialmill.faults import CallError
from trialmill.study import STUDY_FILE
from trialmill.write import fresh_folder, put_in_place

NEW_STUDY = Path(__file__).parent / "new_study"


def make_study(folder: Path) -> None:
    """Make a small invented study in *folder*, which must not be there yet or be empty; else CallError."""
    place_study(folder, lambda target: _copy(NEW_STUDY, target))


def place_study(folder: Path, write: Callable[[Path], None]) -> None:
    """
    Make a new study in *folder*, which must not be there yet or be empty (else CallError), as *write* fills one.

    The files are written beside and then moved in, study.yaml last: a folder with a study.yaml is whole.
    """
    target = folder.absolute()
    if target.exists() and not target.is_dir():
        raise CallError(f"{folder}: this is a file; give the name of a new folder")
    if target.is_dir() and any(target.iterdir()):
        raise CallError(f"{folder}: this folder is not empty; give the name of a new folder")
    with fresh_folder(target.parent) as fresh:
        write(fresh / "study")
        if not target.is_dir():
            put_in_place(fresh / "study", target)
            return
        # An empty folder stays the folder it is: somebody's shell may stand in it.
        for path in sorted((fresh / "study").iterdir(), key=lambda path: path.name == STUDY_FILE):
            put_in_place(path, target / path.name)


def _copy(source: Path, target: Path) -> None:
    """Copy the content of files only: an installed package may be read-only, a study may not."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
