"""
Read SAS data: SAS7BDAT by pyreadstat, transport files (XPT v5, v8) by trialmill.xpt.

Numbers become their shortest text, dates and times ISO text by the variable's format, missing the empty text. A
special missing value stays as SAS writes it (``.A`` to ``.Z``, ``._``): it says why, and a mapping may use it. The
blanks that pad a SAS text to its length are not part of it; blanks before it are kept.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding
from trialmill.raw.source import CUT_OFF, RawError, RawFile, TableSource, describe_file, list_names, suggest_names
from trialmill.raw.table import drop_end_mark, make_table
from trialmill.raw.values import write_column
from trialmill.xpt_layout import XptDataset


def read_sas7bdat(source: TableSource, file: RawFile) -> tuple[RawTable, list[Finding]]:
    """
    Read a SAS7BDAT file; rows are numbered as SAS numbers observations.

    ``encoding`` overrides the one that the file declares. Raises RawError for a file that is damaged or cut off, or
    whose text is not in its encoding.
    """
    import pyreadstat

    try:
        data, meta = pyreadstat.read_sas7bdat(
            io.BytesIO(file.content),
            disable_datetime_conversion=True,
            user_missing=True,
            encoding=source.encoding or None,
        )
    except UnicodeDecodeError:
        cure = "name the encoding with `encoding:`, such as gb18030 or windows-1252"
        raise RawError("its text is not in the encoding it declares", file=file.shown, cure=cure) from None
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        cure = "fetch it again and compare its size with the sender's"
        raise RawError(f"is no SAS7BDAT file, damaged or cut off ({error})", file=file.shown, cure=cure) from None
    if meta.number_rows is not None and len(data) != meta.number_rows:
        reason = f"cut off: {len(data)} rows of {meta.number_rows}"
        raise RawError(reason, file=file.shown, cure="fetch the file again", rule=CUT_OFF)
    kinds, formats = meta.readstat_variable_types, meta.original_variable_types
    texts = {name: _write_sas7bdat_column(data[name], kinds[name], formats[name] or "") for name in meta.column_names}
    facts = describe_file(file, format="sas7bdat", encoding=meta.file_encoding or "", member=meta.table_name or "")
    return _make(source, texts, shown=file.shown, facts=facts, labels=meta.column_names_to_labels)


def _write_sas7bdat_column(column: pd.Series[str], kind: str, format_name: str) -> pd.Series[str]:
    """Write one column as text; pyreadstat hands special missing values as letters among the numbers."""
    if kind == "string":
        return column.astype("str").fillna("")
    if column.dtype != object:
        return write_column(column.astype("float64"), format_name=format_name)
    numbers = pd.to_numeric(column, errors="coerce")
    texts = write_column(numbers.astype("float64"), format_name=format_name)
    is_special = numbers.isna() & column.notna()
    return texts.mask(is_special, "." + column.where(is_special, "").astype("str"))


def read_transport(source: TableSource, file: RawFile) -> tuple[RawTable, list[Finding]]:
    """
    Read one data set of a transport file, the only one or the one that ``member`` names.

    Raises RawError for a damaged file, text in another encoding, and a member that is missing or not named.
    """
    from trialmill.xpt import XptReadError, read_xpt

    with _on_disk(file) as path:
        try:
            datasets = read_xpt(path, encoding=source.encoding)
        except XptReadError as error:
            raise RawError(str(error).removeprefix(f"{path}: "), file=file.shown) from None
        except ValueError as error:
            raise RawError(str(error), file=file.shown, cure="correct `encoding:`") from None
    dataset = _choose_member(source, file, datasets)
    shown = f"{file.shown}!{dataset.name}" if len(datasets) > 1 else file.shown
    facts = {**dataset.facts, **describe_file(file, format="xpt", member=dataset.name)}
    labels = {variable.name: variable.label for variable in dataset.variables}
    return _make(source, _write_dataset(dataset), shown=shown, facts=facts, labels=labels)


def _choose_member(source: TableSource, file: RawFile, datasets: Sequence[XptDataset]) -> XptDataset:
    members = {dataset.name: dataset for dataset in datasets}
    if source.member in members:
        return members[source.member]
    if source.member:
        reason = f"no data set {source.member!r}"
        raise RawError(reason, file=file.shown, cure=suggest_names(source.member, members))
    if len(members) != 1:
        reason = f"holds {len(members)} data sets: {list_names(members)}"
        raise RawError(reason, file=file.shown, cure="name one with `member:`")
    return datasets[0]


def _write_dataset(dataset: XptDataset) -> dict[str, pd.Series[str]]:
    texts: dict[str, pd.Series[str]] = {}
    for variable in dataset.variables:
        column = dataset.data[variable.name]
        if variable.type == "Char":
            texts[variable.name] = column.astype("str").fillna("")
            continue
        written = write_column(column, format_name=variable.format)
        special = dataset.special.get(variable.name)
        if special is not None:
            written.loc[special.index] = special
        texts[variable.name] = written
    return texts


@contextmanager
def _on_disk(file: RawFile) -> Iterator[Path]:
    """Give the file's path; what lay in an archive is put into a folder of its own for as long as it is read."""
    if file.path is not None:
        yield file.path
        return
    with tempfile.TemporaryDirectory(prefix="trialmill-") as folder:
        path = Path(folder) / "member.xpt"
        path.write_bytes(file.content)
        yield path


def _make(
    source: TableSource, texts: Mapping[str, pd.Series[str]], *, shown: str, facts: Mapping[str, str],
    labels: Mapping[str, str | None],
) -> tuple[RawTable, list[Finding]]:  # fmt: skip
    frame = pd.DataFrame(dict(texts))
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    frame, rows = drop_end_mark(source, frame, rows, file=shown)
    table, findings = make_table(source, frame, rows=rows, file=shown, facts=facts)
    return replace(table, labels={name: label for name, label in labels.items() if label}), findings
