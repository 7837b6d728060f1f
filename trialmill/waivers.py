"""Waivers: findings that a person accepted, with a reason; they are reported, and do not fail a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sdtm.node import Node
from specs.findings import Fault, Finding, SpecificationError
from specs.yamlfile import read_yaml

WAIVER_KEYS = ("rule", "dataset", "variable", "value", "subject", "file", "record", "reason", "by", "date")


@dataclass(frozen=True)
class Waiver:
    """What is accepted: a rule, narrowed by any of the other fields; with the reason, by whom and when."""

    rule: str
    reason: str
    by: str
    date: str
    dataset: str = ""
    variable: str = ""
    value: str = ""
    subject: str = ""
    file: str = ""
    record: str = ""

    def covers(self, finding: Finding) -> bool:
        """Say whether this waiver is about *finding*."""
        return (
            finding.rule == self.rule
            and self.dataset in ("", finding.dataset)
            and (not self.variable or self.variable in finding.variables)
            and (not self.value or self.value in finding.values)
            and (not self.subject or ("USUBJID", self.subject) in finding.key)
            and self.file in ("", finding.file)
            and self.record in ("", finding.record)
        )


def compile_waivers(path: Path, *, faults: list[Fault]) -> tuple[Waiver, ...]:
    """Read a study's waivers.yaml (a list); a study without one has none. A waiver without a reason is a fault."""
    if not path.is_file():
        return ()
    try:
        file = read_yaml(path)
    except SpecificationError as error:
        faults.extend(error.faults)
        return ()
    waivers = []
    for node in Node(file, (), file.content, faults).items(what="waivers.yaml"):
        if node.only(WAIVER_KEYS, what="a waiver"):
            required = ("rule", "reason", "by", "date")
            waivers.append(Waiver(**{key: node.text(key, required=key in required) for key in WAIVER_KEYS}))
    return tuple(waivers)


def split_waived(
    findings: Sequence[Finding], *, waivers: Sequence[Waiver]
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """Split findings into those that stand, and those that a waiver covers with its explanation."""
    standing: list[Finding] = []
    waived: list[tuple[Finding, str]] = []
    for finding in findings:
        waiver = next((waiver for waiver in waivers if waiver.covers(finding)), None)
        if waiver is None:
            standing.append(finding)
        else:
            waived.append((finding, f"{waiver.reason} ({waiver.by}, {waiver.date})"))
    return standing, waived
