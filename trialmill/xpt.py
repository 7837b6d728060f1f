"""
Read and write SAS transport files (XPT): version 5 both ways, version 8 for reading.

``check_xpt`` finds what the format cannot hold, ``write_xpt`` writes only what it can, ``read_xpt`` reads every
dataset of a file with its labels, lengths, formats and special missing values. What no file of version 5 says is how
many rows it has: rows of blanks alone at the very end of a dataset of short text rows are taken for padding, as SAS
takes them, and ``check_xpt`` reports them before they are written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from specs.findings import Finding, Severity
from trialmill.xpt_check import check_xpt, count_blank_end, encode_text, number_column, special_letters, text_column
from trialmill.xpt_layout import (
    LONG_NAME,
    NAMESTR_HEAD,
    RECORD,
    XptDataset,
    XptVariable,
    join_format,
    library_header,
    member_header,
    parse_stamp,
    require_encoding,
    require_stamp,
)
from trialmill.xpt_numbers import convert_ibm_to_ieee, convert_ieee_to_ibm

__all__ = ["XptDataset", "XptReadError", "XptVariable", "check_xpt", "read_xpt", "write_xpt"]

WRITE_BYTES = 8 << 20  # of rows at a time: all that writing needs beside the data
READ_BYTES = 32 << 20  # and reading; columns keep these pieces, joining them would cost more than reading them

_LIBRARY = {b"LIBRARY ": "5", b"LIBV8   ": "8"}
_MEMBER = {
    "5": b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!",
    "8": b"HEADER RECORD*******MEMBV8  HEADER RECORD!!!!!!!",
}


class XptReadError(ValueError):
    """A file cannot be read: one line that says what, where and what to do."""


class _UndecodableError(XptReadError):
    """The text is not in the encoding tried; another may fit."""


@dataclass(frozen=True)
class _Source:
    """An open file: its shown name, its size, and the encoding its text is taken for."""

    file: BinaryIO
    name: str
    size: int
    encoding: str


@dataclass(frozen=True)
class _Member:
    """A dataset's headers as read, and where its observations begin and how many they are."""

    dataset: XptDataset
    start: int
    rows: int
    row_length: int


def write_xpt(
    path: str | os.PathLike[str], datasets: Sequence[XptDataset], *, stamp: datetime, encoding: str = "ascii"
) -> list[Finding]:
    """
    Write *datasets* as one version 5 file, if ``check_xpt`` finds no error, and return what it found.

    In: the datasets, their variables in the order to be written; ``stamp``: created and modified of the library and
    of each dataset without its own, so that the same input gives the same bytes; ``encoding`` of the text. Out: the
    findings; with an error among them nothing is written and a file already there stays. The file is written beside,
    a chunk of rows at a time, synced and renamed. Raises ValueError for an unknown encoding or a stamp whose year two
    digits cannot hold, OSError where the folder cannot be written to.
    """
    for own in [stamp, *(own for dataset in datasets for own in (dataset.created, dataset.modified) if own)]:
        require_stamp(own)
    findings = check_xpt(datasets, encoding=encoding)
    if any(finding.severity == Severity.ERROR for finding in findings):
        return findings
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(library_header(stamp))
            for dataset in datasets:
                _write_member(file, dataset, stamp=stamp, encoding=encoding)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return findings


def read_xpt(path: str | os.PathLike[str], *, encoding: str = "") -> tuple[XptDataset, ...]:
    """
    Read every dataset of a transport file of version 5 or 8.

    Text comes as dtype ``str`` without its trailing blanks and NULs (the format pads with them), missing as the empty
    text; numbers as float64, missing as NaN, special missing values besides in ``special``. Without *encoding* the
    whole file is read as ASCII; where it is not that, as UTF-8; where it is not that either, as cp1252;
    ``facts["encoding"]`` says which it was. Raises XptReadError for a file that is missing, damaged, cut or of
    another format, ValueError for an unknown encoding.
    """
    candidates = [require_encoding(encoding)] if encoding else ["ascii", "utf-8", "cp1252"]
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            for candidate in candidates[:-1]:
                with suppress(_UndecodableError):
                    return _read_library(_Source(file, str(path), size, candidate))
            return _read_library(_Source(file, str(path), size, candidates[-1]))
    except OSError as error:
        raise XptReadError(f"{path}: cannot be read: {error.strerror or error}; check the path") from None


# -- writing ---------------------------------------------------------------------------------------------------------


