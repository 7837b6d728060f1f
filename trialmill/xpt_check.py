"""
Columns as the transport format sees them, and a finding for everything it cannot hold.

Every value is looked at, a chunk of rows at a time, and one finding is made for each variable and kind of fault: with
the count and the first rows, never one a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from specs.findings import Finding, Severity
from trialmill.xpt_layout import (
    MAX_LABEL,
    MAX_NAME,
    MAX_TEXT,
    MAX_VARIABLES,
    RECORD,
    XptDataset,
    XptVariable,
    parse_format,
    require_encoding,
)
from trialmill.xpt_numbers import SPECIAL_LETTERS, find_inexact, find_out_of_range

CHUNK_ROWS = 1 << 16
SHOWN = 3  # rows and values that a finding names

Mask = NDArray[np.bool_]

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}\Z")
_EXACT = 2**53  # beyond it a double skips whole numbers


@dataclass(frozen=True)
class _Rule:
    """How a fault of values is told: {n} how many, {length} the bytes declared, {encoding} the encoding asked for."""

    text: str
    cure: str
    severity: Severity = Severity.ERROR


_RULES: Mapping[str, _Rule] = {
    "XPT-TYPE": _Rule(
        "{n} values are not {kind}", "convert the column first; a date or time goes in as text or number"
    ),
    "XPT-TEXT-200": _Rule(
        f"{{n}} values need more than {MAX_TEXT} bytes, the most that version 5 holds",
        "split the text, the rest into supplemental qualifiers or further columns",
    ),
    "XPT-TEXT-LENGTH": _Rule(
        "{n} values need more than the {length} bytes declared", "declare the longest, in bytes"
    ),
    "XPT-TEXT-ENCODING": _Rule(
        "{n} values have characters outside {encoding}",
        "replace them, or write with an encoding that the receiver reads",
    ),
    "XPT-TEXT-NUL": _Rule("{n} values contain a NUL byte, where readers end the text", "remove it"),
    "XPT-TEXT-TRAILING": _Rule(
        "{n} values end in blanks, which the format cannot tell from its padding", "strip them", Severity.WARNING
    ),
    "XPT-NUMBER-INFINITE": _Rule(
        "{n} numbers are infinite, which the format cannot hold", "make them missing, or fix"
    ),
    "XPT-NUMBER-RANGE": _Rule(
        "{n} numbers lie outside the format's magnitudes, 5.4e-79 to 7.2e75", "rescale, or fix"
    ),
    "XPT-NUMBER-LENGTH": _Rule("{n} numbers lose digits in the {length} bytes declared", "declare 8 bytes"),
    "XPT-NUMBER-PRECISION": _Rule("{n} whole numbers have more digits than a number keeps", "make the column text"),
    "XPT-SPECIAL": _Rule("{n} special missing values stand on a number or are not .A to .Z or ._", "correct special"),
}


def check_xpt(datasets: Sequence[XptDataset], *, encoding: str = "ascii") -> list[Finding]:
    """
    Find everything in *datasets* that a version 5 file cannot hold.

    In: the datasets of one file; ``encoding``: what the file's text is to be in. Out: one finding for each variable
    and kind of fault, with how many values and the first of them (rows counted from 1); errors are what the format
    cannot hold, warnings what it holds but a reader cannot tell back. Raises ValueError for an unknown encoding.
    Source of the rules: TS-140.
    """
    require_encoding(encoding)
    findings = [] if datasets else [_error("XPT-EMPTY", (), "a file needs at least one dataset", "give one")]
    for name in _repeated([dataset.name for dataset in datasets]):
        findings.append(_error("XPT-NAME-TWICE", (name,), "two datasets of the file have this name", "rename one"))
    for dataset in datasets:
        header = list(_check_header(dataset, encoding=encoding))
        findings += header
        if not any(found.rule in ("XPT-COLUMNS", "XPT-NAME-TWICE") for found in header):
            findings += _check_values(dataset, encoding=encoding)
    return findings


def text_column(column: pd.Series) -> pa.LargeStringArray | None:
    """Return a column's text as Arrow without nulls (missing is the empty text), None where it is not text."""
    plain = _without_category(column)
    if _is_time(plain.dtype):
        return None
    if plain.isna().all():
        plain = pd.Series([""] * len(plain), dtype="str")
    elif not _is_text(plain):
        return None
    text = pa.array(plain.array, type=pa.large_string(), from_pandas=True)
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    return text if text.null_count == 0 else text.fill_null("")


