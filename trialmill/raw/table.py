"""Make the raw table from what a reader read: header rules, end mark, origin columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding, Severity
from trialmill.raw.source import CUT_OFF, HEADER, NO_ROWS, RawError, TableSource, list_names, suggest_names

Rows = npt.NDArray[np.int64]


def check_header(names: Sequence[str], *, file: str, line: int) -> tuple[list[str], list[Finding]]:
    """
    Return the column names without blanks around them, and a note when there were any.

    Raises RawError when a name is blank or stands twice: a mapping could not say which column it means.
    """
    clean = [name.strip() for name in names]
    blank = [str(number) for number, name in enumerate(clean, start=1) if not name]
    if blank:
        reason = f"the header has {len(names)} cells and no name in cell {', '.join(blank[:12])}"
        cure = "name the header's row with `header:`, or have the column named"
        raise RawError(reason, file=file, line=line, cure=cure, rule=HEADER)
    twice = [name for name, count in Counter(clean).items() if count > 1]
    if twice:
        reason = f"the header names {list_names(twice)} more than once"
        raise RawError(reason, file=file, line=line, cure="have the columns named apart", rule=HEADER)
    padded = [name for name, kept in zip(names, clean, strict=True) if name != kept]
    message = f"blanks around the column names {list_names(padded)} are ignored"
    note = Finding(HEADER, Severity.NOTE, message, values=tuple(padded), file=file, row=line)
    return clean, [note] if padded else []


def make_table(
    source: TableSource, frame: pd.DataFrame, *, rows: Rows, file: str, facts: Mapping[str, str]
) -> tuple[RawTable, list[Finding]]:
    """
    Join a text frame and the *rows* it stands in (as a person counts) to the raw table.

    Raises RawError when the column with the record id is not there. A table without rows is a warning.
    """
    record = _record_ids(source, frame, file)
    origin = pd.DataFrame(
        {"file": pd.Categorical([file]).take(np.zeros(len(frame), np.int8)), "row": rows, "record": record}
    )
    findings = []
    if frame.empty:
        cure = "ask the sender whether none are expected"
        findings.append(Finding(NO_ROWS, Severity.WARNING, "a header and no rows", file=file, cure=cure))
    known = {**facts, "rows": str(len(frame)), "columns": str(len(frame.columns))}
    return RawTable(source.name, frame, origin, known), findings


def _record_ids(source: TableSource, frame: pd.DataFrame, file: str) -> pd.Series[str]:
    if not source.record:
        return pd.Series("", index=frame.index, dtype="str")
    if source.record not in frame:
        cure = suggest_names(source.record, frame.columns)
        raise RawError(f"no column {source.record!r} for the record id", file=file, cure=cure)
    return frame[source.record].copy()


def drop_end_mark(source: TableSource, frame: pd.DataFrame, rows: Rows, *, file: str) -> tuple[pd.DataFrame, Rows]:
    """Take off the last row when it is the end mark that the source names; raise RawError when it is missing."""
    if not source.end:
        return frame, rows
    last = str(frame.iloc[-1, 0]) if len(frame) else ""
    if last.strip() != source.end:
        raise missing_end(source, file=file, line=int(rows[-1]) if len(rows) else None)
    return frame.iloc[:-1], rows[:-1]


def missing_end(source: TableSource, *, file: str, line: int | None) -> RawError:
    """Make the error for a table that does not end with its end mark."""
    reason = f"cut off: the last row does not begin with the end mark {source.end!r}"
    return RawError(reason, file=file, line=line, cure="fetch the file again", rule=CUT_OFF)


def text_frame(columns: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Make a frame of dtype ``str`` from columns of texts."""
    return pd.DataFrame({name: pd.Series(texts, dtype="str") for name, texts in columns.items()})
