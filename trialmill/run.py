"""The pipeline on one screen: read, build, check, write. Each call is one folder of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from sdtm.build import Built, Domain, build_study
from sdtm.coverage import check_coverage
from sdtm.link import link_columns
from sdtm.rawtable import RawTable
from specs.findings import CheckResult, Finding, Severity, SpecificationError, is_at_least
from specs.rules import RULES
from specs.schema import check_dataset, check_study
from trialmill.faults import CallError
from trialmill.raw import find_files, read_redcap, read_table
from trialmill.study import Study
from trialmill.study_raw import RawSource
from trialmill.waivers import split_waived

Progress = Callable[[str], None]


@dataclass
class Run:
    """What a run came to: the datasets, every check's outcome, every finding; those waived apart."""

    study: Study
    tables: Mapping[str, RawTable]
    built: Built
    checks: list[CheckResult]
    findings: list[Finding] = field(default_factory=list)
    waived: list[tuple[Finding, str]] = field(default_factory=list)

    def datasets(self) -> dict[str, pd.DataFrame]:
        """Every dataset by name, SUPP-- after its parent."""
        found: dict[str, pd.DataFrame] = {}
        for name, domain in self.built.domains.items():
            found[name] = domain.data
            if domain.supp is not None:
                found[f"SUPP{name}"] = domain.supp
        return found

    def fails(self, threshold: Severity) -> bool:
        """Say whether a finding weighs at least *threshold*, or a check could not be evaluated."""
        heavy = any(is_at_least(finding.severity, threshold) for finding in self.findings)
        return heavy or any(check.outcome == "not evaluated" for check in self.checks)


def run_sdtm(study: Study, *, progress: Progress = lambda _: None) -> Run:
    """
    Turn a study's raw transfer into checked SDTM datasets.

    Raises SpecificationError for a mapping that does not fit the raw export, RawError for a file that cannot be
    read, CallError for a missing transfer; what is wrong with the data comes back as findings.
    """
    progress("reading the raw transfer")
    tables, findings = read_tables(study)
    check_links(study, tables)
    built = build_study(study.mapping, tables=tables, specs=study.specs, progress=progress)
    progress("checking")
    listed = {name: item.not_submitted for name, item in study.tables.items()}
    findings += check_coverage(study.mapping, tables=tables, not_submitted=listed)
    findings += built.findings
    checks = check_domains(built.domains, study)
    findings += [finding for check in checks for finding in check.findings]
    remaining, waived = split_waived(findings, waivers=study.waivers)
    return Run(study, tables, built, checks, remaining, waived)


def read_tables(study: Study) -> tuple[dict[str, RawTable], list[Finding]]:
    """Read every raw table that study.yaml declares and submits; files it does not know are findings."""
    if not study.raw.is_dir():
        raise CallError(
            f"{study.raw}: no such folder; give the transfer's folder with --raw DIR, or raw: in study.yaml"
        )
    findings = _unknown_files(study)
    instruments: Mapping[str, RawTable] = {}
    if study.export.redcap is not None and study.export.dictionary is not None:
        instruments, found = read_redcap(study.export.redcap, study.export.dictionary, folder=study.raw)
        findings += found
    tables: dict[str, RawTable] = {}
    for name, item in study.tables.items():
        if item.whole or (item.optional and not _has_come(item, study)):
            continue
        if item.instrument:
            table = replace(instruments[item.instrument], name=name)
        else:
            table, found = read_table(item.source, folder=study.folder if item.own else study.raw)
            findings += found
        tables[name] = name_columns(table, renamed=item.renamed, optional=item.optional_columns)
    return tables, findings


def _has_come(item: RawSource, study: Study) -> bool:
    if item.instrument:
        return study.export.dictionary is not None and item.instrument in study.export.dictionary.instruments
    return bool(find_files(item.source.file, folder=study.folder if item.own else study.raw))


def name_columns(table: RawTable, *, renamed: Mapping[str, str], optional: Sequence[str]) -> RawTable:
    """Call renamed columns by the names that mappings use, and add the optional ones that did not come, empty."""
    here = set(table.columns)
    wanted = {new: old for new, old in renamed.items() if new in here and old not in here}
    data = table.data.rename(columns=wanted)
    missing = [name for name in optional if name not in data.columns]
    empty = pd.DataFrame("", index=data.index, columns=missing, dtype="str")
    return replace(table, data=data.join(empty) if missing else data)


def _unknown_files(study: Study) -> list[Finding]:
    named = [item.source.file for item in study.tables.values() if not item.own]
    named += study.export.redcap.files if study.export.redcap is not None else ()
    files = [path for name in named for path in find_files(name, folder=study.raw)]
    declared = {path.relative_to(study.raw).as_posix() for path in files}
    present = sorted(path.relative_to(study.raw).as_posix() for path in study.raw.rglob("*") if path.is_file())
    return [
        RULES["RAW-FILE-UNKNOWN"].finding(
            message=f"{name} is in the transfer, and study.yaml does not name it", file=name
        )
        for name in present
        if name not in declared and name not in study.ignored_files
    ]


def check_links(study: Study, tables: Mapping[str, RawTable]) -> None:
    """Raise SpecificationError when a mapping reads a column that the raw export does not have."""
    files = {name: item.source.file for name, item in study.tables.items()}
    faults = link_columns(study.mapping, columns={name: table.columns for name, table in tables.items()}, files=files)
    unread = [name for name in _needed_tables(study) if name not in tables]
    if unread:
        missing = ", ".join(f"{name} ({files[name]})" for name in unread)
        raise CallError(f"{study.raw}: needed by a mapping, but not there or not submitted: {missing}")
    if faults:
        raise SpecificationError(faults)


def _needed_tables(study: Study) -> list[str]:
    blocks = [block for mapping in study.mapping.domains.values() for block in mapping.blocks]
    names = [name for block in blocks for name in (block.source, *(join.table for join in block.joins))]
    return sorted(set(names))


def check_domains(domains: Mapping[str, Domain], study: Study) -> list[CheckResult]:
    """Check every dataset against its schema, and all of them together."""
    checks: list[CheckResult] = []
    frames: dict[str, pd.DataFrame] = {}
    for name, domain in domains.items():
        origin = domain.origin if domain.accounts else None
        checks += check_dataset(domain.data, name=name, specs=study.specs, origin=origin, skip=domain.refused)
        frames[name] = domain.data
        if domain.supp is not None:
            frames[f"SUPP{name}"] = domain.supp
            checks += check_dataset(domain.supp, name=f"SUPP{name}", specs=study.specs)
    origins = {name: domain.origin for name, domain in domains.items()}
    return checks + check_study(frames, specs=study.specs, origins=origins)
