"""What the commands do, behind the command line: call the pipeline, write, tell."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
import pandas as pd

from specs.findings import CheckResult, Finding, Outcome, Severity, is_at_least
from specs.schema import check_dataset, check_study
from trialmill.cli import FOUND, GOOD, VERSION
from trialmill.faults import CallError
from trialmill.run import Run, run_sdtm
from trialmill.study import read_study
from trialmill.summary import summary_lines
from trialmill.waivers import split_waived
from trialmill.write import (
    count_by,
    fresh_folder,
    put_in_place,
    write_accounts,
    write_findings,
    write_lineage,
    write_manifest,
    write_sdtm,
)
from trialmill.xpt import XptReadError, read_xpt

SHOWN = 20
OTHER_STEPS = 4  # reading, derived variables, checking, writing
REJECTED = "rejected"


def make_sdtm(folder: Path, *, raw: Path | None, out: Path, cutoff: str, fail_on: str, reading: str = "") -> int:
    """
    Run a study and put its outputs in place; returns the exit code.

    A run that fails leaves earlier outputs as they are: its own go to OUT/rejected for inspection.
    """
    study = read_study(folder, raw=raw, cutoff=cutoff, reading=reading)
    with showing_progress(len(study.mapping.domains) + OTHER_STEPS) as progress:
        run = run_sdtm(study, progress=progress)
        progress("writing")
        failed = _write(run, out, threshold=Severity(fail_on))
    _tell(run, out=out, failed=failed)
    return FOUND if failed else GOOD


def _write(run: Run, out: Path, *, threshold: Severity) -> bool:
    """Write all outputs of a run, whole, to *out*; to its folder for rejected runs when the run fails."""
    with fresh_folder(out) as fresh:
        for name in ("sdtm", "lineage", "report"):
            (fresh / name).mkdir()
        run.findings += write_sdtm(run, fresh / "sdtm")
        write_lineage(run, fresh / "lineage")
        write_findings(run, fresh / "report")
        write_accounts(run, fresh / "report")
        write_manifest(run, fresh, version=VERSION)
        failed = run.fails(threshold)
        rejected = out / REJECTED
        if failed:
            fresh.chmod(0o755)
            put_in_place(fresh, rejected)
        else:
            for path in sorted(fresh.iterdir()):
                put_in_place(path, out / path.name)
            shutil.rmtree(rejected, ignore_errors=True)
    return failed


def _tell(run: Run, *, out: Path, failed: bool) -> None:
    for line in summary_lines(run):
        click.echo(line)
    _tell_findings(run.findings, checks=run.checks)
    if run.waived:
        click.echo(f"  {len(run.waived)} finding(s) accepted in waivers.yaml")
    place = out / REJECTED if failed else out
    click.echo(f"findings: {place / 'report' / 'findings.csv'}")
    if failed:
        click.echo(f"not put in place: the new datasets are in {place}; {out / 'sdtm'} is as it was", err=True)
    else:
        click.echo(f"SDTM: {out / 'sdtm'}")


def _tell_findings(findings: list[Finding], *, checks: list[CheckResult]) -> None:
    outcomes = Counter(check.outcome for check in checks)
    spelled = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in Outcome)
    counts = ", ".join(f"{count} {name}(s)" for name, count in count_by(findings).items())
    click.echo(f"checks: {spelled}; findings: {counts}")
    for check in checks:
        if check.outcome == Outcome.NOT_EVALUATED:
            click.echo(f"  not evaluated {check.rule} {check.dataset}: {check.reason}", err=True)
    heavy = [finding for finding in findings if finding.severity != Severity.NOTE]
    for finding in heavy[:SHOWN]:
        click.echo(f"  {finding}", err=True)
    if len(heavy) > SHOWN:
        click.echo(f"  ... and {len(heavy) - SHOWN} more", err=True)


def validate_sdtm(folder: Path, *, out: Path, fail_on: str) -> int:
    """
    Check the XPT files in OUT/sdtm against the study's specifications; returns the exit code.

    Where the run that wrote them left its lineage, findings name the raw rows; waivers count as in a run.
    """
    study = read_study(folder)
    frames = _read_datasets(out / "sdtm")
    origins = _read_origins(out / "lineage", frames)
    checks: list[CheckResult] = []
    for name, data in frames.items():
        checks += check_dataset(data, name=name, specs=study.specs, origin=origins.get(name))
    checks += check_study(frames, specs=study.specs, origins=origins)
    found = [finding for check in checks for finding in check.findings]
    findings, waived = split_waived(found, waivers=study.waivers)
    _tell_findings(findings, checks=checks)
    if waived:
        click.echo(f"  {len(waived)} finding(s) accepted in waivers.yaml")
    threshold = Severity(fail_on)
    bad = any(is_at_least(finding.severity, threshold) for finding in findings)
    return FOUND if bad or any(check.outcome == Outcome.NOT_EVALUATED for check in checks) else GOOD


def _read_origins(folder: Path, frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Read where the records came from, for the datasets whose lineage has as many records."""
    paths = {name: folder / f"{name.lower()}.parquet" for name in frames}
    found = {name: pd.read_parquet(path) for name, path in paths.items() if path.is_file()}
    return {name: origin for name, origin in found.items() if len(origin) == len(frames[name])}


def _read_datasets(folder: Path) -> Mapping[str, pd.DataFrame]:
    paths = sorted(folder.glob("*.xpt"))
    if not paths:
        raise CallError(f"{folder}: there are no XPT files to check; make them with: trialmill sdtm STUDY")
    try:
        return {member.name: member.data for path in paths for member in read_xpt(path)}
    except XptReadError as error:
        raise CallError(str(error)) from None


def import_terminology(file: Path, *, study: Path, name: str) -> str:
    """Import a terminology release into a study's ct folder; returns what to tell."""
    from specs.ct_import import read_ct_release, write_ct_version

    if not file.is_file():
        raise CallError(f"{file}: no such file")
    release = read_ct_release(file)
    path = write_ct_version(release, folder=study / "ct", version=name)
    return f"{path}: {len(release.codelists)} codelists; pin it with terminology: {path.stem} in study.yaml"


@contextmanager
def showing_progress(steps: int) -> Iterator[Callable[[str], None]]:
    """Show a bar of so many steps and what is being done on a terminal; say nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=steps)
        yield lambda text: bar.update(task, description=text, advance=1)
