"""
Evaluate the tree of an expression on whole columns.

Nothing here raises for what a column holds. A row in which something cannot be answered (a text where a number is
needed, a division by zero) is refused: its value is missing, its condition does not hold, and the refusal says why. A
part that has no say in a row cannot refuse it: the branch of ``if`` not taken, the other side of an ``and`` that is
already false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from sdtm.expressions import values as columns
from sdtm.expressions.functions import FUNCTIONS, Function
from sdtm.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Column,
    Comparison,
    IsIn,
    IsMissing,
    MissingLiteral,
    Negative,
    Node,
    Not,
    NumberLiteral,
    Or,
    TextLiteral,
    TextTest,
    to_text,
)

Columns = pd.DataFrame | Mapping[str, "pd.Series[Any]"] | Callable[[str], "pd.Series[Any]"]

NOT_A_NUMBER = "is not a number"
NOT_FINITE = "is not a finite number"
DIVISION_BY_ZERO = "divides by zero"
MISORDERED = "orders two texts that are numbers: write number(...) on one side"


@dataclass(frozen=True, eq=False)
class Refusal:
    """Which part of the expression could not be answered, why, and in which rows (True)."""

    part: str
    reason: str
    rows: pd.Series[bool]


@dataclass(frozen=True, eq=False)
class Evaluated:
    """
    The value of an expression in every row, over the index asked for.

    ``values``: ``str`` ("" is missing), ``float64`` (NaN is missing) or ``bool``. ``refused``: rows without an
    answer; their value is missing, or False. ``refusals``: the same rows by reason.
    """

    values: pd.Series[Any]
    refused: pd.Series[bool]
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of one evaluation: their index, and the columns read so far."""

    index: pd.Index[Any]
    columns: Columns
    seen: dict[str, pd.Series[Any]] = field(default_factory=dict)

    def read(self, name: str) -> pd.Series[Any]:
        if name not in self.seen:
            column = self.columns(name) if callable(self.columns) else self.columns[name]
            if not column.index.equals(self.index):
                raise ValueError(f"column {name}: its index is not the one asked for")
            self.seen[name] = columns.read_values(column)
        return self.seen[name]


_Result = tuple["pd.Series[Any]", tuple[Refusal, ...]]


def evaluate_tree(tree: Node, given: Columns, *, index: pd.Index[Any]) -> Evaluated:
    """Evaluate a tree; see ``sdtm.expressions.evaluate``."""
    with np.errstate(all="ignore"):
        values, refusals = _evaluate(tree, _Rows(index, given))
    return Evaluated(values.rename(None), _union_rows(refusals, index), refusals)


def _evaluate(node: Node, rows: _Rows) -> _Result:
    return _EVALUATE[type(node)](node, rows)


def _read_column(node: Column, rows: _Rows) -> _Result:
    return _refuse_infinite(rows.read(node.name), node)


def _negate(node: Negative, rows: _Rows) -> _Result:
    numbers, refusals = _evaluate_numbers(node.operand, rows)
    return -numbers, refusals


def _calculate(node: Arithmetic, rows: _Rows) -> _Result:
    left, left_refusals = _evaluate_numbers(node.left, rows)
    right, right_refusals = _evaluate_numbers(node.right, rows)
    refusals = left_refusals + right_refusals
    if node.operator == "/":
        refusals += _refuse(node, DIVISION_BY_ZERO, (right == 0) & left.notna())
        right = right.mask(right == 0)
    values, more = _refuse_infinite(_CALCULATE[node.operator](left, right), node)
    return _settle(values, refusals + more)


def _call(node: Call, rows: _Rows) -> _Result:
    function = FUNCTIONS[node.name]
    results = [_evaluate_argument(argument, function, at, rows) for at, argument in enumerate(node.arguments)]
    results = _unify_arguments(node, function, results)
    arguments = [values for values, _ in results]
    if function.decides is not None and any(refusals for _, refusals in results):
        decided = zip(results, function.decides(*arguments), strict=True)
        refusals = _flatten(_restrict(refusals, wanted) for (_, refusals), wanted in decided)
    else:
        refusals = _flatten(refusals for _, refusals in results)
    return _settle(function.apply(*arguments), refusals)


