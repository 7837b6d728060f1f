"""
The checks that follow from a dataset's specification, as plain functions over whole columns.

A check says which cells or records pass, it does not report: ``specs.schema`` runs the checks and makes the findings.
Text columns have dtype ``str`` with the empty text for missing, number columns float64 with NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from specs.iso8601 import Mask, are_datetimes, are_durations, are_durations_or_intervals, is_before
from specs.lending import lendable_names
from specs.model import DATETIME, DURATION, DURATION_OR_INTERVAL, Codelist, Dataset, Specs, Variable

MOST_BYTES, LONGEST_NAME = 200, 40
_SHOWN = 60

_DESCRIBED = {
    DATETIME: ("SDTM-ISO8601", are_datetimes, "is not an ISO 8601 date, time or interval that exists"),
    DURATION: ("SDTM-DURATION", are_durations, "is not an ISO 8601 duration"),
    DURATION_OR_INTERVAL: ("SDTM-DURATION", are_durations_or_intervals, "is not an ISO 8601 duration or interval"),
}
# SDTMIG 3.4, DM: a subject of several races has RACE = MULTIPLE, which the published list does not carry
_BESIDE_THE_LIST = {"RACE": ("MULTIPLE",)}
_SHORT_NAME = r"\A([A-Za-z_][A-Za-z0-9_]{0,7})?\z"
_RESULT_NUMBER = r"\A([<>]?=?\s*[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?|[0-9]{4}-[0-9]{2}(-[0-9]{2}(T[0-9:]+)?)?)\z"
_PAIRS = (("TESTCD", "TEST"), ("PARMCD", "PARM"), ("QNAM", "QLABEL"))
_LONG_NAMES = ("IETEST",)  # a criterion's text, up to 200 characters


@dataclass(frozen=True)
class ColumnCheck:
    """A check of every cell of one variable: ``passes`` gives the column of those that do."""

    rule: str
    variable: str
    passes: Callable[[pd.Series], pd.Series]
    says: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The one variable, as for a check of records."""
        return (self.variable,)

    @property
    def cells(self) -> tuple[str, ...]:
        """The one variable: a cell reported already is not reported again."""
        return (self.variable,)

    def tell(self, value: str) -> str:
        """Say what is wrong with a cell."""
        return f"{self.variable} {shown(value)} {self.says}" if value else f"{self.variable} {self.says}"


@dataclass(frozen=True)
class RecordCheck:
    """
    A check of records by several variables, which must all be there.

    A record is not reported where one of its ``cells`` was already reported by somebody else.
    """

    rule: str
    variables: tuple[str, ...]
    passes: Callable[[pd.DataFrame], pd.Series]
    says: str
    cells: tuple[str, ...] = ()

    def tell(self, *_: str) -> str:
        """Say what is wrong with a record."""
        return self.says


@dataclass(frozen=True)
class LayoutCheck:
    """A check of the columns that are there: ``wrong`` gives the message for each variable that is wrong."""

    rule: str
    wrong: Callable[[pd.DataFrame], dict[str, str]]


# --- layout ---------------------------------------------------------------------------------------------------------


def layout_checks(dataset: Dataset, specs: Specs) -> list[LayoutCheck]:
    """Return the checks of the columns' presence, order and type."""
    return [
        LayoutCheck("SDTM-VAR-REQUIRED", partial(_absent_required, dataset)),
        LayoutCheck("SDTM-VAR-EXPECTED", partial(_absent_expected, dataset)),
        LayoutCheck("SDTM-VAR-UNKNOWN", partial(_unknown, dataset, specs)),
        LayoutCheck("SDTM-VAR-UNDECLARED", partial(_undeclared, dataset, specs)),
        LayoutCheck("SDTM-VAR-ORDER", partial(_disordered, dataset)),
        LayoutCheck("SDTM-TYPE", partial(mistyped, dataset)),
    ]


def _absent_required(dataset: Dataset, frame: pd.DataFrame) -> dict[str, str]:
    absent = [one.name for one in dataset.variables if one.is_required and one.name not in frame.columns]
    return {name: f"the required variable {name} is absent" for name in absent}


