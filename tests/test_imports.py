"""Rules of the whole project that a reader can count on: who imports whom, what engine code never holds or does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from specs.yamlfile import read_yaml
from trialmill.cli import main

PROJECT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "specs": set(),
    "sdtm": {"specs"},
    "define_xml": {"specs"},
    "adam": {"specs", "sdtm.dates"},
    "trialmill": {"specs", "sdtm", "define_xml", "adam"},
}
MODULES = sorted(path for name in MAY_IMPORT for path in (PROJECT / name).rglob("*.py"))
LONGEST_FILE = 500
ROW_BY_ROW = {"iterrows", "itertuples"}


def _id(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


every_module = pytest.mark.parametrize("path", MODULES, ids=_id)


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; what a relative import names is of the same package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@every_module
def test_packages_import_only_what_they_may(path: Path) -> None:
    """For specs nobody; for sdtm and define_xml specs; for adam specs and sdtm.dates; trialmill for nobody."""
    package = path.relative_to(PROJECT).parts[0]
    allowed = {package, *MAY_IMPORT[package]}
    ours = [name for name in imported(path) if name.split(".")[0] in MAY_IMPORT]
    strange = [name for name in ours if not any(f"{name}.".startswith(f"{one}.") for one in allowed)]
    assert strange == []


def _study_names() -> set[str]:
    names = set()
    for file in PROJECT.glob("mappings/*/study.yaml"):
        names |= {file.parent.name, str(read_yaml(file).content["study"])}
    return names


@every_module
def test_engine_names_no_study(path: Path) -> None:
    """A study's name or folder stands in no engine code: what is true of one study belongs into its mapping."""
    text = path.read_text(encoding="utf-8")
    named = [
        name for name in _study_names() if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text, re.I)
    ]
    assert named == []


@every_module
def test_files_are_short(path: Path) -> None:
    """A file can be read in one sitting."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@every_module
def test_data_is_not_walked_row_by_row(path: Path) -> None:
    """Whole columns, never rows: no iterrows, itertuples or apply(axis=1)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in ROW_BY_ROW:
            found.append(f"line {node.lineno}: {node.attr}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "apply":
            axes = [item.value for item in node.keywords if item.arg == "axis"] + node.args[1:2]
            if any(isinstance(axis, ast.Constant) and axis.value in (1, "columns") for axis in axes):
                found.append(f"line {node.lineno}: apply(axis=1)")
    assert found == []


@every_module
def test_faults_are_not_swallowed(path: Path) -> None:
    """No bare except and no except Exception: who catches, says what."""
    handlers = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ExceptHandler)
    ]
    broad = [
        node.lineno
        for node in handlers
        if node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
    ]
    assert broad == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["sdtm", "--help"]], ids=" ".join)
def test_help_is_quick(arguments: list[str]) -> None:
    """Asking for help loads neither pandas nor the engine."""
    code = f"""
import sys
from trialmill.cli import main
main({arguments!r}, standalone_mode=False)
print(*(name for name in ("pandas", "numpy", "pyarrow", "sdtm.build") if name in sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def commands() -> dict[str, click.Command]:
    """Every command with its whole name, those of groups as well."""
    found: dict[str, click.Command] = {}
    for name, command in main.commands.items():
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": one for below, one in command.commands.items()}
    return found


@pytest.mark.parametrize(("name", "command"), commands().items(), ids=commands())
def test_every_command_has_help_and_stands_in_the_readme(name: str, command: click.Command) -> None:
    """The README's list of commands is whole."""
    assert command.get_short_help_str()
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    listed = readme.partition("## Commands")[2].partition("\n## ")[0]
    assert re.search(rf"^\| `trialmill {name}\b", listed, re.M), f"README lists no trialmill {name}"


def test_readme_names_no_command_that_is_not_there() -> None:
    """What the README lists can be run."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `trialmill ([a-z-]+(?: (?:list|import))?)", readme, re.M)
    assert set(listed) <= set(commands())


PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *PROJECT.glob("docs/**/*.md"),
]


@pytest.mark.parametrize("page", sorted(PAGES), ids=_id)
def test_links_lead_to_files(page: Path) -> None:
    """No page links to a file that is not there."""
    links = re.findall(r"\]\((?!https?://)([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_decision_is_in_the_index() -> None:
    """The index lists every page, and they are numbered without a gap."""
    folder = PROJECT / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name[:4] for name in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in pages if f"]({name})" not in index] == []