def _evaluate_argument(node: Node, function: Function, position: int, rows: _Rows) -> tuple[Any, tuple[Refusal, ...]]:
    parameter = function.parameter(position)
    match node, parameter.wanted.kind:
        case NumberLiteral(value), "whole number":
            return int(value), ()
        case TextLiteral(value), "literal text":
            return value, ()
        case _, "number":
            return _evaluate_numbers(node, rows)
        case _, "text":
            values, refusals = _evaluate(node, rows)
            return columns.to_texts(values), refusals
        case _:
            return _evaluate(node, rows)


def _unify_arguments(node: Call, function: Function, results: list[Any]) -> list[Any]:
    """Bring those arguments of a call to one kind that the function takes as values of any kind."""
    places = [at for at in range(len(results)) if function.parameter(at).wanted.kind == "value"]
    unified = _unify([node.arguments[at] for at in places], [results[at] for at in places])
    for at, result in zip(places, unified, strict=True):
        results[at] = result
    return results


def _compare(node: Comparison, rows: _Rows) -> _Result:
    sides = [node.left, node.right]
    (left, left_refusals), (right, right_refusals) = _unify(sides, [_evaluate(side, rows) for side in sides])
    refusals = left_refusals + right_refusals
    if columns.kind_of_values(left) == "number":
        return _settle(columns.compare_numbers(node.operator, left, right), refusals)
    if node.operator in columns.ORDERS:
        refusals += _refuse(node, MISORDERED, columns.find_misordered(node.operator, left, right))
    return _settle(columns.compare_texts(node.operator, left, right), refusals)


def _find_in(node: IsIn, rows: _Rows) -> _Result:
    values, refusals = _evaluate(node.operand, rows)
    if columns.kind_of_values(values) == "number" or any(isinstance(item, NumberLiteral) for item in node.items):
        numbers, more = _read_numbers(node.operand, values)
        return _find_number_in(node, numbers, refusals + more)
    items = [item.value if isinstance(item, TextLiteral) else "" for item in node.items]
    return _settle(values.str.strip().isin(pd.Series(items, dtype="str").str.strip()), refusals)


def _find_number_in(node: IsIn, numbers: pd.Series[float], refusals: tuple[Refusal, ...]) -> _Result:
    found = pd.Series(False, index=numbers.index)
    bad: list[Node] = []
    for item in node.items:
        wanted, refused = _read_literal(item)
        found |= numbers.isna() if np.isnan(wanted) and not refused else numbers == wanted
        bad += [item] * refused
    # An item that is not a number could be equal to anything not found among the others.
    refusals += _flatten(_refuse(item, NOT_A_NUMBER, ~found) for item in bad)
    return _settle(found, refusals)


def _read_literal(node: Node) -> tuple[float, bool]:
    """Read a literal as a number; also say whether it is a text that is none."""
    if isinstance(node, NumberLiteral):
        return node.value, False
    text = node.value if isinstance(node, TextLiteral) else ""
    numbers, refused = columns.to_numbers(pd.Series([text], dtype="str"))
    return float(numbers.iloc[0]), refused is not None


def _test_text(node: TextTest, rows: _Rows) -> _Result:
    values, refusals = _evaluate(node.operand, rows)
    test, pattern = _TEXT_TESTS[node.test], node.pattern.value

    def find(texts: pd.Series[str]) -> pd.Series[bool]:
        trimmed = texts.str.strip()
        found: pd.Series[bool] = test(trimmed, pattern)
        return found & (trimmed != "")

    holds: pd.Series[bool] = columns.on_uniques(columns.to_texts(values), find)
    return _settle(holds, refusals)


def _find_missing(node: IsMissing, rows: _Rows) -> _Result:
    values, refusals = _evaluate(node.operand, rows)
    return _settle(columns.is_missing(values), refusals)


def _not(node: Not, rows: _Rows) -> _Result:
    holds, refusals = _evaluate(node.operand, rows)
    return _settle(~holds, refusals)


