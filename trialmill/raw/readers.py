"""The one table of readers, and the reading of one raw table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sdtm.rawtable import RawTable
from specs.findings import Finding
from trialmill.raw.delimited import read_delimited
from trialmill.raw.excel import read_excel
from trialmill.raw.odm import read_odm
from trialmill.raw.received import receive_file
from trialmill.raw.sas import read_sas7bdat, read_transport
from trialmill.raw.source import RawError, RawFile, TableSource, list_names

Reader = Callable[[TableSource, RawFile], tuple[RawTable, list[Finding]]]

# The one place that says which ending is read by what.
READERS: dict[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_delimited,
    ".xlsx": read_excel,
    ".xlsm": read_excel,
    ".sas7bdat": read_sas7bdat,
    ".xpt": read_transport,
    ".xml": read_odm,
}


def read_table(source: TableSource, *, folder: Path) -> tuple[RawTable, list[Finding]]:
    """
    Read the raw table that *source* names from a transfer's *folder*.

    Returns the table (every column text as written, with file, row and record id) and the findings. Raises RawError,
    one line naming file, line and cure, when the file is not there or its content cannot be trusted.
    """
    file = receive_file(source, folder=folder)
    reader = READERS.get(file.suffix)
    if reader is None:
        cure = f"files that can be read end in {list_names(READERS)}"
        raise RawError(f"no reader for {file.suffix or 'a file without an ending'}", file=file.shown, cure=cure)
    if not file.content:
        raise RawError("is empty (0 bytes)", file=file.shown, cure="fetch the file again")
    return reader(source, file)