def number_column(column: pd.Series) -> NDArray[np.float64] | None:
    """Return a column's numbers as doubles with NaN missing, None where it is not numbers."""
    plain = _without_category(column)
    if _is_time(plain.dtype):
        return None
    if plain.isna().all():
        return np.full(len(plain), np.nan)
    return plain.to_numpy(dtype=np.float64, na_value=np.nan) if _is_numbers(plain) else None


def encode_text(text: pa.LargeStringArray, *, encoding: str) -> tuple[pa.LargeStringArray, Mask]:
    """
    Return the bytes of a text column in *encoding*, and a mask of the values it has no characters for.

    The bytes come as an Arrow array of type large_string that for cp1252 and the like is not UTF-8: use its bytes.
    """
    fine = np.zeros(len(text), dtype=bool)
    if encoding.lower() in ("utf-8", "utf8") or _bytes_of(text).max(initial=0) < 128:
        return text, fine
    coded = text.dictionary_encode()
    encoded = [_encode_value(value, encoding) for value in coded.dictionary.to_pylist()]
    bad = np.array([value is None for value in encoded], dtype=bool)
    stored = pa.array([value or b"" for value in encoded], type=pa.large_binary()).take(coded.indices)
    return stored.view(pa.large_string()), bad[coded.indices.to_numpy()]


def special_letters(dataset: XptDataset, name: str) -> NDArray[np.uint8] | None:
    """Return for each row the letter (its code) of a variable's special missing value, 0 without; None if none."""
    tags = dataset.special.get(name)
    if tags is None or tags.empty:
        return None
    letters = np.zeros(len(dataset.data), dtype=np.uint8)
    letters[dataset.data.index.get_indexer(tags.index)] = [ord(tag[-1]) for tag in tags.tolist()]
    return letters


def count_blank_end(blank: Mask, *, row_length: int, rows: int) -> int:
    """
    Count the last rows that no reader can tell from the padding of the last record.

    In: for each of the last rows whether all its bytes are blank, the last one last; the bytes of a row, and how many
    rows there are in all. Those that lie wholly in the last record of 80 bytes cannot be told: SAS, too, drops them.
    """
    size = rows * row_length
    within = (size - (size - 1) // RECORD * RECORD) // row_length if size else 0
    filled = np.flatnonzero(~blank[len(blank) - min(within, len(blank)) :])
    return min(within, len(blank)) - (int(filled[-1]) + 1 if filled.size else 0)


def _is_time(dtype: Any) -> bool:
    return pd.api.types.is_datetime64_any_dtype(dtype) or dtype.kind == "m"


def _is_text(plain: pd.Series) -> bool:
    if plain.dtype == object:
        return pd.api.types.infer_dtype(plain, skipna=True) == "string"
    return pd.api.types.is_string_dtype(plain.dtype)


def _is_numbers(plain: pd.Series) -> bool:
    if plain.dtype == object:
        return pd.api.types.infer_dtype(plain, skipna=True) in ("integer", "floating", "mixed-integer-float")
    dtype: Any = plain.dtype
    return pd.api.types.is_numeric_dtype(dtype) and dtype.kind in "iuf" and dtype.itemsize <= 8


def _without_category(column: pd.Series) -> pd.Series:
    return column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column


def _bytes_of(text: pa.LargeStringArray) -> NDArray[np.uint8]:
    ends = _ends_of(text)
    data = text.buffers()[2]
    return np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]] if data and len(text) else np.empty(0, np.uint8)


def _ends_of(text: pa.LargeStringArray) -> NDArray[np.int64]:
    if not len(text):
        return np.zeros(1, dtype=np.int64)
    return np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]


def _encode_value(value: str, encoding: str) -> bytes | None:
    try:
        return value.encode(encoding)
    except UnicodeEncodeError:
        return None


def _error(rule: str, where: tuple[str, ...], message: str, cure: str, value: str = "") -> Finding:
    """One error at *where*: (), (dataset,) or (dataset, variable)."""
    return Finding(rule, Severity.ERROR, message, "".join(where[:1]), where[1:], (value,) if value else (), cure=cure)


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _check_header(dataset: XptDataset, *, encoding: str) -> Iterator[Finding]:
    where, names = (dataset.name,), [variable.name for variable in dataset.variables]
    yield from _check_name(dataset.name, where)
    yield from _check_label(dataset.label, where, encoding)
    if len(dataset.type) > MAX_NAME or not dataset.type.isascii():
        yield _error(
            "XPT-NAME", where, "the dataset type is over 8 bytes or not ASCII", "leave it empty", dataset.type
        )
    if not 1 <= len(names) <= MAX_VARIABLES:
        message = f"it has {len(names)} variables; 1 to {MAX_VARIABLES} can be held"
        yield _error("XPT-EMPTY", where, message, "split it or leave it out")
    for name in _repeated(names):
        yield _error("XPT-NAME-TWICE", (*where, name), "two variables have this name", "rename one")
    for variable in dataset.variables:
        yield from _check_variable(variable, (dataset.name, variable.name), encoding)
    yield from _check_columns(dataset, names)


