"""
The functions of the expression language: this one table is all of them.

A function is a plain function over whole columns. Its Python signature is its signature in the language: the
annotations say what is wanted of each argument, a default makes it optional, ``*name`` lets it be repeated; the first
line of its docstring is its entry in the reference. ``parse_expression`` checks calls against this table, the
evaluation converts the arguments to what is wanted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Any, TypeVar, get_args

import numpy as np
import pandas as pd

from sdtm.expressions import values as columns


@dataclass(frozen=True)
class Wanted:
    """What is wanted of an argument: its kind, and for a literal what is wrong with this one ('' if nothing)."""

    kind: str
    fault: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Parameter:
    """One parameter: ``literal`` ones are written out in the expression, the others are columns."""

    name: str
    wanted: Wanted
    optional: bool = False
    repeated: bool = False

    @property
    def literal(self) -> bool:
        """Whether the argument must be written out in the expression."""
        return self.wanted.fault is not None

    def __str__(self) -> str:
        """As it stands in the signature."""
        return f"{'...' * self.repeated}{self.name}{'?' * self.optional}: {self.wanted.kind}"


@dataclass(frozen=True)
class Function:
    """One function of the language; ``decides`` says per argument in which rows it has a say (None: in all)."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    description: str
    apply: Callable[..., pd.Series[Any]]
    decides: Callable[..., list[pd.Series[bool]]] | None = None

    @property
    def signature(self) -> str:
        """The call as it is written, with the kinds."""
        return f"{self.name}({', '.join(str(parameter) for parameter in self.parameters)}) -> {self.returns}"

    def parameter(self, position: int) -> Parameter:
        """Return the parameter that takes the argument at *position* (from 0); the last one may take many."""
        return self.parameters[min(position, len(self.parameters) - 1)]

    def arity(self) -> tuple[int, int | None]:
        """Return how many arguments it takes at least and at most (None: any number)."""
        least = sum(not (parameter.optional or parameter.repeated) for parameter in self.parameters)
        return least, None if self.parameters[-1].repeated else len(self.parameters)


_TO_THE_END = 1_000_000  # characters; no cell is longer

FUNCTIONS: dict[str, Function] = {}

_Implementation = TypeVar("_Implementation", bound=Callable[..., Any])


def _between(lowest: int, highest: int) -> Callable[[float], str]:
    def fault(number: float) -> str:
        whole = float(number).is_integer() and lowest <= number <= highest
        return "" if whole else f"expected a whole number from {lowest} to {highest}"

    return fault


def _not_empty(text: str) -> str:
    return "" if text else "expected a text that is not empty"


def _one_character(text: str) -> str:
    return "" if len(text) == 1 else "expected one character"


def _one_group(pattern: str) -> str:
    fault = columns.pattern_fault(pattern)
    if fault:
        return f"not a regular expression: {fault}"
    return (
        "" if columns.name_group(pattern) else "expected a regular expression with exactly one group in parentheses"
    )


def _anything(_: str) -> str:
    return ""


Text = Annotated["pd.Series[str]", Wanted("text")]
Number = Annotated["pd.Series[float]", Wanted("number")]
Condition = Annotated["pd.Series[bool]", Wanted("condition")]
Value = Annotated["pd.Series[Any]", Wanted("value")]  # text or number; all values of a call are of one kind
Separator = Annotated[str, Wanted("literal text", _anything)]
Sought = Annotated[str, Wanted("literal text", _not_empty)]
Pattern = Annotated[str, Wanted("literal text", _one_group)]
Character = Annotated[str, Wanted("literal text", _one_character)]
Position = Annotated[int, Wanted("whole number", _between(1, _TO_THE_END))]
Width = Annotated[int, Wanted("whole number", _between(1, 200))]
Digits = Annotated[int, Wanted("whole number", _between(0, 15))]


def _function(
    *, decides: Callable[..., list[pd.Series[bool]]] | None = None
) -> Callable[[_Implementation], _Implementation]:
    """Enter a function into the table under its name (less a trailing underscore)."""

    def enter(implementation: _Implementation) -> _Implementation:
        name = implementation.__name__.rstrip("_")
        signature = inspect.signature(implementation, eval_str=True)
        FUNCTIONS[name] = Function(
            name=name,
            parameters=tuple(_read_parameter(parameter) for parameter in signature.parameters.values()),
            returns=_wanted(signature.return_annotation).kind,
            description=(inspect.getdoc(implementation) or "").partition("\n")[0],
            apply=implementation,
            decides=decides,
        )
        return implementation

    return enter


def _read_parameter(parameter: inspect.Parameter) -> Parameter:
    return Parameter(
        name=parameter.name,
        wanted=_wanted(parameter.annotation),
        optional=parameter.default is not inspect.Parameter.empty,
        repeated=parameter.kind is inspect.Parameter.VAR_POSITIONAL,
    )


def _wanted(annotation: Any) -> Wanted:
    wanted = get_args(annotation)[1]
    assert isinstance(wanted, Wanted)  # noqa: S101 - a mistake in this file, seen at import
    return wanted


