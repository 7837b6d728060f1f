"""
What can be known about an expression before a row is read: the kinds of its parts, and whether they fit together.

A column's kind is not known (raw columns are text, SDTM columns text or numbers), so it fits everywhere but in the
place of a condition; where a number is wanted its texts are read as numbers when the rows are there.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Literal

from sdtm.expressions.functions import FUNCTIONS, Function, Parameter
from sdtm.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Comparison,
    IsIn,
    IsMissing,
    Negative,
    Node,
    Not,
    NumberLiteral,
    Or,
    TextLiteral,
    TextTest,
    to_text,
)
from sdtm.expressions.values import is_number, pattern_fault

Kind = Literal["text", "number", "condition"]


class KindError(ValueError):
    """Parts that do not fit together; ``at`` is where in the text (0 is the first character)."""

    def __init__(self, node: Node, reason: str) -> None:
        self.at, self.reason = node.at, reason
        super().__init__(reason)


def find_kind(node: Node) -> Kind | None:
    """Return an expression's kind, None where only the columns can tell; KindError where parts do not fit."""
    kind: Kind | None = None
    match node:
        case TextLiteral():
            kind = "text"
        case NumberLiteral(value):
            kind = _check_number(node, value)
        case Negative(operand):
            kind = _require_numbers([operand])
        case Arithmetic(_, left, right):
            kind = _require_numbers([left, right])
        case Call():
            kind = _find_call_kind(node)
        case Comparison() | IsIn() | IsMissing() | TextTest() | Not() | And() | Or():
            kind = _check_condition(node)
    return kind


def _check_number(node: Node, value: float) -> Kind:
    if math.isinf(value):
        raise KindError(node, "too large for a number")
    return "number"


def require_condition(node: Node) -> None:
    """Raise KindError unless the node is a condition."""
    if find_kind(node) != "condition":
        shown = to_text(node)
        raise KindError(node, f"expected a condition, such as {shown} = 'Y', found the value {shown}")


def _check_condition(node: Node) -> Kind:
    match node:
        case Comparison(_, left, right):
            _unify_kinds([left, right])
        case IsIn(operand, items):
            _unify_kinds([operand, *items])
        case IsMissing(operand):
            _require_value(operand)
        case TextTest(test, operand, pattern):
            _require_value(operand)
            _check_pattern(test, pattern)
        case Not(operand):
            require_condition(operand)
        case And(parts) | Or(parts):
            for part in parts:
                require_condition(part)
    return "condition"


def _check_pattern(test: str, pattern: TextLiteral) -> None:
    fault = pattern_fault(pattern.value) if test == "matches" else ""
    if fault:
        raise KindError(pattern, f"not a regular expression: {fault}")
    if not pattern.value:
        raise KindError(pattern, "expected a text that is not empty")


def _require_value(node: Node) -> Kind | None:
    kind = find_kind(node)
    if kind == "condition":
        raise KindError(node, f"expected a text or a number, found the condition {to_text(node)}")
    return kind


def _require_numbers(nodes: Iterable[Node]) -> Kind:
    for node in nodes:
        _require_value(node)
        if isinstance(node, TextLiteral) and not is_number(node.value):
            raise KindError(node, f"expected a number, found the text {to_text(node)}")
    return "number"


def _unify_kinds(nodes: Iterable[Node]) -> Kind | None:
    """Return the kind that these have together: numbers if one is a number, texts if all are."""
    nodes = list(nodes)
    kinds = {_require_value(node) for node in nodes}
    if "number" in kinds:
        return _require_numbers(nodes)
    return "text" if kinds == {"text"} else None


def _find_call_kind(node: Call) -> Kind | None:
    function = _find_function(node)
    _check_arity(node, function)
    for position, argument in enumerate(node.arguments):
        _check_argument(argument, function.parameter(position))
    if function.returns == "value":
        places = [function.parameter(position).wanted.kind for position in range(len(node.arguments))]
        return _unify_kinds(each for each, place in zip(node.arguments, places, strict=True) if place == "value")
    return "number" if function.returns == "number" else "text"


def _find_function(node: Call) -> Function:
    if node.name in FUNCTIONS:
        return FUNCTIONS[node.name]
    close = difflib.get_close_matches(node.name, FUNCTIONS, n=1)
    advice = f"did you mean {close[0]!r}?" if close else f"the functions are {', '.join(sorted(FUNCTIONS))}"
    raise KindError(node, f"there is no function {node.name!r}; {advice}")


def _check_arity(node: Call, function: Function) -> None:
    least, most = function.arity()
    given = len(node.arguments)
    if given < least or (most is not None and given > most):
        takes = f"{least}" if most == least else f"{least} or more" if most is None else f"{least} to {most}"
        noun = "argument" if takes == "1" else "arguments"
        raise KindError(node, f"{node.name} takes {takes} {noun}, not {given}: {function.signature}")


def _check_argument(node: Node, parameter: Parameter) -> None:
    if parameter.literal:
        _check_literal(node, parameter)
    elif parameter.wanted.kind == "condition":
        require_condition(node)
    elif parameter.wanted.kind == "number":
        _require_numbers([node])
    else:
        _require_value(node)


def _check_literal(node: Node, parameter: Parameter) -> None:
    wanted = NumberLiteral if parameter.wanted.kind == "whole number" else TextLiteral
    if not isinstance(node, wanted):
        kind = "whole number" if wanted is NumberLiteral else "text in quotes"
        raise KindError(node, f"expected a {kind} as {parameter.name}, found {to_text(node)}")
    fault = parameter.wanted.fault(node.value) if parameter.wanted.fault else ""
    if fault:
        raise KindError(node, f"{fault} as {parameter.name}")