def _absent_expected(dataset: Dataset, frame: pd.DataFrame) -> dict[str, str]:
    absent = [one.name for one in dataset.variables if one.is_expected and one.name not in frame.columns]
    return {name: f"the expected variable {name} is absent" for name in absent}


def _unknown(dataset: Dataset, specs: Specs, frame: pd.DataFrame) -> dict[str, str]:
    foreign = _foreign(dataset, frame)
    unknown = sorted(foreign - lendable_names(dataset, specs.datasets)) if foreign else []
    return {name: f"{dataset.name} has no variable {name}" for name in unknown}


def _undeclared(dataset: Dataset, specs: Specs, frame: pd.DataFrame) -> dict[str, str]:
    foreign = _foreign(dataset, frame)
    undeclared = sorted(foreign & lendable_names(dataset, specs.datasets)) if foreign else []
    return {name: f"{name} is not in the guide's table of {dataset.name}" for name in undeclared}


def _foreign(dataset: Dataset, frame: pd.DataFrame) -> set[str]:
    return {str(name) for name in frame.columns if dataset.variable(str(name)) is None}


def _disordered(dataset: Dataset, frame: pd.DataFrame) -> dict[str, str]:
    found = [name for name in frame.columns if dataset.variable(name) is not None]
    ordered = [name for name in dataset.names if name in found]
    first = next((pair for pair in zip(found, ordered, strict=False) if pair[0] != pair[1]), None)
    return {} if first is None else {first[0]: f"{first[0]} stands where {first[1]} should"}


def mistyped(dataset: Dataset, frame: pd.DataFrame) -> dict[str, str]:
    """Say of each variable with the wrong type what it is: text must be ``str``, a number float64."""
    wrong = {}
    for variable in dataset.variables:
        if variable.name in frame.columns and not _has_type(frame[variable.name].dtype, is_text=variable.is_text):
            wanted = "text" if variable.is_text else "a number"
            wrong[variable.name] = f"{variable.name} is not {wanted} but {frame[variable.name].dtype}"
    return wrong


def _has_type(dtype: object, *, is_text: bool) -> bool:
    return isinstance(dtype, pd.StringDtype) if is_text else dtype == np.dtype("float64")


# --- cells ----------------------------------------------------------------------------------------------------------


def column_checks(dataset: Dataset, specs: Specs) -> list[ColumnCheck]:
    """Return the checks of every variable's cells."""
    return [check for variable in dataset.variables for check in _of_variable(variable, specs)]


def _of_variable(variable: Variable, specs: Specs) -> Iterable[ColumnCheck]:
    if variable.is_required:
        yield ColumnCheck("SDTM-NULL-REQUIRED", variable.name, _filled, "is required and empty")
    if not variable.is_text:
        return
    if variable.fixed:
        says = f"is not {variable.fixed!r}"
        yield ColumnCheck("SDTM-FIXED", variable.name, partial(_among, allowed=("", variable.fixed)), says)
    if variable.described in _DESCRIBED:
        rule, test, says = _DESCRIBED[variable.described]
        yield ColumnCheck(rule, variable.name, partial(by_unique, test=test), says)
    if specs.codelists_of(variable):
        yield _codelist_check(variable, specs.codelists_of(variable))
    if variable.name.endswith(tuple(code for code, _ in _PAIRS)):
        says = "is not up to eight letters, digits and underscores, the first no digit"
        yield ColumnCheck("SDTM-TESTCD", variable.name, partial(_matching, pattern=_SHORT_NAME), says)
    if variable.name.endswith(tuple(name for _, name in _PAIRS)) and variable.name not in _LONG_NAMES:
        says = f"has more than {LONGEST_NAME} characters"
        yield ColumnCheck("SDTM-TEST-LENGTH", variable.name, _short, says)
    most = min(variable.length or MOST_BYTES, MOST_BYTES)
    yield ColumnCheck("SDTM-LENGTH", variable.name, partial(_fitting, most=most), f"has more than {most} bytes")
    yield ColumnCheck("SDTM-NON-ASCII", variable.name, _ascii, "has letters outside ASCII")