@_function()
def concat(text: Text, *more: Text) -> Text:
    """Texts one after the other as they stand; a missing part is empty."""
    return columns.concat_texts([text, *more])


@_function()
def join(separator: Separator, text: Text, *more: Text) -> Text:
    """Texts with the separator between them, blanks at their ends removed; missing ones are skipped."""
    joined, nothing = text.str.strip(), columns.repeat_text("", text.index)
    separators = columns.repeat_text(separator, text.index)
    for part in more:
        trimmed = part.str.strip()
        between = columns.choose((joined != "") & (trimmed != ""), separators, nothing)
        joined = columns.concat_texts([joined, between, trimmed])
    return joined


@_function()
def upper(text: Text) -> Text:
    """The text in capitals."""
    return text.str.upper()


@_function()
def lower(text: Text) -> Text:
    """The text in small letters."""
    return text.str.lower()


@_function()
def trim(text: Text) -> Text:
    """The text without blanks (spaces, tabs, line ends, no-break and ideographic spaces) at both ends."""
    return text.str.strip()


@_function()
def substr(text: Text, start: Position, length: Position = _TO_THE_END) -> Text:
    """The characters from position start (the first is 1), as many as length says or all that follow."""
    return text.str.slice(start - 1, start - 1 + length)


@_function()
def replace(text: Text, old: Sought, new: Separator) -> Text:
    """The text with every old replaced by new; case counts."""
    return columns.on_uniques(text, lambda texts: texts.str.replace(old, new, regex=False))


@_function()
def extract(text: Text, pattern: Pattern) -> Text:
    """What the one group of the regular expression finds first in the text; missing where it finds nothing."""
    return columns.on_uniques(text, lambda texts: columns.extract_group(texts, pattern))


@_function()
def pad(text: Text, width: Width, fill: Character) -> Text:
    """The text, blanks at its ends removed, filled up on the left to the width; missing stays missing."""
    trimmed = text.str.strip()
    return trimmed.str.pad(width, side="left", fillchar=fill).mask(trimmed == "", "")


@_function()
def add_days(date: Text, days: Number) -> Text:
    """The ISO date so many days later, without its time; missing where the date is incomplete."""
    known = date.str.strip().str.slice(0, 10).where(date.str.strip().str.fullmatch(r"\d{4}-\d{2}-\d{2}(T.*)?"))
    moved = pd.to_datetime(known, errors="coerce", format="%Y-%m-%d") + pd.to_timedelta(days, unit="D")
    return moved.dt.strftime("%Y-%m-%d").fillna("").astype("str")


@_function()
def length(text: Text) -> Number:
    """How many characters the text has, blanks at both ends not counted; 0 where missing."""
    return text.str.strip().str.len().astype("float64")


@_function()
def number(value: Number) -> Number:
    """The number that the text says; a text that is not a number is refused."""
    return value


@_function()
def text(number: Number) -> Text:
    """The number as a text, with the fewest digits that read back as the same number: 14, 0.5."""
    return columns.to_texts(number)


@_function()
def round_(number: Number, digits: Digits) -> Number:
    """The number rounded to this many decimals, halves away from zero as SAS does: 2.675 to 2.68."""
    scaled = number.abs().to_numpy() * 10.0**digits
    # 2.675 is stored a hair below itself; two units in the last place bring such halves back to halves.
    rounded = np.floor(scaled + 0.5 + 2 * np.spacing(np.minimum(scaled, 2.0**52))) / 10.0**digits
    exact = scaled >= 2.0**52  # no decimals left to round
    return pd.Series(np.where(exact, number, np.copysign(rounded, number) + 0.0), index=number.index)


@_function()
def abs_(number: Number) -> Number:
    """The number without its sign."""
    return number.abs()


@_function()
def min_(number: Number, *more: Number) -> Number:
    """The smallest of the numbers that are not missing."""
    return pd.Series(reduce(np.fmin, [each.to_numpy() for each in (number, *more)]), index=number.index)


@_function()
def max_(number: Number, *more: Number) -> Number:
    """The largest of the numbers that are not missing."""
    return pd.Series(reduce(np.fmax, [each.to_numpy() for each in (number, *more)]), index=number.index)


def _until_present(value: pd.Series[Any], *more: pd.Series[Any]) -> list[pd.Series[bool]]:
    wanted = [pd.Series(True, index=value.index)]
    for each in (value, *more[:-1]):
        wanted.append(wanted[-1] & columns.is_missing(each))
    return wanted[: 1 + len(more)]


@_function(decides=_until_present)
def coalesce(value: Value, *more: Value) -> Value:
    """The first of the values that is not missing."""
    for each in more:
        value = columns.choose(columns.is_missing(value), each, value)
    return value


def _chosen(condition: pd.Series[bool], then: pd.Series[Any], otherwise: pd.Series[Any]) -> list[pd.Series[bool]]:
    return [pd.Series(True, index=condition.index), condition, ~condition]


@_function(decides=_chosen)
def if_(condition: Condition, then: Value, otherwise: Value) -> Value:
    """The first value where the condition holds, the second everywhere else."""
    return columns.choose(condition, then, otherwise)
