"""
An operation: a plain function whose keyword parameters are its keys in YAML.

The decorator only describes the function; the table in ``sdtm.operations`` is the whole language. The linter, the
JSON Schema, the reference page and the interpreter are made from the same descriptions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_type_hints

from sdtm.conventions import Conventions
from sdtm.parameters import Cases, Kind, ValueMap, kind_of

ROWS = ("rows",)
RECORDS = ("records",)
BOTH = ("rows", "records")


def _nothing(_: Conventions) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Operation:
    """
    One operation of the mapping language.

    ``stages``: ``rows`` (section variables:, names are raw columns) and/or ``records`` (section derived:, names are
    SDTM variables). ``origin`` is the define.xml origin of what it fills. ``outputs`` are the variables it fills when
    it fills several; ``--`` stands for the domain's prefix. ``reads_many``: it knows what to do with the many records
    that a subject has in another domain.
    """

    name: str
    function: Callable[..., Any]
    stages: tuple[str, ...]
    origin: str
    outputs: tuple[str, ...] = ()
    also_reads: Callable[[Conventions], frozenset[str]] = field(default=_nothing)
    reads_many: bool = False

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """The kind of each parameter, in the order of the signature."""
        hints = get_type_hints(self.function)
        return {name: kind_of(hints[name]) for name in self._keywords}

    @cached_property
    def _keywords(self) -> Mapping[str, inspect.Parameter]:
        parameters = inspect.signature(self.function).parameters
        return {name: item for name, item in parameters.items() if item.kind is inspect.Parameter.KEYWORD_ONLY}

    @property
    def parameters(self) -> tuple[str, ...]:
        """The allowed keys."""
        return tuple(self._keywords)

    @property
    def required(self) -> tuple[str, ...]:
        """The keys that must be there."""
        return tuple(name for name, item in self._keywords.items() if item.default is inspect.Parameter.empty)

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The values of the keys that may be left out."""
        return {name: item.default for name, item in self._keywords.items() if name not in self.required}

    @property
    def first(self) -> str:
        """The key that a short form (``assign: AETERM``) fills."""
        return next(iter(self._keywords))

    @property
    def takes_map(self) -> bool:
        """Whether the operation's only key is itself a mapping or a list, so that it is always written short."""
        hints = get_type_hints(self.function)
        return len(self._keywords) == 1 and hints[self.first] in (ValueMap, Cases)

    @property
    def words(self) -> str:
        """What it does, in the words of its docstring."""
        return inspect.getdoc(self.function) or ""


def operation(
    *,
    stages: tuple[str, ...],
    origin: str,
    outputs: tuple[str, ...] = (),
    also_reads: Callable[[Conventions], frozenset[str]] = _nothing,
    reads_many: bool = False,
) -> Callable[[Callable[..., Any]], Operation]:
    """Describe a function as an operation; its name in YAML is the function's name."""

    def describe(function: Callable[..., Any]) -> Operation:
        return Operation(function.__name__.rstrip("_"), function, stages, origin, outputs, also_reads, reads_many)

    return describe
