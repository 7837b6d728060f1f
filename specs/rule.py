"""What a rule is; the rules themselves stand in ``specs.rules``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from specs.findings import Finding, Severity


class Location(TypedDict, total=False):
    """Where a finding was seen: the fields of ``Finding`` beside rule, severity, message and cure."""

    dataset: str
    variables: tuple[str, ...]
    values: tuple[str, ...]
    key: tuple[tuple[str, str], ...]
    file: str
    row: int | None
    record: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a stable id, the weight of breaking it, what it asks in one sentence, what cures a breach."""

    id: str
    severity: Severity
    title: str
    cure: str = ""

    def finding(
        self, message: str, *, severity: Severity | None = None, cure: str = "", **location: Unpack[Location]
    ) -> Finding:
        """Make a finding of this rule; *severity* and *cure* replace the rule's own where the case knows better."""
        return Finding(self.id, severity or self.severity, message, cure=cure or self.cure, **location)


def index_rules(*rules: Rule) -> dict[str, Rule]:
    """Index rules by id; an id that stands twice is a fault of the program."""
    indexed = {rule.id: rule for rule in rules}
    if len(indexed) != len(rules):
        raise ValueError("a rule id stands twice")
    return indexed
