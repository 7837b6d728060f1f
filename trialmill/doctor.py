"""
Examine an installation: versions, no stranger's package in our place, standards that load, files that can be written.

Our import packages have plain names (``adam``, ``specs``), so another distribution's package may stand before ours.
This module therefore imports nothing of ours before it has looked; ``python -m trialmill.doctor`` works even then.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "trialmill"
PACKAGES = ("adam", "define_xml", "sdtm", "specs", "trialmill")
OLDEST_PYTHON = (3, 11)
HOME = Path(__file__).resolve().parent.parent

Say = Callable[[str], None]


def examine(*, say: Say) -> list[str]:
    """Return what is wrong with this installation, one line each; what is found is said."""
    faults = [*_examine_python(say), *_examine_libraries(say)]
    strangers = [fault for name in PACKAGES for fault in find_stranger(name, home=HOME)]
    if strangers:
        return faults + strangers  # with a stranger's code in our place nothing further can be judged
    say(f"packages {', '.join(PACKAGES)}: {HOME}")
    for check in (_examine_standards, _examine_xpt):
        faults += check(say)
    return faults


def _examine_python(say: Say) -> list[str]:
    say(f"Python {sys.version.split()[0]}: {sys.executable}")
    if sys.version_info < OLDEST_PYTHON:
        return [f"Python {sys.version.split()[0]} is too old - use {'.'.join(map(str, OLDEST_PYTHON))} or newer"]
    return []


def _examine_libraries(say: Say) -> list[str]:
    try:
        needed = metadata.requires(DISTRIBUTION) or []
        say(f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}")
    except metadata.PackageNotFoundError:
        return [f"{DISTRIBUTION} is not installed, so its libraries are not known - pip install it"]
    return [fault for line in needed if "extra ==" not in line for fault in _examine_library(line, say)]


def _examine_library(requirement: str, say: Say) -> list[str]:
    match = re.match(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?", requirement)
    if match is None:
        return [f"{requirement!r} is no requirement that can be read"]
    name, least = match[1], match[2] or "0"
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return [f"{name} is missing - pip install '{requirement}'"]
    say(f"  {name} {found}")
    if _numbers(found) < _numbers(least):
        return [f"{name} {found} is too old - pip install '{requirement}'"]
    return []


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3])


def find_stranger(name: str, *, home: Path) -> list[str]:
    """Return a fault when the package that ``import name`` gives is not the one in *home*, or not ours."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        return [f"{name}: our package is not there - install {DISTRIBUTION} again"]
    path = Path(next(iter(found.submodule_search_locations))).resolve()
    if path == home / name and getattr(importlib.import_module(name), "__distribution__", "") == DISTRIBUTION:
        return []
    cure = f"uninstall it, take it off PYTHONPATH, or install {DISTRIBUTION} into an environment of its own"
    return [f"{name}: {path} is not our package {home / name} - {cure}"]


def _examine_standards(say: Say) -> list[str]:
    from specs.ct import load_terminology
    from specs.findings import SpecificationError
    from specs.load import list_standards, load_standard, terminology_versions

    try:
        for standard in list_standards():
            say(f"{standard}: {len(load_standard(standard))} datasets")
        for version in terminology_versions():
            say(f"{version}: {len(load_terminology(version).names)} codelists")
    except (SpecificationError, OSError, KeyError, ValueError) as error:
        return [f"the standards cannot be loaded: {error} - install {DISTRIBUTION} again"]
    if not list_standards() or not terminology_versions():
        return [f"the standards are not there - install {DISTRIBUTION} again"]
    return []


def _examine_xpt(say: Say) -> list[str]:
    """Write a small dataset in a temporary folder, read it back with our reader and with pyreadstat."""
    import datetime as dt

    import pandas as pd
    import pyreadstat

    from trialmill.xpt import XptDataset, XptVariable, read_xpt, write_xpt

    data = pd.DataFrame({"TEXT": ["a", ""], "NUMBER": [0.1, float("nan")]}).astype({"TEXT": "str"})
    variables = (XptVariable("TEXT", "A text", "Char", 8), XptVariable("NUMBER", "A number", "Num", 8))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test.xpt"
        findings = write_xpt(path, [XptDataset("TEST", "A test", variables, data)], stamp=dt.datetime(2000, 1, 1))
        if findings:
            return [f"XPT cannot be written: {findings[0]}"]
        theirs, _ = pyreadstat.read_xport(str(path))
        ours = read_xpt(path)[0].data
    if not (ours.equals(data) and theirs.astype({"TEXT": "str"}).equals(data)):
        return ["an XPT file reads back as something else than was written"]
    say("XPT: written, and read back by two readers")
    return []


if __name__ == "__main__":
    problems = examine(say=print)
    print("\n".join(problems), file=sys.stderr)
    sys.exit(1 if problems else 0)