def _write_member(file: BinaryIO, dataset: XptDataset, *, stamp: datetime, encoding: str) -> None:
    file.write(member_header(dataset, stamp=stamp, encoding=encoding))
    layout = _row_layout(dataset.variables)
    letters = {variable.name: special_letters(dataset, variable.name) for variable in dataset.variables}
    step = max(1, WRITE_BYTES // layout.itemsize)
    for start in range(0, len(dataset.data), step):
        chunk = dataset.data.iloc[start : start + step]
        rows = np.empty(len(chunk), dtype=layout)
        for variable in dataset.variables:
            tags = letters[variable.name]
            part = None if tags is None else tags[start : start + step]
            rows[variable.name] = _pack_column(chunk[variable.name], variable, letters=part, encoding=encoding)
        file.write(rows.view(np.uint8).data)
    file.write(b" " * (-len(dataset.data) * layout.itemsize % RECORD))


def _row_layout(variables: Sequence[XptVariable]) -> np.dtype[Any]:
    """One raw field a variable: copying fields moves whole values and is four times quicker than bytes."""
    return np.dtype([(variable.name, f"V{variable.length}") for variable in variables])


def _pack_column(
    column: pd.Series, variable: XptVariable, *, letters: NDArray[np.uint8] | None, encoding: str
) -> NDArray[np.void]:
    """Lay one column out as fields of the declared length; ``check_xpt`` has found it fit."""
    if variable.type == "Char":
        stored, _ = encode_text(text_column(column), encoding=encoding)
        padded = pc.ascii_rpad(stored, width=variable.length, padding=" ")
        return np.frombuffer(padded.buffers()[2], dtype=f"V{variable.length}", count=len(column))
    numbers = convert_ieee_to_ibm(cast(Any, number_column(column)), letters=letters).astype(">u8")
    head = numbers.view(np.uint8).reshape(-1, 8)[:, : variable.length]
    return np.ascontiguousarray(head).view(f"V{variable.length}").ravel()


# -- reading ---------------------------------------------------------------------------------------------------------


def _fail(source: _Source, at: int, what: str, cure: str = "ask for the file again") -> NoReturn:
    raise XptReadError(f"{source.name}: at byte {at}: {what}; {cure}")


def _take(source: _Source, at: int, count: int, what: str) -> bytes:
    """Read exactly *count* bytes at *at*."""
    if at + count > source.size:
        _fail(source, at, f"the file ends within {what}")
    source.file.seek(at)
    return source.file.read(count)


def _header(source: _Source, at: int, *names: str) -> tuple[str, bytes]:
    """Read a header record that must be one of *names*: which it is, and its 32 last bytes."""
    record = _take(source, at, RECORD, f"the {names[0]} header")
    name = record[20:28].decode("latin-1").rstrip()
    if record[:20] != b"HEADER RECORD*******" or record[28:48] != b"HEADER RECORD!!!!!!!" or name not in names:
        _fail(source, at, f"here should be the {names[0]} header")
    return name, record[48:]


def _read_library(source: _Source) -> tuple[XptDataset, ...]:
    head = _take(source, 0, min(source.size, 3 * RECORD), "the library header")
    version = _LIBRARY.get(head[20:28], "")
    if head[:20] != b"HEADER RECORD*******" or not version:
        compressed = head.startswith((b"**COMPRESSED**", b"LIB CONTROL"))
        what = f"no SAS transport file, it begins with {head[:16]!r}" if head else "the file is empty"
        what = "a PROC CPORT file" if compressed else what
        _fail(source, 0, what, "write it with the XPORT engine of SAS")
    if len(head) < 3 * RECORD:
        _fail(source, len(head), "the file ends within the library header")
    starts = _member_starts(source, _MEMBER[version])
    if starts[:1] != [3 * RECORD] and source.size > 3 * RECORD:
        _fail(source, 3 * RECORD, "here should be the header of the first dataset")
    ends = [*starts[1:], source.size]
    read = [_read_rows(source, _read_member(source, at, end, version)) for at, end in zip(starts, ends, strict=False)]
    return tuple(read)


def _member_starts(source: _Source, prefix: bytes) -> list[int]:
    """Find where each dataset begins: nothing in the file says how long one is."""
    starts: list[int] = []
    wanted = np.frombuffer(prefix, dtype=np.uint8)
    block_size = RECORD << 16
    for at in range(3 * RECORD, source.size, block_size):
        block = _take(source, at, min(block_size, source.size - at), "the datasets")
        records = np.frombuffer(block, dtype=np.uint8, count=len(block) // RECORD * RECORD).reshape(-1, RECORD)
        likely = np.flatnonzero((records[:, 0] == wanted[0]) & (records[:, 20] == wanted[20]))
        found = likely[(records[likely, : len(prefix)] == wanted).all(axis=1)]
        starts += (found * RECORD + at).tolist()
    return starts


def _read_member(source: _Source, at: int, end: int, version: str) -> _Member:
    long = version == "8"
    _, numbers = _header(source, at, "MEMBV8" if long else "MEMBER")
    entry_size = _number(source, at + 74, numbers[26:30])
    _header(source, at + RECORD, "DSCPTV8" if long else "DSCRPTR")
    real = _take(source, at + 2 * RECORD, 2 * RECORD, "the dataset's description")
    name, rest = (real[8:40], real[48:64]) if long else (real[8:16], real[24:40])
    _, numbers = _header(source, at + 4 * RECORD, "NAMSTV8" if long else "NAMESTR")
    count = _number(source, at + 4 * RECORD + 52, numbers[4:10])
    at += 5 * RECORD
    variables = _read_variables(source, at, count, entry_size, long=long)
    at += -(-count * entry_size // RECORD) * RECORD
    variables, at, stored = _read_labels(source, at, variables) if long else (variables, at, b"")
    if not long:
        _header(source, at, "OBS")
    facts = {
        "version": version,
        "encoding": source.encoding,
        "sas": _text(source, rest[:8], at),
        "os": _text(source, rest[8:], at),
    }
    dataset = XptDataset(
        name=_text(source, name, at),
        label=_text(source, real[112:152], at),
        variables=tuple(variables),
        data=pd.DataFrame(),
        created=parse_stamp(real[64:80]),
        modified=parse_stamp(real[80:96]),
        type=_text(source, real[152:160], at),
        facts=facts,
    )
    rows = _count_rows(source, at + RECORD, end, dataset, stored)
    return _Member(dataset, at + RECORD, rows, sum(variable.length for variable in variables))


def _read_variables(source: _Source, at: int, count: int, size: int, *, long: bool) -> list[XptVariable]:
    if size < NAMESTR_HEAD.size or (long and size < LONG_NAME.stop):
        _fail(source, at, f"a variable's entry of {size} bytes")
    raw = _take(source, at, count * size, "the variables")
    variables = []
    for start in range(0, len(raw), size):
        entry = raw[start : start + size]
        kind, _, length, _, name, label, shown, width, places, _, _, read, read_width, read_places = (
            NAMESTR_HEAD.unpack_from(entry)
        )
        if kind not in (1, 2) or length < 1 or (kind == 1 and not 2 <= length <= 8):
            _fail(source, at + start, f"variable {start // size + 1} has type {kind} and length {length}")
        variable = XptVariable(
            name=(long and _text(source, entry[LONG_NAME], at + start)) or _text(source, name, at + start),
            label=_text(source, label, at + start),
            type="Num" if kind == 1 else "Char",
            length=length,
            format=join_format(_text(source, shown, at + start), width, places),
            informat=join_format(_text(source, read, at + start), read_width, read_places),
        )
        variables.append(variable)
    names = {variable.name for variable in variables}
    if "" in names or len(names) < count:
        _fail(source, at, "a variable has no name, or two have the same")
    return variables


def _read_labels(source: _Source, at: int, variables: Sequence[XptVariable]) -> tuple[list[XptVariable], int, bytes]:
    """Read version 8's long labels and formats, if any, up to its last header: that one's place and row count."""
    known = {variable.name: variable for variable in variables}
    name, numbers = _header(source, at, "OBSV8", "LABELV8", "LABELV9")
    if name == "OBSV8":
        return list(variables), at, numbers[:15]
    first = at = at + RECORD
    sizes = 3 if name == "LABELV8" else 5
    for _ in range(_number(source, at - 32, numbers[:12])):
        head = np.frombuffer(_take(source, at, 2 * sizes, "a long label"), dtype=">u2").tolist()
        at += 2 * sizes
        texts = []
        for size in head[1:]:
            texts.append(_text(source, _take(source, at, size, "a long label"), at))
            at += size
        if texts[0] not in known:
            _fail(source, at, f"a long label of {texts[0]!r}, which is no variable")
        parts: dict[str, Any] = dict(zip(("label", "format", "informat"), texts[1:], strict=False))
        known[texts[0]] = replace(known[texts[0]], **{part: text for part, text in parts.items() if text})
    at = first + -(-(at - first) // RECORD) * RECORD
    _, numbers = _header(source, at, "OBSV8")
    return list(known.values()), at, numbers[:15]


def _count_rows(source: _Source, start: int, end: int, dataset: XptDataset, stored: bytes) -> int:
    """Count a dataset's rows: version 8 says it, version 5 leaves it to the size and the padding."""
    row_length = sum(variable.length for variable in dataset.variables)
    if start > end:
        _fail(source, end, "the file ends within a dataset's headers")
    if not row_length:
        return 0
    rows, rest = divmod(end - start, row_length)
    known = stored.strip() not in (b"", b"0" * 15)
    if known:
        said = _number(source, start - 32, stored)
        rows, rest = min(said, rows), end - start - said * row_length
        if rest < 0:
            _fail(source, end, f"{dataset.name!r} has {rows} whole rows and should have {said}: the file is cut")
    if rest and (rest >= RECORD or _take(source, end - rest, rest, "the padding").strip(b" ")):
        _fail(source, end - rest, f"the last row of {dataset.name!r} is cut, {rest} of {row_length} bytes are here")
    if known or row_length >= RECORD:
        return rows
    tail = min(rows, RECORD)
    raw = _take(source, start + (rows - tail) * row_length, tail * row_length, "the last rows")
    blank = (np.frombuffer(raw, dtype=np.uint8).reshape(tail, row_length) == ord(" ")).all(axis=1)
    return rows - count_blank_end(blank, row_length=row_length, rows=rows)


def _number(source: _Source, at: int, raw: bytes) -> int:
    digits = raw.decode("latin-1").strip()
    if not (digits.isascii() and digits.isdigit()):
        _fail(source, at, f"here should be a number, not {digits!r}")
    return int(digits)


def _text(source: _Source, raw: bytes, at: int) -> str:
    try:
        return raw.rstrip(b" \0").decode(source.encoding)
    except UnicodeDecodeError:
        raise _undecodable(source, at, "a name or label") from None


def _undecodable(source: _Source, at: int, what: str) -> _UndecodableError:
    encoding = source.encoding
    return _UndecodableError(
        f"{source.name}: at byte {at}: {what} is not {encoding} text; say which encoding it is in"
    )


def _read_rows(source: _Source, member: _Member) -> XptDataset:
    """Read the observations a chunk at a time into whole columns."""
    variables, layout = member.dataset.variables, _row_layout(member.dataset.variables)
    texts: dict[str, list[Any]] = {variable.name: [] for variable in variables if variable.type == "Char"}
    numbers = {variable.name: np.empty(member.rows) for variable in variables if variable.type == "Num"}
    special: dict[str, dict[int, int]] = {name: {} for name in numbers}
    step = max(1, READ_BYTES // max(1, member.row_length))
    for first in range(0, member.rows, step):
        count = min(step, member.rows - first)
        at = member.start + first * member.row_length
        rows = np.frombuffer(_take(source, at, count * member.row_length, "the rows"), dtype=layout)
        for variable in variables:
            values = np.ascontiguousarray(rows[variable.name]).view(np.uint8).reshape(count, variable.length)
            if variable.type == "Char":
                texts[variable.name].append(_unpack_text(source, values, variable, at))
            else:
                numbers[variable.name][first : first + count], letters = convert_ibm_to_ieee(values)
                special[variable.name] |= {first + row: letter for row, letter in letters.items()}
    joined: dict[str, Any] = {name: _join_text(parts) for name, parts in texts.items()} | numbers
    columns = {variable.name: joined[variable.name] for variable in variables}
    data = pd.DataFrame(columns, index=pd.RangeIndex(member.rows), copy=False)
    tagged = {name: _tags(letters) for name, letters in special.items() if letters}
    return replace(member.dataset, data=data, special=tagged)


def _tags(letters: Mapping[int, int]) -> pd.Series:
    return pd.Series([f".{chr(letter)}" for letter in letters.values()], index=list(letters), dtype="str")


def _join_text(parts: list[Any]) -> pd.Series:
    return pd.Series(pa.chunked_array(parts, type=pa.large_string()), dtype="str")


def _unpack_text(source: _Source, values: NDArray[np.uint8], variable: XptVariable, at: int) -> pa.LargeStringArray:
    """Turn fields of one length into text: the padding off, the bytes decoded."""
    ends = np.arange(0, values.size + 1, variable.length, dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(values)]
    stored = pc.ascii_rtrim(pa.Array.from_buffers(pa.large_string(), len(values), buffers), characters=" \0")
    if values.max(initial=0) < 128:
        return stored
    coded = stored.view(pa.large_binary()).dictionary_encode()
    try:
        decoded = [value.decode(source.encoding) for value in coded.dictionary.to_pylist()]
    except UnicodeDecodeError:
        raise _undecodable(source, at, f"a value of {variable.name} from here on") from None
    return pa.array(decoded, type=pa.large_string()).take(coded.indices)
