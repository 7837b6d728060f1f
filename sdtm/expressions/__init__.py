"""
The expressions of mappings: parsed by a grammar, never eval'ed, and evaluated on whole columns.

The grammar is grammar.lark, the functions are the table in expressions/functions.py, what every operator means is
written as truth tables in tests/semantics/expressions.yaml, and the reasons in
docs/decisions/0003-expression-language.md. Which columns an expression reads is known from its text alone.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pandas as pd

from sdtm.expressions import tree
from sdtm.expressions.evaluation import Columns, Evaluated, Refusal, evaluate_tree
from sdtm.expressions.functions import FUNCTIONS
from sdtm.expressions.kinds import Kind, KindError, find_kind, require_condition
from sdtm.expressions.tree import Node, columns_of, to_text

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

__all__ = [
    "Columns",
    "Evaluated",
    "Expression",
    "ExpressionError",
    "FunctionEntry",
    "Kind",
    "Refusal",
    "columns_of",
    "evaluate",
    "evaluate_condition",
    "functions",
    "parse_expression",
    "to_text",
]

# Far beyond what a person writes; they keep the recursion over the tree, and the parser's time, within bounds.
LONGEST_TEXT = 10_000
DEEPEST_TREE = 100

# What people write from other languages, and what it is called here.
FOREIGN = {
    "==": "=",
    "<>": "!=",
    "~=": "!=",
    "^=": "!=",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
}

_BACKTICKED = re.compile(r"`((?:[^`]|``)+)`")

_SHOWN = {
    "TEXT": "a text in quotes",
    "NUMBER": "a number",
    "_AND": '"and"',
    "_OR": '"or"',
    "_NOT": '"not"',
    "_IN": '"in"',
    "_IS": '"is"',
    "MISSING": '"missing"',
    "MATCHES": '"matches"',
    "CONTAINS": '"contains"',
    "STARTS_WITH": '"starts with"',
    "_OPEN": '"("',
    "_COMMA": '","',
    "_CLOSE": '")"',
    "$END": "the end",
}


@dataclass(frozen=True)
class Expression:
    """
    A parsed expression.

    ``columns``: the names of the columns it reads, qualified and without backticks (``enr.ICDAT_RAW``). ``kind``:
    "text", "number" or "condition", None where only the columns can tell (``coalesce(A, B)``).
    """

    text: str
    columns: frozenset[str]
    kind: Kind | None
    tree: Node


class ExpressionError(ValueError):
    """What is wrong with an expression, in one line; ``column`` is where in ``text`` (1 is the first character)."""

    def __init__(self, text: str, at: int, reason: str) -> None:
        self.text, self.column, self.reason = text, at + 1, reason
        shown = " ".join(text.split())
        shown = shown if len(shown) <= 100 else shown[:99] + "…"
        super().__init__(f"{shown!r}: {_say_position(text, at)}: {reason}")


class FunctionEntry(NamedTuple):
    """A function as the reference shows it."""

    name: str
    signature: str
    description: str


def parse_expression(text: str, *, condition: bool = False) -> Expression:
    """
    Parse an expression; with *condition* it must be one (``AETERM is not missing``), not a value.

    Raises ExpressionError: not in the grammar, an unknown function, wrong arguments, kinds that do not fit together.
    """
    return _parse(text, condition)


def evaluate(expression: Expression, columns: Columns, *, index: pd.Index[Any]) -> Evaluated:
    """
    Evaluate an expression on whole columns over *index*.

    *columns* gives each column of ``expression.columns`` by its name: text or numbers, over the same index. Never
    raises for what the columns hold; the rows that could not be answered are in ``Evaluated.refused``.
    """
    return evaluate_tree(expression.tree, columns, index=index)


def evaluate_condition(expression: Expression, columns: Columns, *, index: pd.Index[Any]) -> pd.Series[bool]:
    """Return the rows in which a condition holds; False where refused (``evaluate`` says which rows those are)."""
    if expression.kind != "condition":
        raise TypeError(f"not a condition: {expression.text!r}")
    return evaluate(expression, columns, index=index).values


def functions() -> tuple[FunctionEntry, ...]:
    """Return every function of the language by name: its signature and one line of description."""
    return tuple(FunctionEntry(name, each.signature, each.description) for name, each in sorted(FUNCTIONS.items()))


@lru_cache(maxsize=4096)
def _parse(text: str, condition: bool) -> Expression:
    parsed = _parse_tree(text)
    try:
        kind = find_kind(parsed)
        if condition:
            require_condition(parsed)
    except KindError as error:
        raise ExpressionError(text, error.at, error.reason) from None
    return Expression(text, columns_of(parsed), kind, parsed)


def _parse_tree(text: str) -> Node:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    _check_text(text)
    try:
        parsed = cast(Node, _parser().parse(text))  # the builders make nodes, not lark trees
    except UnexpectedToken as error:
        raise ExpressionError(text, *_explain_token(text, error)) from None
    except UnexpectedCharacters as error:
        raise ExpressionError(text, error.pos_in_stream or 0, _explain_character(text, error)) from None
    for node, depth in tree.walk_tree(parsed):
        if depth > DEEPEST_TREE:
            raise ExpressionError(text, node.at, f"nested more than {DEEPEST_TREE} deep")
    return parsed


def _check_text(text: str) -> None:
    if not text.strip():
        raise ExpressionError(text, 0, "nothing is written here")
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(text, LONGEST_TEXT, f"longer than {LONGEST_TEXT} characters")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ExpressionError(text, error.start, "half a character (a lone surrogate)") from None


def _explain_token(text: str, error: UnexpectedToken) -> tuple[int, str]:
    """Say where a text left the grammar, and what was expected there."""
    at = len(text.rstrip()) if error.token.type == "$END" else int(error.token.start_pos or 0)
    for start in (at - 1, at):
        if text[start : start + 2] in FOREIGN:
            return start, _explain_foreign(text[start : start + 2])
    accepted = error.accepts or set()
    found = "the end" if error.token.type == "$END" else repr(str(error.token))
    return at, f"expected {_say_expected(accepted)}, found {found}{_advise(error.token, accepted)}"


def _advise(token: Token, accepted: set[str]) -> str:
    word = str(token)
    if "COLUMN" in accepted and word.lower() in tree.KEYWORDS:
        return f", a keyword (a column of this name is written `{word}`)"
    if "TEXT" in accepted and "COLUMN" not in accepted and token.type == "COLUMN":
        return f" (a text is written in quotes: '{word}')"
    known = [_SHOWN[name].strip('"') for name in accepted if _SHOWN.get(name, "").startswith('"')]
    close = difflib.get_close_matches(word.lower(), sorted(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _explain_character(text: str, error: UnexpectedCharacters) -> str:
    at = error.pos_in_stream or 0
    character, pair = text[at], text[at : at + 2]
    for written in (pair, character):
        if written in FOREIGN:
            return _explain_foreign(written)
    if character in "'\"`":
        return f"the quote {character} is not closed"
    plain = unicodedata.normalize("NFKC", character)  # full-width signs of a Chinese keyboard
    return _explain_foreign(character, plain) if plain != character else f"{character!r} means nothing here"


def _explain_foreign(written: str, meant: str = "") -> str:
    return f"write {meant or FOREIGN[written]} instead of {written}"


def _say_expected(accepted: set[str]) -> str:
    if "COLUMN" in accepted:
        return "a column, a number, a text in quotes or a function" + ' or ")"' * ("_CLOSE" in accepted)
    if "_AND" in accepted:
        shown = ["an operator", *(_SHOWN[name] for name in ("_COMMA", "_CLOSE", "$END") if name in accepted)]
    else:
        shown = [_SHOWN[name] for name in _SHOWN if name in accepted]
    return " or ".join(shown)


def _say_position(text: str, at: int) -> str:
    before = text[:at].splitlines() if not text[:at].endswith("\n") else [*text[:at].splitlines(), ""]
    return f"column {at + 1}" if len(before) <= 1 else f"line {len(before)}, column {len(before[-1]) + 1}"


@lru_cache(maxsize=1)
def _parser() -> Lark:
    """Build the parser, once in a process and only when something is parsed."""
    from lark import Lark

    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    builders: Any = _builders()  # lark asks for a Transformer but only looks the functions up by name
    return Lark(grammar, parser="lalr", lexer="basic", transformer=builders)


def _builders() -> SimpleNamespace:
    """One function per rule of the grammar, from its parts to its node; the parser calls them as it goes."""
    return SimpleNamespace(
        text=lambda parts: tree.TextLiteral(_unquote(parts[0]), at=_at(parts)),
        number=lambda parts: tree.NumberLiteral(float(parts[0]), at=_at(parts)),
        negative_number=lambda parts: tree.NumberLiteral(0.0 - float(parts[1]), at=_at(parts)),
        missing=lambda parts: tree.MissingLiteral(at=_at(parts)),
        column=lambda parts: tree.Column(_column_name(parts[0]), at=_at(parts)),
        call=lambda parts: tree.Call(parts[0].lower(), tuple(parts[1:]), at=_at(parts)),
        negative=_build_negative,
        arithmetic=lambda parts: tree.Arithmetic(str(parts[1]), parts[0], parts[2], at=_at(parts)),
        comparison=lambda parts: tree.Comparison(str(parts[1]), parts[0], parts[2], at=_at(parts)),
        items=tuple,
        is_in=lambda parts: tree.IsIn(parts[0], parts[1], at=_at(parts)),
        is_not_in=lambda parts: tree.Not(tree.IsIn(parts[0], parts[1], at=_at(parts)), at=_at(parts)),
        is_missing=lambda parts: tree.IsMissing(parts[0], at=_at(parts)),
        is_not_missing=lambda parts: tree.Not(tree.IsMissing(parts[0], at=_at(parts)), at=_at(parts)),
        tested=_build_text_test,
        not_tested=lambda parts: tree.Not(_build_text_test(parts), at=_at(parts)),
        negated=lambda parts: tree.Not(parts[0], at=_at(parts)),
        conjunction=lambda parts: tree.And(tuple(parts), at=_at(parts)),
        disjunction=lambda parts: tree.Or(tuple(parts), at=_at(parts)),
    )


def _at(parts: list[Any]) -> int:
    """Return where a rule's first part starts in the text."""
    first = parts[0]
    return first.at if isinstance(first, Node) else int(first.start_pos or 0)


def _build_negative(parts: list[Any]) -> Node:
    operand = parts[1]
    if isinstance(operand, tree.NumberLiteral):
        return tree.NumberLiteral(0.0 - operand.value, at=_at(parts))
    return tree.Negative(operand, at=_at(parts))


def _build_text_test(parts: list[Any]) -> tree.TextTest:
    operand, test, pattern = parts
    literal = tree.TextLiteral(_unquote(pattern), at=int(pattern.start_pos or 0))
    return tree.TextTest(" ".join(test.lower().split()), operand, literal, at=_at(parts))


def _unquote(token: Token) -> str:
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote)


def _column_name(token: Token) -> str:
    """Return the name that is looked up: without backticks, a table and its column joined by a dot."""
    return _BACKTICKED.sub(lambda match: match[1].replace("``", "`"), token)
