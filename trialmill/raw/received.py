"""Find the file that a table's source names in the transfer's folder, or in a zip archive there."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from trialmill.raw.source import RawError, RawFile, TableSource, list_names, suggest_names
from trialmill.raw.zipped import read_member

WILDCARDS = re.compile(r"[*?]")


def receive_file(source: TableSource, *, folder: Path) -> RawFile:
    """
    Return the bytes that *source* names below *folder*.

    Raises RawError for a missing folder or file (with near names), a name that leads out of the folder, a pattern
    that fits several files, and an archive that cannot be opened.
    """
    if not folder.is_dir():
        raise RawError("no such folder", file=str(folder), cure="give the folder of the transfer with --raw")
    outer, _, inner = split_member(source.file)
    path = find_file(outer, folder=folder)
    shown = path.relative_to(folder).as_posix()
    if path.suffix.lower() == ".zip":
        return read_member(path, inner, shown=shown)
    return RawFile(shown, _read_bytes(path, shown), path)


def split_member(name: str) -> tuple[str, str, str]:
    """Split ``archive.zip!inner/AE.csv`` at the mark that follows the archive; other names stay whole."""
    match = re.match(r"(.+?\.zip)(!)(.*)\Z", name, flags=re.IGNORECASE | re.DOTALL)
    return (match[1], match[2], match[3]) if match else (name, "", "")


def find_file(name: str, *, folder: Path) -> Path:
    """Return the one file below *folder* that *name* (or its pattern) stands for, or raise RawError."""
    matches = find_files(name, folder=folder)
    if not matches:
        raise RawError(f"no such file in {folder}", file=name, cure=suggest_names(name, _files_below(folder)))
    if len(matches) > 1:
        found = list_names(match.relative_to(folder).as_posix() for match in matches)
        raise RawError(f"fits {len(matches)} files: {found}", file=name, cure="write the name so that it fits one")
    if not matches[0].resolve().is_relative_to(folder.resolve()):
        raise RawError("leads out of the transfer's folder", file=name, cure="copy the file into the folder")
    return matches[0]


def find_files(name: str, *, folder: Path) -> list[Path]:
    """
    Return the files below *folder* that a table's ``file`` stands for: one, none, or several for a pattern.

    Of ``archive.zip!member`` it is the archive. Raises RawError for a name that leads out of the folder.
    """
    outer = split_member(name)[0]
    _refuse_outside(outer)
    exact = folder / outer
    return [exact] if exact.is_file() else _glob(outer, folder)


def _refuse_outside(name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if not name.strip():
        raise RawError("a table without a file name", cure="give `file:` in study.yaml")
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
        raise RawError("leads out of the transfer's folder", file=name, cure="name a file inside the folder")


def _glob(name: str, folder: Path) -> list[Path]:
    if not WILDCARDS.search(name):
        return []
    # [ and ] occur in real file names and are meant as they stand
    pattern = name.replace("[", "[[]")
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _files_below(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _read_bytes(path: Path, shown: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RawError(f"cannot be read: {error.strerror}", file=shown, cure="check the file's permissions") from None
