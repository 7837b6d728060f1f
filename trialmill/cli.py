"""The command line: parse arguments, call, print, exit code. Heavy imports wait until a command needs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

VERSION = "0.1.0"
GOOD, FOUND, FAULT = 0, 1, 2
STUDY = click.argument("study", type=click.Path(path_type=Path))
RAW = click.option(
    "--raw", type=click.Path(path_type=Path), help="The transfer's folder (default: raw: in study.yaml)."
)
OUT = click.option("--out", type=click.Path(path_type=Path), help="The folder for outputs (default: STUDY/out).")
CUTOFF = click.option("--cutoff", default="", help="The transfer's data cut-off, YYYY-MM-DD (default: study.yaml).")
READING = click.option(
    "--reading",
    type=click.Choice(["data", "odm"]),
    default=None,
    help="Which export of a REDCap project is mapped: the flat one or ODM-XML (default: study.yaml).",
)
FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    default="error",
    show_default=True,
    help="Findings of this severity or above fail the run: exit 1, and earlier outputs stay as they are.",
)


def one_line(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn every fault of a specification or of the call into clear lines and exit 2; no traceback reaches a user."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        from specs.findings import SpecificationError
        from trialmill.faults import CallError

        try:
            return command(*args, **kwargs)
        except SpecificationError as error:
            for fault in error.faults:
                click.echo(str(fault), err=True)
            click.echo(f"{len(error.faults)} fault(s); nothing was written", err=True)
        except CallError as error:
            click.echo(str(error), err=True)
        except OSError as error:
            click.echo(f"{error.filename or 'file'}: {error.strerror or error}", err=True)
        return sys.exit(FAULT)

    return guarded


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="trialmill")
def main() -> None:
    """From a clinical trial's raw exports to a submission.

    Exit codes: 0 good, 1 findings at or above the chosen severity, 2 a fault of the specification or of the call.
    """


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--raw", type=click.Path(path_type=Path), help="A folder of raw files to draft the study from.")
@one_line
def new(folder: Path, raw: Path | None) -> None:
    """Make a new study: a small one that runs, or with --raw a draft for a folder of raw files."""
    from trialmill.skeleton import make_study

    if raw is None:
        make_study(folder)
        click.echo(f"{folder}: a study that runs; try: trialmill sdtm {folder}")
        return
    from trialmill.draft import describe_draft, draft_study

    for line in describe_draft(draft_study(folder, raw=raw), folder=folder):
        click.echo(line)


@main.command()
@click.argument("studies", nargs=-1, required=True, type=click.Path(path_type=Path))
@RAW
@one_line
def lint(studies: tuple[Path, ...], raw: Path | None) -> None:
    """Compile and link every mapping and specification, run their examples; exit 1 on a fault."""
    from trialmill.lint import lint_study

    faults = [fault for study in studies for fault in lint_study(study, raw=raw, say=click.echo)]
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        click.echo(f"{len(faults)} fault(s)", err=True)
        sys.exit(FOUND)


@main.command()
@STUDY
@RAW
@OUT
@CUTOFF
@READING
@FAIL_ON
@one_line
def sdtm(study: Path, *, raw: Path | None, out: Path | None, cutoff: str, reading: str | None, fail_on: str) -> None:
    """Turn raw exports into validated SDTM XPT files."""
    from trialmill.commands import make_sdtm

    place = out or study / "out"
    sys.exit(make_sdtm(study, raw=raw, out=place, cutoff=cutoff, reading=reading or "", fail_on=fail_on))


@main.command()
@STUDY
@OUT
@FAIL_ON
@one_line
def validate(study: Path, out: Path | None, fail_on: str) -> None:
    """Check the SDTM files in OUT/sdtm, whoever made them."""
    from trialmill.commands import validate_sdtm

    sys.exit(validate_sdtm(study, out=out or study / "out", fail_on=fail_on))


@main.group()
def ct() -> None:
    """Controlled terminology: list the versions, import another release."""


@ct.command("list")
@click.option("--to", "study", type=click.Path(path_type=Path), help="Also the versions imported into this study.")
@one_line
def ct_list(study: Path | None) -> None:
    """List the terminology versions that study.yaml can pin."""
    from specs.ct import list_versions

    for version in list_versions([study / "ct"] if study else []):
        click.echo(version)


@ct.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "study", type=click.Path(path_type=Path), required=True, help="The study to import it into.")
@click.option("--name", default="", help="The version's name (default: from the file), for example sdtm-2025-09-26.")
@one_line
def ct_import(file: Path, study: Path, name: str) -> None:
    """Read an NCI EVS release (tab text, CSV or ODM-XML) as a further version."""
    from trialmill.commands import import_terminology

    click.echo(import_terminology(file, study=study, name=name))


@main.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path("docs"), show_default=True)
@one_line
def docs(folder: Path) -> None:
    """Write the mapping language's reference page and its JSON Schema for editors."""
    from trialmill.language_docs import write_language_docs

    for path in write_language_docs(folder):
        click.echo(str(path))


@main.command()
def doctor() -> None:
    """Say whether this installation is whole: versions, and no stranger's package in our place."""
    from trialmill.doctor import examine

    faults = examine(say=click.echo)
    for fault in faults:
        click.echo(fault, err=True)
    sys.exit(FOUND if faults else GOOD)


def _not_there(name: str, what: str) -> None:
    @main.command(name, help=f"{what} (not there yet).", context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1)
    def command(arguments: tuple[str, ...]) -> None:
        del arguments
        click.echo(f"trialmill {name}: not there yet ({what}); sdtm, validate and lint are", err=True)
        sys.exit(FAULT)


_not_there("adam", "ADaM datasets")
_not_there("define", "define.xml")
_not_there("report", "the report of a transfer")
_not_there("package", "the submission package")
_not_there("run", "the whole pipeline")
