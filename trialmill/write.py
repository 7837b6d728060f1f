"""Write a run's outputs whole or not at all: XPT files, findings, lineage, manifest."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from sdtm.coverage import describe_coverage
from sdtm.origins import ORIGIN_COLUMNS, describe_origins
from specs.findings import Finding, Severity
from specs.model import Dataset, Specs
from trialmill.run import Run
from trialmill.xpt import XptDataset, XptVariable, write_xpt

XPT_TEXT_RULES = ("XPT-LENGTH", "XPT-TEXT-200", "XPT-TEXT-ENCODING")
TEXT_RULES = ("SDTM-LENGTH", "SDTM-NON-ASCII")
FINDING_COLUMNS = (
    "severity", "rule", "dataset", "variables", "key", "values", "message", "file", "row", "record", "cure",
    "explanation",
)  # fmt: skip


@contextmanager
def fresh_folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder in *parent*, for outputs that are not complete yet; it is gone when the block ends."""
    parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def put_in_place(fresh: Path, target: Path) -> None:
    """Put a finished file or folder where the last one was: flushed to disk, then renamed, so never half of it."""
    for path in (fresh, *sorted(fresh.rglob("*"))):
        _sync(path)
    if target.is_dir():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=target.parent))
        target.rename(old / target.name)
        fresh.rename(target)
        shutil.rmtree(old)
    else:
        fresh.replace(target)


