"""Lint a study: compile and link everything it says, before a row is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sdtm.link import link_columns
from specs.findings import Fault
from trialmill.run import read_tables
from trialmill.study import Study, compile_folder


def lint_study(folder: Path, *, raw: Path | None, say: Callable[[str], None]) -> list[Fault]:
    """
    Return every fault of a study's specifications, linked to the raw export's headers where the export is there.

    What is linked and what is not is said; a study whose raw folder is elsewhere is compiled all the same.
    """
    study, faults = compile_folder(folder, raw=raw)
    if study is None:
        return sorted(set(faults))
    if not study.raw.is_dir():
        if raw is not None:
            faults.append(Fault(str(raw), 0, "no such folder", "give the transfer's folder with --raw"))
        elif not faults:
            domains = ", ".join(study.mapping.domains)
            say(f"{folder}: compiled ({domains}); raw columns not linked, {study.raw} is not there")
        return sorted(set(faults))
    faults += _link(study)
    if not faults:
        say(f"{folder}: compiled and linked to {study.raw} ({', '.join(study.mapping.domains)})")
    return sorted(set(faults))


def _link(study: Study) -> list[Fault]:
    tables, _ = read_tables(study)
    files = {name: item.source.file for name, item in study.tables.items()}
    return link_columns(study.mapping, columns={name: table.columns for name, table in tables.items()}, files=files)
