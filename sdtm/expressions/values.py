"""
Whole columns of the three kinds that expressions know, and what holds between them.

A text column is of dtype ``str`` and missing where it holds nothing but blanks; a number column is ``float64``,
finite, and missing where NaN; a condition is ``bool`` and never missing. Every function here takes and returns
columns over one and the same index.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Only ASCII digits, no thousands separator, no "inf": what a person would type into a calculator.
NUMBER_PATTERN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"

ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_SAMPLE = 4096

Column = TypeVar("Column", "pd.Series[str]", "pd.Series[bool]", "pd.Series[float]")


def kind_of_values(values: pd.Series[Any]) -> str:
    """Say which of the three kinds a column is: text, number or condition."""
    return {"f": "number", "b": "condition"}.get(values.dtype.kind, "text")


def read_values(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a frame's column as text (``str``, empty where absent) or, if it holds numbers, as ``float64``."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64")
    texts = column if column.dtype == "str" else column.astype("str")
    return texts.fillna("")


def repeat_text(text: str, index: pd.Index[Any]) -> pd.Series[str]:
    """Return a column that holds one text in every row."""
    return from_arrow(pa.repeat(pa.scalar(text, pa.large_string()), len(index)), index)


def repeat_number(number: float, index: pd.Index[Any]) -> pd.Series[float]:
    """Return a column that holds one number in every row."""
    return pd.Series(np.full(len(index), number, dtype="float64"), index=index)


def from_arrow(array: Any, index: pd.Index[Any]) -> pd.Series[str]:
    """Return an Arrow array of texts as a text column; null is the empty text."""
    return pd.Series(pd.array(pc.fill_null(array, ""), dtype="str"), index=index, copy=False)


def concat_texts(parts: Sequence[pd.Series[str]]) -> pd.Series[str]:
    """Return the texts of each row one after the other."""
    # Without its null handling: in pyarrow 26 "skip" drops the rows in which every part is null.
    joined = pc.binary_join_element_wise(*(pa.array(part) for part in parts), pa.scalar("", pa.large_string()))
    return from_arrow(joined, parts[0].index)


def on_uniques(texts: pd.Series[str], function: Callable[[pd.Series[str]], Column]) -> Column:
    """
    Apply a costly function to the unique texts and take its results back to the rows.

    Where a sample says that most texts differ, finding the uniques costs more than it saves and the whole column is
    given to the function; the result is the same.
    """
    sample = texts.iloc[:: len(texts) // _SAMPLE + 1]
    if sample.nunique() * 2 > len(sample):
        return function(texts)
    codes, uniques = pd.factorize(texts)
    return function(pd.Series(uniques)).take(codes).set_axis(texts.index)


def is_missing(values: pd.Series[Any]) -> pd.Series[bool]:
    """Rows without a value: a text of nothing but blanks, a number that is NaN."""
    return values.isna() if kind_of_values(values) == "number" else values.str.strip() == ""


def choose(condition: pd.Series[bool], then: pd.Series[Any], otherwise: pd.Series[Any]) -> pd.Series[Any]:
    """Return *then* where the condition holds and *otherwise* elsewhere; both are of one kind."""
    if kind_of_values(then) == "text":
        return from_arrow(pc.if_else(condition.to_numpy(), pa.array(then), pa.array(otherwise)), condition.index)
    return pd.Series(np.where(condition, then, otherwise), index=condition.index)


def to_numbers(values: pd.Series[Any]) -> tuple[pd.Series[float], pd.Series[bool] | None]:
    """Read a column as numbers; also return the rows whose text is not a number (they come out missing), if any."""
    if kind_of_values(values) == "number":
        return values, None
    numbers = on_uniques(values, _parse_numbers)
    return drop_infinite(numbers)


def _parse_numbers(texts: pd.Series[str]) -> pd.Series[float]:
    """Read texts as numbers: NaN where missing, infinite where the text is not a number or too large for one."""
    trimmed = texts.str.strip()
    numeric = matches(trimmed, NUMBER_PATTERN)
    parsed = pc.cast(pc.if_else(numeric.to_numpy(), pa.array(trimmed), None), pa.float64())
    numbers = pd.Series(parsed.to_numpy(zero_copy_only=False), index=texts.index)
    return numbers.mask(~numeric & (trimmed != ""), np.inf)


def is_number(text: str) -> bool:
    """Say whether a text would be read as a number (or as missing, where it is blank)."""
    return to_numbers(pd.Series([text], dtype="str"))[1] is None


def drop_infinite(numbers: pd.Series[float]) -> tuple[pd.Series[float], pd.Series[bool] | None]:
    """Set infinite numbers to missing; also return their rows, if any."""
    infinite = pd.Series(np.isinf(numbers.to_numpy()), index=numbers.index, dtype="bool")
    return (numbers.mask(infinite), infinite) if infinite.any() else (numbers, None)


def to_texts(values: pd.Series[Any]) -> pd.Series[str]:
    """Write a column as texts: a number with the fewest digits that read back as the same number, never 1e5."""
    if kind_of_values(values) == "text":
        return values
    texts = from_arrow(pc.cast(pa.array(values + 0.0, from_pandas=True), pa.large_string()), values.index)
    exponents = texts.str.contains("e", regex=False)
    if exponents.any():
        written = [np.format_float_positional(number, trim="-") for number in values[exponents]]
        texts = texts.mask(exponents, pd.Series(written, index=values.index[exponents], dtype="str"))
    return texts


def compare_numbers(operator: str, left: pd.Series[float], right: pd.Series[float]) -> pd.Series[bool]:
    """Compare; missing equals missing and nothing else, and is neither less nor more than anything."""
    if operator in ORDERS:
        result: pd.Series[bool] = ORDERS[operator](left, right)
        return result
    equal = (left == right) | (left.isna() & right.isna())
    return equal if operator == "=" else ~equal


def compare_texts(operator: str, left: pd.Series[str], right: pd.Series[str]) -> pd.Series[bool]:
    """Compare, blanks at both ends ignored, by code point; missing as in ``compare_numbers``."""
    left, right = left.str.strip(), right.str.strip()
    if operator in ORDERS:
        ordered: pd.Series[bool] = ORDERS[operator](left, right)
        return ordered & (left != "") & (right != "")
    return left == right if operator == "=" else left != right


def find_misordered(operator: str, left: pd.Series[str], right: pd.Series[str]) -> pd.Series[bool]:
    """Rows where two texts are both numbers and their order as texts is not their order as numbers ('9' and '10')."""
    others = to_numbers(right)[0]
    if others.isna().all():  # dates and words: nothing to read on the left
        return others.notna()
    numbers = to_numbers(left)[0]
    differs = compare_texts(operator, left, right) != compare_numbers(operator, numbers, others)
    return differs & numbers.notna() & others.notna()


def matches(texts: pd.Series[str], pattern: str) -> pd.Series[bool]:
    """Rows whose text matches the pattern from its first character to its last; RE2, linear in the text's length."""
    found = pc.match_substring_regex(pa.array(texts), pattern=rf"\A(?:{pattern})\z")
    return pd.Series(found.to_numpy(zero_copy_only=False), index=texts.index, dtype="bool")


def extract_group(texts: pd.Series[str], pattern: str) -> pd.Series[str]:
    """Return what the pattern's one group found first in each text, the empty text where it found nothing."""
    found = pc.extract_regex(pa.array(texts), pattern=name_group(pattern))
    return from_arrow(pc.struct_field(found, [0]), texts.index)


@lru_cache(maxsize=256)
def name_group(pattern: str) -> str | None:
    """Return the pattern with its one capturing group named, as Arrow wants it; None unless there is exactly one."""
    named = [
        f"{pattern[:at]}(?P<found>{pattern[at + 1 :]}" for at, character in enumerate(pattern) if character == "("
    ]
    return next((candidate for candidate in [pattern, *named] if _count_named_groups(candidate) == 1), None)


def _count_named_groups(pattern: str) -> int:
    try:
        return int(pc.extract_regex(pa.array([""]), pattern=pattern).type.num_fields)
    except pa.ArrowInvalid:  # not a pattern, or one with a group that has no name
        return 0


def pattern_fault(pattern: str) -> str:
    """Say in a few words why a text is not a regular expression that RE2 takes; empty if it is."""
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid as error:
        return str(error).splitlines()[0].removeprefix("Invalid regular expression: ")
    return ""