def _sync(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a file beside, flush it to disk, rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def compute_lengths(datasets: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Compute each text variable's length in bytes: the longest value in the study, the same in all datasets."""
    lengths: dict[str, int] = {}
    for data in datasets.values():
        for name in data.columns:
            if data[name].dtype == "str":
                unique = data[name].unique()
                longest = max((len(str(value).encode()) for value in unique), default=1)
                lengths[name] = max(lengths.get(name, 1), longest)
    return lengths


def xpt_dataset(name: str, data: pd.DataFrame, *, dataset: Dataset, lengths: Mapping[str, int]) -> XptDataset:
    """Describe a dataset for XPT: labels and types from the specifications, lengths from the data."""
    variables = []
    for column in data.columns:
        variable = dataset.variable(column)
        if variable is None:
            raise KeyError(f"{name}.{column} is not in the specifications")
        if variable.is_text:
            variables.append(XptVariable(column, variable.label, "Char", lengths[column]))
        else:
            variables.append(XptVariable(column, variable.label, "Num", 8))
    return XptDataset(name=name, label=dataset.label, variables=tuple(variables), data=data)


def write_sdtm(run: Run, folder: Path) -> list[Finding]:
    """Write one XPT file per dataset; returns what the format cannot hold, in which case that file is not written."""
    datasets = run.datasets()
    lengths = compute_lengths(datasets)
    stamp = dt.datetime.fromisoformat(run.study.cutoff)
    findings: list[Finding] = []
    for name, data in datasets.items():
        dataset = dataset_of(name, run.study.specs)
        described = xpt_dataset(name, data, dataset=dataset, lengths=lengths)
        findings += write_xpt(folder / f"{name.lower()}.xpt", [described], stamp=stamp)
    return [finding for finding in findings if not _is_known(finding, run.findings)]


def _is_known(finding: Finding, known: Iterable[Finding]) -> bool:
    """Say whether a fault of the text was already found in the record itself, with its raw row."""
    return finding.rule in XPT_TEXT_RULES and any(
        item.rule in TEXT_RULES and item.dataset == finding.dataset and item.variables == finding.variables
        for item in known
    )


def dataset_of(name: str, specs: Specs) -> Dataset:
    """Return the metadata of a dataset that the engine made, SUPP-- included."""
    dataset = specs.dataset(name)
    if dataset is None:
        raise KeyError(f"{name} is not in the specifications")
    return dataset


def write_lineage(run: Run, folder: Path) -> None:
    """
    Write where everything came from.

    For each domain a Parquet file with table, file, row and record id of every record beside its keys; and
    variables.csv with the rule, raw columns, CRF pages and origin of every variable.
    """
    origins = describe_origins(run.study.mapping, pages=run.study.pages)
    write_text(folder / "variables.csv", _csv(origins, ORIGIN_COLUMNS))
    for name, domain in run.built.domains.items():
        keys = [key for key in ("USUBJID", f"{name}SEQ") if key in domain.data]
        origin = domain.origin.astype({"table": "str", "file": "str"})
        domain.data[keys].join(origin).to_parquet(folder / f"{name.lower()}.parquet", index=False)


def findings_table(run: Run) -> list[dict[str, str]]:
    """Spell the findings as rows of text, the heaviest first, waived ones last with their explanation."""
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    open_rows = sorted(
        run.findings, key=lambda item: (order[item.severity], item.rule, item.dataset, item.file, item.row or 0)
    )
    rows = [_finding_row(finding, "") for finding in open_rows]
    return rows + [_finding_row(finding, explanation) for finding, explanation in run.waived]


def _finding_row(finding: Finding, explanation: str) -> dict[str, str]:
    return {
        "severity": str(finding.severity),
        "rule": finding.rule,
        "dataset": finding.dataset,
        "variables": " ".join(finding.variables),
        "key": " ".join(f"{name}={value}" for name, value in finding.key),
        "values": " | ".join(finding.values),
        "message": finding.message,
        "file": finding.file,
        "row": "" if finding.row is None else str(finding.row),
        "record": finding.record,
        "cure": finding.cure,
        "explanation": explanation,
    }


def write_findings(run: Run, folder: Path) -> None:
    """Write findings.csv (for people: it opens in a spreadsheet) and findings.json (with every check's outcome)."""
    rows = findings_table(run)
    write_text(folder / "findings.csv", _csv(rows, FINDING_COLUMNS))
    checks = [
        {"rule": check.rule, "dataset": check.dataset, "outcome": str(check.outcome), "findings": len(check.findings),
         "reason": check.reason}
        for check in run.checks
    ]  # fmt: skip
    write_text(folder / "findings.json", _json({"findings": rows, "checks": checks}))


def write_accounts(run: Run, folder: Path) -> None:
    """Write what became of every raw column (columns.csv) and of the rows of every block (rows.csv)."""
    listed = {name: item.not_submitted for name, item in run.study.tables.items()}
    columns = describe_coverage(run.study.mapping, tables=run.tables, not_submitted=listed)
    columns += [
        {"table": name, "column": "*", "rows": "", "filled": "", "status": "not submitted", "reason": item.whole}
        for name, item in run.study.tables.items()
        if item.whole
    ]
    write_text(folder / "columns.csv", _csv(columns, ("table", "column", "rows", "filled", "status", "reason")))
    rows = [
        {"dataset": name, "table": account.table, "rows": str(account.rows), "kept": str(account.kept),
         "left_out": str(account.rows - account.kept), "where": account.where}
        for name, domain in run.built.domains.items()
        for account in domain.accounts
    ]  # fmt: skip
    write_text(folder / "rows.csv", _csv(rows, ("dataset", "table", "rows", "kept", "left_out", "where")))


def _csv(rows: list[dict[str, str]], columns: tuple[str, ...]) -> str:
    """Spell rows as CSV that a spreadsheet opens as UTF-8."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({key: _safe_cell(value) for key, value in row.items()} for row in rows)
    return "\ufeff" + text.getvalue()


def _safe_cell(value: str) -> str:
    """A spreadsheet must not take a raw value for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") and len(value) > 1 else value


def write_manifest(run: Run, folder: Path, *, version: str) -> None:
    """Write what went in and what came out, each file with its hash; nothing of the clock."""
    study = run.study
    outputs = [path for path in sorted(folder.rglob("*")) if path.suffix in (".xpt", ".parquet")]
    manifest = {
        "study": study.name,
        "transfer": study.raw.name,
        "cutoff": study.cutoff,
        "trialmill": version,
        "standard": study.specs.standard,
        "terminology": study.specs.terminology.version,
        "specifications": [{"file": path.name, "sha256": hash_file(path)} for path in study.files],
        "raw": {name: dict(sorted(table.facts.items())) for name, table in run.tables.items()},
        "records": {name: len(data) for name, data in run.datasets().items()},
        "outputs": [{"file": path.relative_to(folder).as_posix(), "sha256": hash_file(path)} for path in outputs],
    }
    write_text(folder / "manifest.json", _json(manifest))


def hash_file(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def count_by(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by severity."""
    counts = {str(severity): 0 for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)}
    for finding in findings:
        counts[str(finding.severity)] += 1
    return counts
