"""Each study runs once for all tests, whichever process asks first; the datasets are read by an independent reader."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from read_back import read_dataset

from trialmill.cli import main


@pytest.fixture(scope="session")
def run_study(tmp_path_factory: pytest.TempPathFactory, worker_id: str, project: Path) -> Callable[..., Path]:
    """Return a function that runs a study of mappings/ (on another transfer) and gives the folder of its outputs."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "studies"
    root.mkdir(exist_ok=True)

    def run(study: str, *, raw: Path | None = None, reading: str = "") -> Path:
        name = "_".join(part for part in (study, raw.name if raw else "", reading) if part)
        out = root / name
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (out / "manifest.json").exists():
                options = ["--raw", str(raw)] if raw else []
                options += ["--reading", reading] if reading else []
                call = ["sdtm", str(project / "mappings" / study), "--out", str(out), *options]
                result = CliRunner().invoke(main, call, catch_exceptions=False)
                assert result.exit_code == 0, result.output
        return out

    return run


@pytest.fixture(scope="module")
def sdtm(out: Path) -> Callable[[str], pd.DataFrame]:
    """Return a function that reads one dataset of the module's ``out``; missing text is the empty text."""
    return lambda name: read_dataset(out / "sdtm" / f"{name.lower()}.xpt")