def _join_parts(node: And | Or, rows: _Rows) -> _Result:
    """Join conditions by ``or`` (one that holds decides) or ``and`` (one that surely does not hold decides)."""
    decisive = isinstance(node, Or)
    results = [_evaluate(part, rows) for part in node.parts]
    holds = reduce(operator.or_ if decisive else operator.and_, [values for values, _ in results])
    refusals = _flatten(refusals for _, refusals in results)
    if not refusals:
        return holds, ()
    sure = [(values == decisive) & ~_union_rows(refused, rows.index) for values, refused in results]
    return _settle(holds, _restrict(refusals, ~reduce(operator.or_, sure)))


def _evaluate_numbers(node: Node, rows: _Rows) -> _Result:
    values, refusals = _evaluate(node, rows)
    numbers, more = _read_numbers(node, values)
    return numbers, refusals + more


def _read_numbers(node: Node, values: pd.Series[Any]) -> _Result:
    numbers, refused = columns.to_numbers(values)
    return numbers, _refuse(node, NOT_A_NUMBER, refused)


def _unify(nodes: list[Node], results: list[_Result]) -> list[_Result]:
    """Bring values to one kind: if one is a number, all are, and a text that is not a number is refused."""
    if all(columns.kind_of_values(values) == "text" for values, _ in results):
        return results
    unified = []
    for node, (values, refusals) in zip(nodes, results, strict=True):
        numbers, more = _read_numbers(node, values)
        unified.append((numbers, refusals + more))
    return unified


def _refuse_infinite(values: pd.Series[Any], node: Node) -> _Result:
    if columns.kind_of_values(values) != "number":
        return values, ()
    numbers, infinite = columns.drop_infinite(values)
    return numbers, _refuse(node, NOT_FINITE, infinite)


def _refuse(node: Node, reason: str, rows: pd.Series[bool] | None) -> tuple[Refusal, ...]:
    return () if rows is None or not rows.any() else (Refusal(to_text(node), reason, rows),)


def _restrict(refusals: Iterable[Refusal], rows: pd.Series[bool]) -> tuple[Refusal, ...]:
    kept = [replace(refusal, rows=refusal.rows & rows) for refusal in refusals]
    return tuple(refusal for refusal in kept if refusal.rows.any())


def _settle(values: pd.Series[Any], refusals: tuple[Refusal, ...]) -> _Result:
    """Set refused rows to missing, conditions to False, so that no answer is built on one that was not given."""
    if not refusals:
        return values, ()
    nothing = {"number": np.nan, "text": "", "condition": False}[columns.kind_of_values(values)]
    return values.mask(_union_rows(refusals, values.index), nothing), refusals


def _union_rows(refusals: Iterable[Refusal], index: pd.Index[Any]) -> pd.Series[bool]:
    rows = np.zeros(len(index), dtype="bool")
    for refusal in refusals:
        rows |= refusal.rows.to_numpy()
    return pd.Series(rows, index=index, dtype="bool")


def _flatten(refusals: Iterable[tuple[Refusal, ...]]) -> tuple[Refusal, ...]:
    return tuple(chain.from_iterable(refusals))


_CALCULATE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

_TEXT_TESTS: dict[str, Callable[[Any, str], Any]] = {
    "matches": columns.matches,
    "contains": lambda texts, sought: texts.str.contains(sought, regex=False),
    "starts with": lambda texts, sought: texts.str.startswith(sought),
}

_EVALUATE: dict[type[Node], Callable[[Any, _Rows], _Result]] = {
    TextLiteral: lambda node, rows: (columns.repeat_text(node.value, rows.index), ()),
    MissingLiteral: lambda _, rows: (columns.repeat_text("", rows.index), ()),
    NumberLiteral: lambda node, rows: (columns.repeat_number(node.value, rows.index), ()),
    Column: _read_column,
    Negative: _negate,
    Arithmetic: _calculate,
    Call: _call,
    Comparison: _compare,
    IsIn: _find_in,
    IsMissing: _find_missing,
    TextTest: _test_text,
    Not: _not,
    And: _join_parts,
    Or: _join_parts,
}
