"""
Findings (faults of the data), faults (of a specification's author), and the outcome of a check.

A fault of the data is a value: it is collected, counted and reported, never thrown. A fault of a
specification is an address with a reason and a cure; many are collected before anything is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs: an error makes a dataset unfit, a warning needs a person, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


SEVERITY_ORDER = (Severity.NOTE, Severity.WARNING, Severity.ERROR)


def is_at_least(severity: Severity, threshold: Severity) -> bool:
    """Say whether *severity* weighs at least as much as *threshold*."""
    return SEVERITY_ORDER.index(severity) >= SEVERITY_ORDER.index(threshold)


class Outcome(StrEnum):
    """A check has three outcomes; one that could not run is never green."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not evaluated"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One fault of the data: which rule, where it was seen, what was seen, what to do.

    ``key`` are the record's natural keys as (variable, value) pairs, ``file``/``row``/``record`` the raw
    location (``row`` is the line or row number that a person sees in that file, the header counted).
    """

    rule: str
    severity: Severity
    message: str
    dataset: str = ""
    variables: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    key: tuple[tuple[str, str], ...] = ()
    file: str = ""
    row: int | None = None
    record: str = ""
    cure: str = ""

    def where(self) -> str:
        """Say in one phrase where this was seen."""
        parts = []
        if self.file:
            parts.append(f"{self.file}:{self.row}" if self.row is not None else self.file)
        if self.dataset:
            parts.append(".".join([self.dataset, "/".join(self.variables)]) if self.variables else self.dataset)
        if self.key:
            parts.append(" ".join(f"{name}={value}" for name, value in self.key))
        return " ".join(parts)

    def __str__(self) -> str:
        """One line: severity, rule, place, what, cure."""
        line = f"{self.severity} {self.rule} {self.where()}: {self.message}"
        return f"{line} ({self.cure})" if self.cure else line


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check over one dataset came to."""

    rule: str
    dataset: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    @classmethod
    def of(cls, rule: str, dataset: str, findings: Iterable[Finding]) -> CheckResult:
        """Passed without findings, failed with any."""
        found = tuple(findings)
        return cls(rule, dataset, Outcome.FAILED if found else Outcome.PASSED, found)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a specification: the file and line, the reason and the cure."""

    file: str
    line: int
    reason: str
    cure: str = ""

    def __str__(self) -> str:
        """One line, as compilers write it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}" + (f" - {self.cure}" if self.cure else "")


class SpecificationError(Exception):
    """Raised with every fault of a specification at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))