def _codelist_check(variable: Variable, codelists: tuple[Codelist, ...]) -> ColumnCheck:
    allowed = ("", *_BESIDE_THE_LIST.get(variable.name, ()), *(value for one in codelists for value in one.values))
    titles = " or ".join(codelist.title for codelist in codelists)
    extensible = any(codelist.extensible for codelist in codelists)
    rule = "SDTM-CT-EXTENDED" if extensible else "SDTM-CT"
    says = f"is not a term of {titles}" + (", nor declared by the study" if extensible else "")
    # a result's codelist is for what is said in words: a number or a date is never a term
    test = partial(_among_or_number if variable.role == "Result Qualifier" else _among, allowed=allowed)
    return ColumnCheck(rule, variable.name, test, says)


def _filled(cells: pd.Series) -> pd.Series:
    return cells.notna() if pd.api.types.is_float_dtype(cells.dtype) else cells != ""


def _among(cells: pd.Series, *, allowed: Sequence[str]) -> pd.Series:
    # not Series.isin, which takes milliseconds to read a long list
    return _series(pc.is_in(as_arrow(cells), value_set=pa.array(allowed, type=pa.large_string())), cells.index)


def _among_or_number(cells: pd.Series, *, allowed: Sequence[str]) -> pd.Series:
    among = _among(cells, allowed=allowed)
    return among if among.all() else among | _matching(cells, pattern=_RESULT_NUMBER)


def _matching(cells: pd.Series, *, pattern: str) -> pd.Series:
    return by_unique(cells, test=lambda texts: pc.match_substring_regex(texts, pattern))


def _short(cells: pd.Series) -> pd.Series:
    return by_unique(cells, test=lambda texts: pc.less_equal(pc.utf8_length(texts), LONGEST_NAME))


def _fitting(cells: pd.Series, *, most: int) -> pd.Series:
    return _series(pc.less_equal(pc.binary_length(as_arrow(cells)), most), cells.index)


def shown(text: str) -> str:
    """Quote a text for a message, cut where it is long."""
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}...")


def _ascii(cells: pd.Series) -> pd.Series:
    return _series(pc.string_is_ascii(as_arrow(cells)), cells.index)


