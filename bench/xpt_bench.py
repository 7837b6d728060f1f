"""
Our XPT writer and reader beside pyreadstat's: CPU seconds, memory, and whether each target holds.

Every measurement runs in a process of its own on the same synthetic laboratory-like frame (15 text and 10 numeric
columns); memory is the peak over what the process held before (VmHWM, reset first). Run it with
``python -m bench.xpt_bench``; a number of rows may follow.
"""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

WRITE_SHARE, READ_SHARE, WRITE_MEMORY_MB = 1 / 8, 1 / 5, 100.0

_TEXT = {  # variable: declared bytes, and a number of distinct values of how many bytes
    "STUDYID": (12, 1, 12),
    "DOMAIN": (2, 1, 2),
    "USUBJID": (24, 0, 20),
    "LBTESTCD": (8, 40, 6),
    "LBTEST": (40, 40, 24),
    "LBCAT": (20, 4, 12),
    "LBORRES": (20, 5000, 5),
    "LBORRESU": (12, 15, 6),
    "LBSTRESC": (20, 5000, 5),
    "LBSTRESU": (12, 15, 6),
    "LBNRIND": (8, 3, 6),
    "LBBLFL": (1, 1, 1),
    "VISIT": (20, 30, 10),
    "EPOCH": (10, 4, 9),
    "LBDTC": (20, 1000, 16),
}
_NUMBERS = (
    "LBSEQ",
    "LBSTRESN",
    "LBSTNRLO",
    "LBSTNRHI",
    "VISITNUM",
    "VISITDY",
    "LBDY",
    "LBORNRLO",
    "LBORNRHI",
    "LBTPTNUM",
)


def make_frame(rows: int) -> pd.DataFrame:
    """Return the laboratory-like frame: 200 rows a subject, a tenth of the values missing, the same at every call."""
    random = np.random.default_rng(20240229)
    columns: dict[str, object] = {}
    for name, (_, distinct, size) in _TEXT.items():
        count = distinct or rows // 200 + 1
        values = np.array([f"{number:0{size}d}" for number in range(count)], dtype=object)
        picked = np.arange(rows) // 200 if not distinct else random.integers(0, count, rows)
        text = values[picked]
        if name in ("LBORRES", "LBSTRESC", "LBBLFL", "LBNRIND"):
            text[random.random(rows) < 0.1] = ""
        columns[name] = pd.Series(text, dtype="str")
    for name in _NUMBERS:
        numbers = np.round(random.gamma(2.0, 30.0, rows), 2)
        numbers[random.random(rows) < 0.1] = np.nan
        columns[name] = numbers
    return pd.DataFrame(columns)


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _give_back_memory() -> None:
    """Return freed memory to the system: what the frame's making left over must not hide what the work needs."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)


def _measure(work: Callable[[], object]) -> dict[str, float]:
    _give_back_memory()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    memory, cpu = _peak_mb(), _cpu()
    kept = work()
    measured = {"cpu": _cpu() - cpu, "memory": _peak_mb() - memory}
    del kept
    return measured


def _write_ours(frame: pd.DataFrame, path: Path) -> None:
    from trialmill.xpt import XptDataset, XptVariable, write_xpt

    variables = [XptVariable(name, name.title(), "Char", size) for name, (size, _, _) in _TEXT.items()]
    variables += [XptVariable(name, name.title(), "Num", 8) for name in _NUMBERS]
    dataset = XptDataset("LB", "Laboratory Test Results", tuple(variables), frame)
    findings = write_xpt(path, [dataset], stamp=datetime(2024, 2, 29))
    if findings:
        raise SystemExit(f"the frame was refused: {findings[0]}")


def _write_pyreadstat(frame: pd.DataFrame, path: Path) -> None:
    import pyreadstat

    pyreadstat.write_xport(frame, path, table_name="LB", file_format_version=5)


def _read_ours(path: Path) -> object:
    from trialmill.xpt import read_xpt

    return read_xpt(path)


def _read_pyreadstat(path: Path) -> object:
    import pyreadstat

    return pyreadstat.read_xport(path)


def _child(what: str, rows: int, path: Path) -> dict[str, float]:
    """Do one measurement in this process, the libraries imported and warmed up beforehand."""
    small = make_frame(1000)
    if what.startswith("write"):
        write = _write_ours if what == "write ours" else _write_pyreadstat
        write(small, path.with_name("small.xpt"))
        frame = make_frame(rows)
        return _measure(lambda: write(frame, path))
    read = _read_ours if what == "read ours" else _read_pyreadstat
    _write_ours(small, path.with_name("small.xpt"))
    read(path.with_name("small.xpt"))
    return _measure(lambda: read(path))


def _run_child(what: str, rows: int, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.xpt_bench", "--measure", what, str(rows), str(path)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    measured: dict[str, float] = json.loads(done.stdout)
    print(f"{what:17} {measured['cpu']:8.2f} CPU s  {measured['memory']:8.0f} MB more at the peak", flush=True)
    return measured


def run(rows: int = 1_000_000) -> None:
    """Print every figure, the ratios to pyreadstat, and for each target whether it holds."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours.xpt"), Path(folder, "pyreadstat.xpt")
        print(f"{rows:,} rows x {len(_TEXT) + len(_NUMBERS)} columns ({len(_TEXT)} text, {len(_NUMBERS)} numbers)")
        write = _run_child("write ours", rows, ours)
        read = _run_child("read ours", rows, ours)
        their_read = _run_child("read pyreadstat", rows, ours)
        their_write = _run_child("write pyreadstat", rows, theirs)
    targets = (
        ("write, share of pyreadstat's CPU", write["cpu"] / their_write["cpu"], WRITE_SHARE),
        ("write, MB more at the peak", write["memory"], WRITE_MEMORY_MB),
        ("read, share of pyreadstat's CPU", read["cpu"] / their_read["cpu"], READ_SHARE),
    )
    for name, value, target in targets:
        print(f"{name:34} {value:8.3f}  target at most {target:.3f}: {'holds' if value <= target else 'MISSED'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(_child(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))))
    else:
        run(*(int(argument) for argument in sys.argv[1:2]))
