"""The tree of an expression: its nodes, its columns, and the text that parses to the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

KEYWORDS = frozenset({"and", "or", "not", "in", "is", "missing", "matches", "contains"})

_PLAIN_COLUMN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)?\Z")

# How tightly each form binds, loosest first; an operand that binds looser than its place is put in parentheses.
_OR, _AND, _NOT, _TEST, _SUM, _PRODUCT, _UNARY, _ATOM = range(8)


@dataclass(frozen=True)
class Node:
    """A part of an expression; ``at`` is where it starts in the text (0 is the first character)."""

    at: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class TextLiteral(Node):
    """A text in quotes."""

    value: str


@dataclass(frozen=True)
class NumberLiteral(Node):
    """A number as written."""

    value: float


@dataclass(frozen=True)
class MissingLiteral(Node):
    """The word ``missing``."""


@dataclass(frozen=True)
class Column(Node):
    """A column by the name under which it is looked up: ``AETERM``, ``enr.ICDAT_RAW``, ``Hb (g/L)``."""

    name: str


@dataclass(frozen=True)
class Negative(Node):
    """Minus something; minus a number literal is a number literal."""

    operand: Node


@dataclass(frozen=True)
class Arithmetic(Node):
    """``left + right`` and the like."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call(Node):
    """A function of the table with its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Comparison(Node):
    """``left = right`` and the like."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class IsIn(Node):
    """``operand in (items)``; the items are literals."""

    operand: Node
    items: tuple[Node, ...]


@dataclass(frozen=True)
class IsMissing(Node):
    """``operand is missing``."""

    operand: Node


@dataclass(frozen=True)
class TextTest(Node):
    """``operand matches 'pattern'``, ``contains``, ``starts with``."""

    test: str
    operand: Node
    pattern: TextLiteral


@dataclass(frozen=True)
class Not(Node):
    """``not operand``; also ``not in`` and ``is not missing``."""

    operand: Node


@dataclass(frozen=True)
class And(Node):
    """Two or more conditions of which all must hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or(Node):
    """Two or more conditions of which one must hold."""

    parts: tuple[Node, ...]


def walk_tree(tree: Node) -> Iterator[tuple[Node, int]]:
    """Yield every node with its depth (the root's is 1); without recursion, for it guards against deep trees."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        for value in vars(node).values():
            parts = value if isinstance(value, tuple) else (value,)
            waiting.extend((part, depth + 1) for part in parts if isinstance(part, Node))


def columns_of(tree: Node) -> frozenset[str]:
    """Return the names of the columns that an expression reads."""
    return frozenset(node.name for node, _ in walk_tree(tree) if isinstance(node, Column))


def to_text(tree: Node) -> str:
    """Write a tree as the text that parses to the same tree, with no more parentheses than it needs."""
    return _write(tree)[0]


def _write(node: Node) -> tuple[str, int]:
    """Return a node's text and how tightly it binds."""
    match node:
        case Or(parts):
            written = " or ".join(_within(part, _AND) for part in parts), _OR
        case And(parts):
            written = " and ".join(_within(part, _NOT) for part in parts), _AND
        case Not(IsIn() | IsMissing() | TextTest() as test):
            written = _write_test(test, negation="not "), _TEST
        case Not(operand):
            written = f"not {_within(operand, _NOT)}", _NOT
        case Comparison(operator, left, right):
            written = f"{_within(left, _SUM)} {operator} {_within(right, _SUM)}", _TEST
        case IsIn() | IsMissing() | TextTest():
            written = _write_test(node), _TEST
        case Arithmetic(operator, left, right):
            binding = _SUM if operator in "+-" else _PRODUCT
            written = f"{_within(left, binding)} {operator} {_within(right, binding + 1)}", binding
        case Negative(operand):
            written = f"-{_within(operand, _UNARY)}", _UNARY
        case _:
            written = _write_atom(node), _ATOM
    return written


def _write_test(node: IsIn | IsMissing | TextTest, *, negation: str = "") -> str:
    operand = _within(node.operand, _SUM)
    match node:
        case IsIn():
            return f"{operand} {negation}in {_list(node.items)}"
        case IsMissing():
            return f"{operand} is {negation}missing"
        case TextTest():
            return f"{operand} {negation}{node.test} {_quoted(node.pattern.value)}"


def _write_atom(node: Node) -> str:
    match node:
        case Call(name, arguments):
            return name + _list(arguments)
        case TextLiteral(value):
            return _quoted(value)
        case NumberLiteral(value):
            return np.format_float_positional(value, trim="-")
        case Column(name):
            return _column(name)
        case _:
            return "missing"


def _within(node: Node, binding: int) -> str:
    text, own = _write(node)
    return text if own >= binding else f"({text})"


def _list(nodes: tuple[Node, ...]) -> str:
    return "(" + ", ".join(to_text(node) for node in nodes) + ")"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column(name: str) -> str:
    plain = _PLAIN_COLUMN.match(name) and name.partition(".")[0].lower() not in KEYWORDS
    return name if plain else "`" + name.replace("`", "``") + "`"