def as_arrow(cells: pd.Series) -> pa.Array:
    """Return a text column as one arrow array."""
    array = pa.array(cells, type=pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def by_unique(cells: pd.Series, *, test: Callable[[pa.Array], Mask | pa.Array]) -> pd.Series:
    """Test the unique texts of a column and give every cell its text's outcome; an empty cell passes."""
    encoded = as_arrow(cells).dictionary_encode()
    passed = np.asarray(test(encoded.dictionary), dtype=bool)
    passed = passed | np.asarray(pc.equal(encoded.dictionary, ""), dtype=bool)
    return pd.Series(passed[encoded.indices.to_numpy()] if len(cells) else passed, index=cells.index, dtype=bool)


def _series(values: pa.Array, index: pd.Index) -> pd.Series:
    return pd.Series(values.to_numpy(zero_copy_only=False), index=index, dtype=bool)


# --- records --------------------------------------------------------------------------------------------------------


def record_checks(dataset: Dataset, specs: Specs) -> list[RecordCheck]:
    """Return the checks of records: keys, --SEQ, the order of times, paired names."""
    return [*_key_checks(dataset), *_time_checks(dataset), *_pair_checks(dataset, specs)]


def _key_checks(dataset: Dataset) -> Iterable[RecordCheck]:
    required = tuple(key for key in dataset.keys if getattr(dataset.variable(key), "is_required", False))
    if dataset.sequence:
        scope, sequence = dataset.sequence_scope, dataset.sequence
        says = f"{sequence} is not a whole number above zero that is unique within {' and '.join(scope)}"
        test = partial(_is_numbered, scope=scope, sequence=sequence)
        yield RecordCheck("SDTM-SEQ", (*scope, sequence), test, says)
    if dataset.sequence not in dataset.keys:
        says = f"an earlier record has the same {', '.join(dataset.keys)}"
        yield RecordCheck("SDTM-KEY", required, partial(_is_unique, keys=dataset.keys), says)


def _is_numbered(frame: pd.DataFrame, *, scope: tuple[str, ...], sequence: str) -> pd.Series:
    numbers = frame[sequence]
    repeated = frame.duplicated([*scope, sequence], keep=False)
    return numbers.isna() | ((numbers > 0) & (numbers % 1 == 0) & ~repeated)


def _is_unique(frame: pd.DataFrame, *, keys: tuple[str, ...]) -> pd.Series:
    present = [key for key in keys if key in frame.columns]
    return ~frame.duplicated(present)


def _time_checks(dataset: Dataset) -> Iterable[RecordCheck]:
    for name in dataset.names:
        end = name.removesuffix("STDTC") + "ENDTC"
        if name.endswith("STDTC") and dataset.variable(end) is not None:
            test = partial(_is_in_order, start=name, end=end)
            yield RecordCheck("SDTM-TIME-ORDER", (name, end), test, f"{end} is before {name}", cells=(name, end))


def _is_in_order(frame: pd.DataFrame, *, start: str, end: str) -> pd.Series:
    later = (frame[start] > frame[end]) & (frame[end] != "")  # as texts: all that can be out of order, and a few more
    starts, ends = frame.loc[later, start].tolist(), frame.loc[later, end].tolist()
    passes = np.ones(len(frame), dtype=bool)
    passes[later.to_numpy()] = [not is_before(one, other) for one, other in zip(ends, starts, strict=True)]
    return pd.Series(passes, index=frame.index)


def _pair_checks(dataset: Dataset, specs: Specs) -> Iterable[RecordCheck]:
    for code_suffix, name_suffix in _PAIRS:
        for code in (one for one in dataset.variables if one.name.endswith(code_suffix)):
            name = dataset.variable(code.name.removesuffix(code_suffix) + name_suffix)
            if name is not None:
                both = (code.name, name.name)
                test = partial(_is_paired, code=code.name, name=name.name, codes=_term_codes(specs, code, name))
                says = f"{both[0]} and {both[1]} are not one pair, here and in the terminology"
                yield RecordCheck("SDTM-TEST-PAIR", both, test, says, cells=both)


def _term_codes(specs: Specs, code: Variable, name: Variable) -> tuple[dict[str, str], dict[str, str]]:
    """Return the C-code of every published short name, and of every published name."""

    def codes(variable: Variable) -> dict[str, str]:
        lists = specs.codelists_of(variable)
        return {term.value: term.code for one in lists for term in one.terms if term.code}

    return codes(code), codes(name)


def _is_paired(
    frame: pd.DataFrame, *, code: str, name: str, codes: tuple[dict[str, str], dict[str, str]]
) -> pd.Series:
    code_ids, code_texts = pd.factorize(frame[code])
    name_ids, name_texts = pd.factorize(frame[name])
    together = code_ids * np.int64(max(len(name_texts), 1)) + name_ids
    pair_ids, pairs = pd.factorize(together)
    code_of, name_of = pairs // max(len(name_texts), 1), pairs % max(len(name_texts), 1)
    listed = pd.DataFrame({"code": code_texts.take(code_of), "name": name_texts.take(name_of)})
    complete = (listed["code"] != "") & (listed["name"] != "")
    alone = ~listed["code"].where(complete).duplicated(keep=False) & ~listed["name"].where(complete).duplicated(
        keep=False
    )
    published = [codes[0].get(str(one)) for one in listed["code"]], [codes[1].get(str(one)) for one in listed["name"]]
    same = np.array(
        [one is None or other is None or one == other for one, other in zip(*published, strict=True)], bool
    )
    passes = ~complete.to_numpy() | (alone.to_numpy() & same)
    return pd.Series(passes[pair_ids] if len(frame) else passes, index=frame.index, dtype=bool)
