"""
The kinds of parameter an operation can have: how YAML becomes a value, which columns it reads, how it is documented.

An operation's keys in YAML are the keyword parameters of its function, and their annotations are kinds of this
module (or ``Literal``, ``bool``, ``int``). The linker, the JSON Schema and the reference page all read them there.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NewType, get_args, get_origin

from sdtm.conventions import Conventions, Lookup
from sdtm.dates import DateFormat, parse_date_format
from sdtm.expressions import Expression, ExpressionError, parse_expression
from specs.model import Codelist, Specs

ColumnName = NewType("ColumnName", str)
ColumnNames = NewType("ColumnNames", tuple[str, ...])
Formula = NewType("Formula", Expression)
Condition = NewType("Condition", Expression)
Constant = NewType("Constant", str)
ValueMap = NewType("ValueMap", Mapping[str, str])
StandardUnits = NewType("StandardUnits", Mapping[str, str])
Suffix = NewType("Suffix", str)


@dataclass(frozen=True)
class Case:
    """One branch: ``when`` (nothing: always) and the expression ``then``."""

    when: Expression | None
    then: Expression


Cases = NewType("Cases", tuple[Case, ...])


@dataclass(frozen=True)
class Scope:
    """What a parameter's value may name: the study's conventions and the specifications."""

    conventions: Conventions
    specs: Specs


class ParameterError(ValueError):
    """A value that its parameter does not accept: the reason and the cure."""

    def __init__(self, reason: str, cure: str = "") -> None:
        super().__init__(reason)
        self.reason, self.cure = reason, cure


def suggest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name nearest to *name*, as a cure."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    shown = ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")
    return f"known: {shown}" if names else ""


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ParameterError(f"expected text, not {value!r}")
    return str(value)


def _column(value: object, _: Scope) -> str:
    return _text(value)


def _columns(value: object, _: Scope) -> tuple[str, ...]:
    return tuple(_text(item) for item in (value if isinstance(value, list) else [value]))


def _expression(value: object, _: Scope) -> Expression:
    return compile_expression(_text(value))


def compile_expression(text: str, *, condition: bool = False) -> Expression:
    """Parse an expression of a specification; ParameterError says what is wrong with it and where."""
    try:
        return parse_expression(text, condition=condition)
    except ExpressionError as error:
        raise ParameterError(str(error)) from None


def _condition(value: object, _: Scope) -> Expression:
    return compile_expression(_text(value), condition=True)


def _cases(value: object, scope: Scope) -> tuple[Case, ...]:
    if not isinstance(value, list) or not value:
        raise ParameterError("expected a list of {when: ..., then: ...}, the last may be {else: ...}")
    return tuple(_case(item, last=index == len(value) - 1, scope=scope) for index, item in enumerate(value))


def _case(item: object, *, last: bool, scope: Scope) -> Case:
    if isinstance(item, dict) and set(item) == {"when", "then"}:
        return Case(_condition(item["when"], scope), _expression(item["then"], scope))
    if isinstance(item, dict) and set(item) == {"else"} and last:
        return Case(None, _expression(item["else"], scope))
    raise ParameterError(f"not a branch: {item!r}", "write {when: condition, then: value}, and last {else: value}")


def _map(value: object, _: Scope) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ParameterError("expected pairs, collected: value")
    return {str(key): "" if item is None else _text(item) for key, item in value.items()}


def _codelist(value: object, scope: Scope) -> Codelist:
    name = _text(value)
    found = scope.specs.codelist(name)
    if found is None:
        raise ParameterError(
            f"codelist {name} is not in {scope.specs.terminology.version} nor in the study's codelists",
            "use the list's short name (NY, OUT) or its C-code, or declare it in the study's codelists.yaml",
        )
    return found


def _date_format(value: object, scope: Scope) -> DateFormat:
    return compile_date_format(_text(value), formats=scope.conventions.dates)


def compile_date_format(text: str, *, formats: Mapping[str, DateFormat]) -> DateFormat:
    """Find a date format by the name the study gave it, or compile the pattern itself."""
    if text in formats:
        return formats[text]
    try:
        return parse_date_format(text)
    except ValueError as error:
        raise ParameterError(str(error), suggest(text, formats) if formats else "") from None


def _lookup(value: object, scope: Scope) -> Lookup:
    name = _text(value)
    if name not in scope.conventions.lookups:
        raise ParameterError(f"no lookup table {name}", suggest(name, scope.conventions.lookups))
    return scope.conventions.lookups[name]


def _units(value: object, scope: Scope) -> Mapping[str, str]:
    return _map(value, scope)


def _nothing(_: Any) -> frozenset[str]:
    return frozenset()


def _reads_cases(cases: tuple[Case, ...]) -> frozenset[str]:
    read = [case.then.columns for case in cases] + [case.when.columns for case in cases if case.when]
    return frozenset().union(*read)


@dataclass(frozen=True)
class Kind:
    """How one kind of parameter is parsed, what it reads, and how it is written in YAML."""

    parse: Callable[[Any, Scope], Any]
    reads: Callable[[Any], frozenset[str]]
    schema: Mapping[str, Any]
    words: str


_STRING: Mapping[str, Any] = {"type": ["string", "number"]}
_PAIRS: Mapping[str, Any] = {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}}
_CASES: Mapping[str, Any] = {"type": "array", "minItems": 1, "items": {"type": "object"}}

KINDS: Mapping[Any, Kind] = {
    ColumnName: Kind(_column, lambda name: frozenset({name}), _STRING, "a column"),
    ColumnNames: Kind(
        _columns,
        frozenset,
        {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "a column or a list of columns",
    ),
    Formula: Kind(_expression, lambda expression: expression.columns, _STRING, "an expression"),
    Condition: Kind(_condition, lambda expression: expression.columns, {"type": "string"}, "a condition"),
    Constant: Kind(lambda value, _: _text(value), _nothing, _STRING, "a constant"),
    Cases: Kind(
        _cases, _reads_cases, _CASES, "a list of {when: condition, then: expression}, last {else: expression}"
    ),
    ValueMap: Kind(_map, _nothing, _PAIRS, "pairs of collected and submitted value"),
    StandardUnits: Kind(_units, _nothing, _PAIRS, "pairs of test and standard unit"),
    Codelist: Kind(_codelist, _nothing, {"type": "string"}, "a codelist's short name or C-code"),
    DateFormat: Kind(_date_format, _nothing, {"type": "string"}, "a date format of study.yaml, or a pattern"),
    Lookup: Kind(_lookup, _nothing, {"type": "string"}, "a lookup table of study.yaml"),
    Suffix: Kind(_column, _nothing, {"type": "string"}, "a name"),
    bool: Kind(lambda value, _: _flag(value), _nothing, {"type": "boolean"}, "true or false"),
    int: Kind(lambda value, _: _integer(value), _nothing, {"type": "integer"}, "a whole number"),
}


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ParameterError(f"expected true or false, not {value!r}")
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ParameterError(f"expected a whole number, not {value!r}")
    return value


def kind_of(annotation: Any) -> Kind:
    """Return the kind of an annotation; a ``Literal`` is a choice, ``X | None`` is X."""
    if get_origin(annotation) is Literal:
        return _choice(get_args(annotation))
    inner = [item for item in get_args(annotation) if item is not type(None)]
    return KINDS[inner[0]] if annotation not in KINDS and len(inner) == 1 else KINDS[annotation]


def _choice(options: tuple[Any, ...]) -> Kind:
    def parse(value: object, _: Scope) -> str:
        if value not in options:
            raise ParameterError(f"{value!r} is not one of {', '.join(options)}", suggest(str(value), options))
        return str(value)

    return Kind(parse, _nothing, {"enum": list(options)}, " or ".join(options))
