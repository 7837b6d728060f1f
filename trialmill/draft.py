"""Make a first draft of a study for a folder of raw files, which lints as it is."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from specs.ct import list_versions
from specs.findings import SpecificationError
from specs.load import list_standards, load_specs
from specs.model import Specs
from trialmill.discover import Discovered, discover_tables
from trialmill.draft_text import NOT_YET, hide, spell_domain, spell_study
from trialmill.lint import lint_study
from trialmill.profile import frame_profiles, profile_columns
from trialmill.propose import Block
from trialmill.propose_study import Columns, Plan, propose_study
from trialmill.skeleton import place_study
from trialmill.study import STUDY_FILE

PROFILE = "profile.csv"
PROPOSAL_COLUMNS = ("domain", "variable", "rule", "sure", "basis")


@dataclass(frozen=True)
class Draft:
    """
    What a draft came to.

    ``running``: the domains that have rules. ``hidden``: the domains whose file is a comment, with what they lack.
    ``others``: the files that are no tables, with the reason.
    """

    tables: int
    columns: int
    running: tuple[str, ...]
    hidden: Mapping[str, str]
    others: Mapping[str, str]


def draft_study(folder: Path, *, raw: Path) -> Draft:
    """
    Make a draft of a study in *folder* (new or empty, else CallError) for the raw files in *raw*.

    Written are study.yaml with every file and column, one file per proposed domain and profile.csv. A domain's file
    whose required variables are not all sure, or that lint would refuse, is a comment as a whole.
    """
    found = discover_tables(raw)
    columns = {table.name: profile_columns(table) for table in found.tables}
    standard, terminology = list(list_standards())[-1], list(list_versions())[-1]
    specs = load_specs(standard=standard, terminology=terminology)
    plan = propose_study(found.sources, columns=columns, specs=specs, fallback=folder.absolute().name.upper())
    drafted = _Drafted(found, columns, plan, specs, folder.absolute(), raw.absolute(), (standard, terminology))
    hidden: dict[str, str] = {}
    place_study(folder, lambda target: hidden.update(drafted.write(target)))
    running = tuple(sorted({block.domain for block in plan.blocks if block.domain} - set(hidden)))
    count = sum(len(profiled) for profiled in columns.values())
    return Draft(len(found.tables), count, running, hidden, found.others)


@dataclass(frozen=True)
class _Drafted:
    found: Discovered
    columns: Columns
    plan: Plan
    specs: Specs
    folder: Path
    raw: Path
    versions: tuple[str, str]

    def write(self, target: Path) -> dict[str, str]:
        """Write the draft, hide the domains that lint refuses, and return the hidden ones with what they lack."""
        target.mkdir(parents=True)
        domains = sorted({block.domain for block in self.plan.blocks if block.domain})
        hidden: dict[str, str] = {}
        for domain in domains:
            if not self._running(domain):
                lacking = {name for block in self._blocks(domain) for name in block.missing}
                hidden[domain] = f"required: {', '.join(sorted(lacking))}"
        for _ in range(len(domains) + 1):
            self._write_files(
                target, domains, refused={name: why for name, why in hidden.items() if self._running(name)}
            )
            refused = self._lint(target)
            if not refused:
                break
            hidden.update(refused)
        _write_text(target / PROFILE, spell_profile(self.found, self.plan, columns=self.columns))
        return dict(sorted(hidden.items()))

    def _blocks(self, domain: str) -> list[Block]:
        return [block for block in self.plan.blocks if block.domain == domain]

    def _running(self, domain: str) -> list[Block]:
        return [block for block in self._blocks(domain) if not block.missing]

    def _write_files(self, target: Path, domains: Sequence[str], *, refused: Mapping[str, str]) -> None:
        for domain in domains:
            running = self._running(domain)
            dataset = self.specs.datasets[domain]
            text = spell_domain(dataset, self._blocks(domain), columns=self.columns, running=running)
            text = hide(text, why=refused[domain]) if domain in refused else text
            _write_text(target / f"{domain.lower()}.yaml", text)
        running = [block for domain in domains if domain not in refused for block in self._running(domain)]
        raw = Path(os.path.relpath(self.raw, self.folder)).as_posix()
        study = spell_study(
            self.plan, self.found, columns=self.columns, running=running, raw=raw, transfer=self.raw.name,
            versions=self.versions,
        )  # fmt: skip
        _write_text(target / STUDY_FILE, study)

    def _lint(self, target: Path) -> dict[str, str]:
        """Return the domains that lint refuses, with the first fault; raise the faults of study.yaml."""
        faults = lint_study(target, raw=self.raw, say=lambda _: None)
        refused = {}
        for fault in reversed(faults):
            name = Path(fault.file).name
            if name == STUDY_FILE or not name.endswith(".yaml"):
                raise SpecificationError(faults)
            refused[name.removesuffix(".yaml").upper()] = f"lint refused it: {fault.reason}"
        return refused


def describe_draft(draft: Draft, *, folder: Path) -> list[str]:
    """Say in lines what a draft came to and what to do next."""
    hidden = [f"  {domain.lower()}.yaml is a comment: {why}" for domain, why in draft.hidden.items()]
    others = [f"  {file} is not a table: {why}" for file, why in draft.others.items()]
    ready = f"rules for {', '.join(draft.running)}" if draft.running else "no domain has rules yet"
    return [
        f"{folder}: {draft.tables} raw tables with {draft.columns} columns; {ready}",
        *hidden,
        *others,
        f"what is in every column: {folder / PROFILE}; next: trialmill lint {folder}",
    ]


def spell_profile(found: Discovered, plan: Plan, *, columns: Columns) -> str:
    """
    Spell profile.csv: one line per raw column with its profile and what is proposed for it.

    Where a column has several proposals they stand in one cell, separated by a bar.
    """
    profiles = frame_profiles(item for profiled in columns.values() for item in profiled)
    profiles.insert(0, "file", profiles["table"].map({source.name: source.file for source in found.sources}))
    proposals = {
        (block.table, name): [item for item in block.proposals if name in item.columns]
        for block in plan.blocks
        for item in block.proposals
        for name in item.columns
    }
    domains = {block.table: block.domain for block in plan.blocks}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*profiles.columns, *PROPOSAL_COLUMNS])
    for row in profiles.to_dict("records"):
        items = proposals.get((row["table"], row["column"]), [])
        cells = [
            domains[row["table"]],
            " | ".join(item.variable for item in items),
            " | ".join(item.rule for item in items),
            " | ".join("yes" if item.sure else "no" for item in items),
            " | ".join(item.basis for item in items) or NOT_YET,
        ]
        writer.writerow([_safe(str(cell)) for cell in (*row.values(), *cells)])
    return "\ufeff" + text.getvalue()


def _safe(cell: str) -> str:
    """A spreadsheet must not take a raw value for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") and len(cell) > 1 else cell


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
