"""The table at the end of a run: what each domain came to."""

from __future__ import annotations

from collections import Counter

from specs.findings import Severity
from trialmill.run import Run

HEADER = ("domain", "records", "subjects", "raw rows", "refused", "errors", "warnings", "notes", "seconds")


def summary_lines(run: Run) -> list[str]:
    """
    Spell the table: domain, records, subjects, raw rows used, values refused, findings by severity, seconds.

    Raw rows are different rows of the raw files; findings that a person accepted are not counted; a last line has
    what belongs to no domain.
    """
    rows = [HEADER, *(_row(run, name) for name in run.built.domains), _row_of_the_rest(run)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return ["  " + "  ".join(_cell(row[n], widths[n], n) for n in range(len(HEADER))).rstrip() for row in rows]


def _cell(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _row(run: Run, name: str) -> tuple[str, ...]:
    domain = run.built.domains[name]
    subjects = domain.data.get("USUBJID")
    counted = "" if subjects is None else str(subjects[subjects != ""].nunique())
    used = domain.origin[domain.origin["file"].astype("str") != ""]
    rows = str(len(used.drop_duplicates(["file", "row"]))) if len(used) else ""
    supplement = "" if domain.supp is None else "+"
    seconds = run.built.seconds.get(name, 0.0)
    counts = (_count(run, {name, f"SUPP{name}"}, severity) for severity in Severity)
    return (
        f"{name}{supplement}",
        str(len(domain.data)),
        counted,
        rows,
        str(len(domain.refused)),
        *counts,
        f"{seconds:.2f}",
    )


def _row_of_the_rest(run: Run) -> tuple[str, ...]:
    known = {name for domain in run.built.domains for name in (domain, f"SUPP{domain}")}
    rest = {finding.dataset for finding in run.findings} - known
    counts = (_count(run, rest, severity) for severity in Severity)
    return ("raw files", "", "", "", "", *counts, "")


def _count(run: Run, datasets: set[str], severity: Severity) -> str:
    counted = Counter(finding.severity for finding in run.findings if finding.dataset in datasets)
    return str(counted[severity])