def _check_columns(dataset: XptDataset, names: Sequence[str]) -> Iterator[Finding]:
    columns = dataset.data.columns.tolist()
    if len(set(columns)) < len(columns):
        yield _error("XPT-COLUMNS", (dataset.name,), "two columns of the data have the same name", "rename one")
    for name in [name for name in names if name not in columns]:
        yield _error("XPT-COLUMNS", (dataset.name, name), "the data has no such column", "derive it or drop it")
    for name in [str(name) for name in columns if name not in names]:
        yield _error("XPT-COLUMNS", (dataset.name, name), "this column is not declared", "declare it or drop it")
    for name in [name for name in dataset.special if name not in names]:
        yield _error("XPT-SPECIAL", (dataset.name, name), "special missing values of no variable", "drop them")


def _check_variable(variable: XptVariable, where: tuple[str, ...], encoding: str) -> Iterator[Finding]:
    yield from _check_name(variable.name, where)
    yield from _check_label(variable.label, where, encoding)
    low, high = (1, MAX_TEXT) if variable.type == "Char" else (3, 8)
    if not low <= variable.length <= high:
        message = f"a {variable.type} length of {variable.length} bytes; {low} to {high} can be held"
        yield _error("XPT-LENGTH", where, message, "declare a length in that range")
    for text in dict.fromkeys((variable.format, variable.informat)):
        parsed = parse_format(text)
        if parsed is None or (parsed[0] and parsed[0].startswith("$") != (variable.type == "Char")):
            cure = "write it as SAS does: DATE9. or 8.2 for a number, $20. for text, its name 8 characters at most"
            yield _error("XPT-FORMAT", where, f"no format of a {variable.type} variable", cure, text)


def _check_name(name: str, where: tuple[str, ...]) -> Iterator[Finding]:
    if _NAME.match(name):
        return
    reason = "the name has a character other than A-Z, 0-9 and _, or begins with a digit"
    if not name:
        reason = "the name is empty"
    elif len(name) > MAX_NAME:
        reason = f"the name has {len(name)} characters; {MAX_NAME} can be held"
    elif _NAME.match(name.upper()):
        reason = "the name has lower-case letters"
    yield _error("XPT-NAME", where, reason, f"rename it: A-Z, 0-9 and _, at most {MAX_NAME}", name)


def _check_label(label: str, where: tuple[str, ...], encoding: str) -> Iterator[Finding]:
    raw = _encode_value(label, encoding)
    if raw is None:
        yield _error("XPT-LABEL", where, f"the label has characters outside {encoding}", "replace them", label)
    elif len(raw) > MAX_LABEL:
        message = f"the label has {len(raw)} bytes; {MAX_LABEL} can be held"
        yield _error("XPT-LABEL", where, message, "shorten it", label)
    elif label != label.rstrip(" ") or "\0" in label:
        yield _error("XPT-LABEL", where, "the label ends in blanks or has a NUL byte", "remove them", label)


def _check_values(dataset: XptDataset, *, encoding: str) -> Iterator[Finding]:
    for variable in dataset.variables:
        column = dataset.data[variable.name]
        hits: dict[str, list[NDArray[np.intp]]] = {}
        for start in range(0, len(column), CHUNK_ROWS):
            chunk = column.iloc[start : start + CHUNK_ROWS]
            masks = _text_masks if variable.type == "Char" else _number_masks
            for rule, mask in masks(chunk, variable, encoding):
                if mask.any():
                    hits.setdefault(rule, []).append(np.flatnonzero(mask) + start)
        if variable.name in dataset.special:
            hits |= _check_special(dataset, variable)
        for rule, found in hits.items():
            yield _value_finding(rule, np.concatenate(found), dataset, variable, encoding)
    yield from _check_blank_end(dataset)


