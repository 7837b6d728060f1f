"""
The CDISC pilot, replicated: seconds, rows per second and peak memory of reading, mapping, validating and writing.

Each size runs in a process of its own. The floor is what nobody can go below with these libraries: parsing the same
CSV files as text and writing the same bytes to disk. ``python -m bench.pilot_bench``; sizes may follow (1 10 100).
Needs ../shared with the pilot's raw files.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
STUDY = PROJECT / "mappings" / "lzzt"
RAW = PROJECT.parent / "shared" / "oracles" / "lzzt" / "raw"
SIZES = (1, 10, 100)
STEPS = ("read", "map", "validate", "write")


def replicate(target: Path, *, times: int) -> None:
    """Write the pilot's raw files with every subject *times* times, each copy with a number of its own."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    text = csv.ConvertOptions(column_types={}, strings_can_be_null=False)
    for path in sorted(RAW.glob("*.csv")):
        header = path.open(encoding="utf-8").readline().strip().lstrip("\ufeff").split(",")
        text.column_types = dict.fromkeys(header, pa.string())
        table = csv.read_csv(path, convert_options=text)
        at = table.column_names.index("SUBJID")
        copies = []
        for copy in range(times):
            subject = table.column("SUBJID") if copy == 0 else pc.binary_join_element_wise(
                table.column("SUBJID"), pa.scalar(f"{copy:04d}"), "x"
            )  # fmt: skip
            copies.append(table.set_column(at, "SUBJID", subject))
        csv.write_csv(pa.concat_tables(copies), target / path.name)


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def _timed(step: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    _reset_peak()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    start, used = time.perf_counter(), cpu.ru_utime + cpu.ru_stime
    result = step()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    spent = {"wall": time.perf_counter() - start, "cpu": cpu.ru_utime + cpu.ru_stime - used, "peak": _peak_mb()}
    return result, spent


def measure(raw: Path, out: Path) -> dict[str, Any]:
    """Run the pipeline step by step over one raw folder."""
    from sdtm.build import build_study
    from trialmill.run import Run, check_domains, read_tables
    from trialmill.study import read_study
    from trialmill.write import write_sdtm

    study = read_study(STUDY, raw=raw, cutoff="2015-03-05")
    spent: dict[str, Any] = {}
    (tables, _), spent["read"] = _timed(lambda: read_tables(study))
    built, spent["map"] = _timed(lambda: build_study(study.mapping, tables=tables, specs=study.specs))
    checks, spent["validate"] = _timed(lambda: check_domains(built.domains, study))
    run = Run(study, tables, built, checks)
    _, spent["write"] = _timed(lambda: write_sdtm(run, out))
    spent["rows"] = sum(len(data) for data in run.datasets().values())
    spent["findings"] = len(built.findings)
    return spent


def floor(raw: Path, out: Path) -> dict[str, Any]:
    """Parse the same CSV files as text, and write the same bytes."""
    import pyarrow as pa
    from pyarrow import csv

    def parse() -> None:
        for path in sorted(raw.glob("*.csv")):
            header = path.open(encoding="utf-8").readline().strip().split(",")
            options = csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()))
            csv.read_csv(path, convert_options=options)

    def write() -> None:
        for path in sorted(out.glob("*.xpt")):
            content = path.read_bytes()
            with (out / f"{path.name}.copy").open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

    _, parsed = _timed(parse)
    _, written = _timed(write)
    return {"read": parsed, "write": written}


def _in_a_process(what: str, raw: Path, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.pilot_bench", "--measure", what, str(raw), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    return json.loads(done.stdout)


def run(sizes: tuple[int, ...] = SIZES) -> None:
    """Print one line per size and step, and how the work grows."""
    if not RAW.is_dir():
        print(f"the pilot's raw files are not here ({RAW}); nothing measured")
        return
    print(f"{'size':>5} {'step':<10} {'CPU s':>8} {'wall s':>8} {'rows/s':>10} {'peak MB':>8} {'x floor':>8}")
    totals = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            raw, out = Path(folder) / "raw", Path(folder) / "out"
            raw.mkdir()
            out.mkdir()
            replicate(raw, times=size)
            spent = _in_a_process("pipeline", raw, out)
            least = _in_a_process("floor", raw, out)
        rows = spent["rows"]
        bottom = least["read"]["cpu"] + least["write"]["cpu"]
        for step in STEPS:
            _line(f"{size}x", step, spent[step], rows, least.get(step, {}).get("cpu"))
        total = {key: sum(spent[step][key] for step in STEPS) for key in ("cpu", "wall")}
        total["peak"] = max(spent[step]["peak"] for step in STEPS)
        _line(f"{size}x", "all", total, rows, bottom)
        print(f"{'':>5} {rows} SDTM rows, {spent['findings']} findings; floor {bottom:.2f} CPU s")
        totals[size] = total["cpu"] / rows
    if len(totals) > 1:
        first, last = min(totals), max(totals)
        growth = totals[last] / totals[first]
        print(f"CPU per row at {last}x is {growth:.2f} of that at {first}x (1 is linear, start-up included)")


def _line(size: str, step: str, spent: dict[str, float], rows: int, least: float | None) -> None:
    ratio = f"{spent['cpu'] / least:8.1f}" if least else f"{'':>8}"
    speed = rows / max(spent["wall"], 1e-9)
    print(
        f"{size:>5} {step:<10} {spent['cpu']:8.2f} {spent['wall']:8.2f} {speed:10.0f} {spent['peak']:8.0f} {ratio}",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        what, raw, out = sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
        print(json.dumps(measure(raw, out) if what == "pipeline" else floor(raw, out)))
    else:
        run(tuple(int(size) for size in sys.argv[1:]) or SIZES)
