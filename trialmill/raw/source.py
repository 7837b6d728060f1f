"""What study.yaml says about one raw table, the bytes received for it, and the one error of the readers."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trialmill.faults import CallError

UNREADABLE = "RAW-UNREADABLE"
CUT_OFF = "RAW-CUT-OFF"
RAGGED = "RAW-RAGGED"
NO_ROWS = "RAW-NO-ROWS"
HEADER = "RAW-HEADER"
ENCODING = "RAW-ENCODING"
CELL_ERROR = "RAW-CELL-ERROR"
MERGED = "RAW-MERGED-CELL"


@dataclass(frozen=True)
class TableSource:
    """
    How study.yaml says to read one raw table.

    ``name``: the table's name in mappings. ``file``: path below the transfer's folder, ``archive.zip!inner/AE.csv``
    for a file in a zip (``archive.zip`` alone when it holds one file); ``*`` and ``?`` may stand for what changes
    with every transfer and must fit exactly one file. ``sheet``: XLSX sheet, ``member``: data set of an XPT file,
    form or group of items of an ODM-XML file (each may be left out when there is only one). ``header``: the header's
    row as a person counts. ``encoding`` and ``delimiter`` (``tab`` may be written out): empty to detect. ``record``:
    the column with the EDC's record id.
    ``end``: text in the first cell of the last row that says the file is complete; where it is missing, the file is
    cut off.
    """

    name: str
    file: str
    sheet: str = ""
    header: int = 1
    member: str = ""
    encoding: str = ""
    delimiter: str = ""
    record: str = ""
    end: str = ""


@dataclass(frozen=True)
class RawFile:
    """One file as received: the name a person knows it by, its bytes, and its path unless it lay in an archive."""

    shown: str
    content: bytes
    path: Path | None = None

    @property
    def suffix(self) -> str:
        """The ending that chooses the reader, in lower case with its dot."""
        return Path(self.shown).suffix.lower()


class RawError(CallError):
    """A raw table that cannot be trusted: one line saying where, what is wrong and what to do."""

    def __init__(
        self, reason: str, *, file: str = "", line: int | None = None, cure: str = "", rule: str = UNREADABLE
    ) -> None:
        self.reason, self.file, self.line, self.cure, self.rule = reason, file, line, cure, rule
        place = f"{file}:{line}" if line is not None else file
        super().__init__((f"{place}: " if place else "") + reason + (f" - {cure}" if cure else ""))


def describe_file(file: RawFile, **facts: str | int) -> dict[str, str]:
    """Gather the facts for the receipt: the file's name, size and sha256, and what the reader found out."""
    digest = hashlib.sha256(file.content).hexdigest()
    known = {"file": file.shown, "bytes": len(file.content), "sha256": digest, **facts}
    return {name: str(value) for name, value in known.items()}


def suggest_names(wanted: str, known: Iterable[str]) -> str:
    """Say which known names look like the wanted one; otherwise list what there is."""
    names = sorted(set(known))
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), by_lower, n=3, cutoff=0.7)
    if near:
        return "did you mean " + " or ".join(repr(by_lower[name]) for name in near) + "?"
    return f"there is {list_names(names)}" if names else "there is none"


def list_names(names: Iterable[str], *, most: int = 12) -> str:
    """List names in the order given, the first dozen in full."""
    shown = [repr(name) for name in names]
    rest = len(shown) - most
    return ", ".join(shown[:most]) + (f" and {rest} more" if rest > 0 else "")
