"""A compiled mapping: frozen objects with an address each, made by ``sdtm.compile`` before a row is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sdtm.conventions import Address, Conventions
from sdtm.expressions import Expression
from sdtm.operation import Operation


@dataclass(frozen=True)
class Rule:
    """One operation that fills one variable, or several at once."""

    targets: tuple[str, ...]
    operation: Operation
    arguments: Mapping[str, Any]
    reads: frozenset[str]
    address: Address
    text: str = ""


@dataclass(frozen=True)
class SuppRule:
    """A supplemental qualifier: its rule (the target is QNAM), label, origin and evaluator."""

    rule: Rule
    label: str
    origin: str = ""
    evaluator: str = ""

    @property
    def name(self) -> str:
        """QNAM."""
        return self.rule.targets[0]


@dataclass(frozen=True)
class Join:
    """A raw table joined to the source; its columns are then called ``alias.column``."""

    table: str
    alias: str
    on: Mapping[str, str]
    cardinality: str
    required: bool
    where: Expression | None
    between: Mapping[str, tuple[str, str]]
    wildcard: Mapping[str, tuple[str, str]]
    address: Address


@dataclass(frozen=True)
class LongItem:
    """One stack of a wide table: new column name -> source column, and new column name -> constant."""

    columns: Mapping[str, str]
    values: Mapping[str, str]
    address: Address


@dataclass(frozen=True)
class Wide:
    """A long table made wide: one row per ``by``, one new column per listed name."""

    by: tuple[str, ...]
    name: str
    value: str
    columns: Mapping[str, str]
    address: Address


@dataclass(frozen=True)
class Unique:
    """Rows counted once: of those with the same key, the last (or first) in the order of a column is kept."""

    by: tuple[str, ...]
    order: str
    keep: str
    expected: bool
    address: Address


@dataclass(frozen=True)
class Example:
    """Given raw values, these SDTM values are expected."""

    given: Mapping[str, str]
    expect: Mapping[str, str]
    address: Address


@dataclass(frozen=True)
class Block:
    """One source of a domain's records."""

    source: str
    address: Address
    helpers: Mapping[str, Rule] = field(default_factory=dict)
    joins: tuple[Join, ...] = ()
    long: tuple[LongItem, ...] = ()
    wide: Wide | None = None
    unique: Unique | None = None
    where: Expression | None = None
    variables: tuple[Rule, ...] = ()
    supp: tuple[SuppRule, ...] = ()
    not_submitted: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    @cached_property
    def reads(self) -> frozenset[str]:
        """Every name that a helper, join, condition or rule of this block reads, after the rows are stacked."""
        rules = (*self.helpers.values(), *self.variables, *(supp.rule for supp in self.supp))
        names = frozenset().union(*(rule.reads for rule in rules))
        for join in self.joins:
            names |= {*join.on, *join.between, *join.wildcard}
        if self.unique is not None:
            names |= {*self.unique.by, *([self.unique.order] if self.unique.order else [])}
        return names | (self.where.columns if self.where else frozenset())


@dataclass(frozen=True)
class DomainMapping:
    """How one domain is made: its blocks, then what is derived from the stacked records."""

    domain: str
    address: Address
    blocks: tuple[Block, ...]
    derived: tuple[Rule, ...] = ()
    keep: Expression | None = None
    order: tuple[str, ...] = ()
    cutoff: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """Every variable of the parent domain that some rule fills, each once."""
        rules = [rule for block in self.blocks for rule in block.variables] + list(self.derived)
        return tuple(dict.fromkeys(name for rule in rules for name in rule.targets))


@dataclass(frozen=True)
class RelatedDatasets:
    """Datasets related as a whole: each by a variable, on the side ONE or MANY (SDTMIG 3.4 section 8.3)."""

    relid: str
    sides: tuple[tuple[str, str, str], ...]
    address: Address


@dataclass(frozen=True)
class RelatedRecords:
    """Records of two domains of one subject related where two variables (or helpers) have the same value."""

    relid: str
    sides: tuple[tuple[str, str], ...]
    address: Address


@dataclass(frozen=True)
class StudyMapping:
    """All domains of a study, how they are related, and the order in which derived variables are filled."""

    conventions: Conventions
    domains: Mapping[str, DomainMapping]
    relations: tuple[RelatedDatasets | RelatedRecords, ...] = ()
    order: tuple[tuple[str, Rule], ...] = ()


def is_helper(name: str) -> bool:
    """Say whether a variable is a helper (``_name``): known to later rules, never submitted."""
    return name.startswith("_")
