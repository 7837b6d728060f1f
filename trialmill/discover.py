"""Find the raw tables of a folder that nobody has described yet: every file that can be read, sheet by sheet."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sdtm.rawtable import RawTable
from trialmill.faults import CallError
from trialmill.raw import READERS, RawError, TableSource, read_table

# Where the header of a spreadsheet is looked for: titles and groups of columns may stand above it.
LAST_HEADER = 12
_CHECKSUMS = frozenset(("md5", "sha1", "sha256", "sha512", "crc32", "checksum", "hash"))
_XLSX, _XPT, _ZIP = (".xlsx", ".xlsm"), (".xpt",), (".zip",)


@dataclass(frozen=True)
class Discovered:
    """What a folder holds: raw tables with how each is read, and the other files, each with the reason."""

    sources: tuple[TableSource, ...]
    tables: tuple[RawTable, ...]
    others: Mapping[str, str] = field(default_factory=dict)


def discover_tables(folder: Path) -> Discovered:
    """
    Read every file below *folder* that some reader knows; a zip archive file by file, a workbook sheet by sheet.

    A table's name comes from its file's, in small letters. Files that are no tables (no reader, notes, lists of
    files with checksums) and those that cannot be read are told with the reason. Raises CallError for a folder that
    is not there or holds no table at all.
    """
    if not folder.is_dir():
        raise CallError(f"{folder}: no such folder; give the folder with the raw files")
    found: dict[str, tuple[TableSource, RawTable]] = {}
    others: dict[str, str] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = file.relative_to(folder).as_posix()
        for source in _sources(name, file):
            table, reason = _read(source, folder=folder)
            if table is None:
                others.setdefault(source.file, reason)
                continue
            chosen = _name(source, taken=found)
            found[chosen] = (replace(table[0], name=chosen), replace(table[1], name=chosen))
            others.pop(source.file, None)
    if not found:
        raise CallError(f"{folder}: there is no raw table here; files that can be read end in {', '.join(READERS)}")
    pairs = found.values()
    return Discovered(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs), others)


def _sources(name: str, file: Path) -> Iterator[TableSource]:
    """Name every table that a file may hold."""
    suffix = file.suffix.lower()
    if suffix in _ZIP:
        yield from (TableSource("", f"{name}!{member}") for member in _members(file))
    elif suffix in _XLSX:
        yield from (TableSource("", name, sheet=sheet) for sheet in _sheets(file))
    elif suffix in _XPT:
        yield from (TableSource("", name, member=member) for member in _datasets(file))
    else:
        yield TableSource("", name)


def _members(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(item.filename for item in archive.infolist() if not item.is_dir())
            return [name for name in names if not name.startswith("__MACOSX/")]
    except zipfile.BadZipFile:
        return [""]


def _sheets(file: Path) -> list[str]:
    import python_calamine

    try:
        with python_calamine.CalamineWorkbook.from_path(str(file)) as workbook:
            return list(workbook.sheet_names) if len(workbook.sheet_names) > 1 else [""]
    except python_calamine.CalamineError:
        return [""]


def _datasets(file: Path) -> list[str]:
    from trialmill.xpt import XptReadError, read_xpt

    try:
        names = [dataset.name for dataset in read_xpt(file)]
    except (XptReadError, ValueError):
        return [""]
    return names if len(names) > 1 else [""]


def _read(source: TableSource, *, folder: Path) -> tuple[tuple[TableSource, RawTable] | None, str]:
    """Read a table, or say why it is none; a spreadsheet's header is looked for in its first rows."""
    suffix = Path(source.file).suffix.lower()
    if suffix not in READERS:
        return None, f"no reader for {suffix or 'a file without an ending'}"
    headers = range(1, LAST_HEADER + 1) if suffix in _XLSX else (1,)
    reason = ""
    for header in headers:
        tried = replace(source, header=header)
        try:
            table, _ = read_table(tried, folder=folder)
        except RawError as error:
            reason = reason or f"could not be read: {error.reason}"
            continue
        why = _say_why_no_table(table)
        if not why:
            return (_settled(tried, table), table), ""
        reason = why
        if suffix not in _XLSX:
            break
    return None, reason


def _say_why_no_table(table: RawTable) -> str:
    names = {name.strip().casefold() for name in table.columns}
    if len(names) < 2:
        return "one column only, so no table: perhaps a note for people"
    if names & _CHECKSUMS and any("file" in name for name in names):
        return "a list of the files, for the receipt"
    return ""


def _settled(source: TableSource, table: RawTable) -> TableSource:
    """Name the encoding where it is not the usual one, so that it is a person's word and no longer a guess."""
    encoding = table.facts.get("encoding", "")
    guessed = table.facts.get("format") == "delimited" and encoding.lower() not in ("", "utf-8", "ascii")
    return replace(source, encoding=encoding) if guessed else source


def _name(source: TableSource, *, taken: Mapping[str, object]) -> str:
    """Make a table's name of its file's (and sheet's or data set's): small letters, digits and underscores."""
    file = Path(source.file.rpartition("!")[2]).stem
    parts = [file, source.sheet or source.member] if source.sheet or source.member else [file]
    words = re.sub(r"[^a-z0-9]+", "_", "_".join(parts).casefold()).strip("_") or "table"
    base = words if words[0].isalpha() else f"t_{words}"
    numbered = (base, *(f"{base}_{number}" for number in range(2, len(taken) + 2)))
    return next(name for name in numbered if name not in taken)