def _text_masks(chunk: pd.Series, variable: XptVariable, encoding: str) -> Iterator[tuple[str, Mask]]:
    try:
        text = text_column(chunk)
    except UnicodeEncodeError:  # half a surrogate pair: no encoding holds it
        yield (
            "XPT-TEXT-ENCODING",
            chunk.map(lambda value: isinstance(value, str) and _has_surrogate(value)).to_numpy(bool),
        )
        return
    if text is None:
        yield "XPT-TYPE", chunk.notna().to_numpy()
        return
    stored, unknown = encode_text(text, encoding=encoding)
    yield "XPT-TEXT-ENCODING", unknown
    ends = _ends_of(stored)
    sizes, data = np.diff(ends), _bytes_of(stored)
    yield "XPT-TEXT-200", sizes > MAX_TEXT
    yield "XPT-TEXT-LENGTH", (sizes > variable.length) & (sizes <= MAX_TEXT)
    if data.size:
        last = data[np.maximum(ends[1:] - ends[0], 1) - 1]
        yield "XPT-TEXT-TRAILING", (sizes > 0) & (last == ord(" "))
        if data.min() == 0:
            yield "XPT-TEXT-NUL", pc.match_substring(stored, "\0").to_numpy(zero_copy_only=False)


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _number_masks(chunk: pd.Series, variable: XptVariable, encoding: str) -> Iterator[tuple[str, Mask]]:
    numbers = number_column(chunk)
    if numbers is None:
        yield "XPT-TYPE", chunk.notna().to_numpy()
        return
    yield "XPT-NUMBER-INFINITE", np.isinf(numbers)
    yield "XPT-NUMBER-RANGE", find_out_of_range(numbers)
    if variable.length in range(2, 8):
        yield "XPT-NUMBER-LENGTH", find_inexact(numbers, length=variable.length)
    if chunk.dtype.kind != "f":
        yield "XPT-NUMBER-PRECISION", _find_rounded(chunk, numbers)


def _find_rounded(chunk: pd.Series, numbers: NDArray[np.float64]) -> Mask:
    rounded = np.zeros(len(numbers), dtype=bool)
    large = np.flatnonzero(np.isfinite(numbers) & (np.abs(numbers) >= _EXACT))
    rounded[large] = [int(value) != int(numbers[at]) for at, value in zip(large, chunk.iloc[large], strict=True)]
    return rounded


def _check_special(dataset: XptDataset, variable: XptVariable) -> dict[str, list[NDArray[np.intp]]]:
    tags = dataset.special[variable.name]
    letters = {f".{chr(letter)}" for letter in SPECIAL_LETTERS}
    rows = dataset.data.index.get_indexer_for(tags.index) if dataset.data.index.is_unique else np.full(len(tags), -1)
    present = dataset.data[variable.name].notna().to_numpy()
    wrong = (rows < 0) | ~tags.isin(letters).to_numpy() | (variable.type == "Char")
    wrong |= present[rows] if len(present) else True
    return {"XPT-SPECIAL": [rows[wrong]]} if wrong.any() else {}


def _value_finding(
    rule: str, rows: NDArray[np.intp], dataset: XptDataset, variable: XptVariable, encoding: str
) -> Finding:
    told = _RULES[rule]
    kind = "text" if variable.type == "Char" else "numbers"
    text = told.text.format(n=len(rows), length=variable.length, encoding=encoding, kind=kind)
    shown = ", ".join(str(row + 1) for row in rows[:SHOWN])
    examples = dataset.data[variable.name].iloc[rows[:100]].tolist()
    values = tuple(dict.fromkeys(_short(value) for value in examples))[:SHOWN]
    message = f"{text}; first in row {shown}"
    return Finding(rule, told.severity, message, dataset.name, (variable.name,), values, cure=told.cure)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _check_blank_end(dataset: XptDataset) -> Iterator[Finding]:
    """A last row whose every byte is blank reads back as padding; only text alone makes one."""
    row_length = sum(variable.length for variable in dataset.variables)
    if any(variable.type == "Num" for variable in dataset.variables) or not 0 < row_length < RECORD:
        return
    end = dataset.data.iloc[-RECORD:]
    blank = np.ones(len(end), dtype=bool)
    for variable in dataset.variables:
        blank &= (
            end[variable.name].map(lambda value: not (isinstance(value, str) and value.strip(" "))).to_numpy(bool)
        )
    lost = count_blank_end(blank, row_length=row_length, rows=len(dataset.data))
    if lost:
        message = (
            f"the last {lost} rows are all blank and read back as padding, for a row has only {row_length} bytes"
        )
        yield _error("XPT-BLANK-ROWS", (dataset.name,), message, "drop them, or fill a key")
