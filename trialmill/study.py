"""A study is wherever its study.yaml lies: read it, its specifications and its mappings; every fault told at once."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sdtm.compile_conventions import CONVENTION_KEYS, compile_conventions
from sdtm.compile_study import compile_study
from sdtm.mapping import StudyMapping
from sdtm.node import Node
from sdtm.operation import Operation
from sdtm.operations import OPERATIONS
from sdtm.parameters import suggest
from specs.ct import list_versions
from specs.findings import Fault, SpecificationError
from specs.load import list_standards, load_specs
from specs.model import Specs
from specs.yamlfile import YamlFile, read_yaml
from trialmill.faults import CallError
from trialmill.study_raw import RawExport, RawSource, compile_raw, read_reasons
from trialmill.waivers import Waiver, compile_waivers

STUDY_FILE = "study.yaml"
NOT_DOMAINS = (STUDY_FILE, "waivers.yaml", "transfer.yaml")
STUDY_KEYS = (
    "study", "title", "standard", "terminology", "specs", "raw", "transfers", "redcap", "tables", "not_submitted",
    "ignored_files", "common", "custom", "crf", *CONVENTION_KEYS,
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """A study's folder, compiled."""

    folder: Path
    name: str
    title: str
    raw: Path
    cutoff: str
    export: RawExport
    ignored_files: Mapping[str, str]
    specs: Specs
    mapping: StudyMapping
    waivers: tuple[Waiver, ...]
    pages: Mapping[tuple[str, str], str]
    files: tuple[Path, ...]

    @property
    def tables(self) -> Mapping[str, RawSource]:
        """The raw tables by name."""
        return self.export.tables


def read_study(folder: Path, *, raw: Path | None = None, cutoff: str = "", reading: str = "") -> Study:
    """
    Read and compile the study in *folder*.

    ``raw`` is the transfer's folder (default: the one study.yaml names), ``cutoff`` its data cut-off (default: what
    study.yaml says of the transfer of that name), ``reading`` which export of a REDCap project is mapped (default:
    what study.yaml says). Raises SpecificationError with every fault found.
    """
    study, faults = compile_folder(folder, raw=raw, cutoff=cutoff, reading=reading)
    if faults or study is None:
        raise SpecificationError(faults)
    return study


def compile_folder(
    folder: Path, *, raw: Path | None = None, cutoff: str = "", reading: str = ""
) -> tuple[Study | None, list[Fault]]:
    """Compile the study in *folder* as far as its faults allow, and return them all; see ``read_study``."""
    file = _study_file(folder)
    faults: list[Fault] = []
    node = Node(file, (), file.content, faults)
    if not node.only(STUDY_KEYS, what=STUDY_FILE):
        return None, faults
    name = node.text("study", required=True)
    transfer = raw if raw is not None else folder / node.text("raw", default="raw")
    conventions = compile_conventions(node, study=name, cutoff=_cutoff(node, transfer, given=cutoff), folder=folder)
    specs = _specs(node, folder)
    export = compile_raw(node, folder=transfer, reading=reading)
    domains = _domain_files(folder, faults)
    waivers = compile_waivers(folder / "waivers.yaml", faults=faults)
    pages = _pages(node.child("crf"), folder)
    operations = _operations(node, folder)
    if specs is None:
        return None, faults
    mapping = compile_study(
        domains, conventions=conventions, common=node.child("common"), specs=specs, tables=export.names,
        operations=operations, faults=faults,
    )  # fmt: skip
    study = Study(
        folder=folder, name=name, title=node.text("title"), raw=transfer, cutoff=conventions.cutoff, export=export,
        ignored_files=read_reasons(node.child("ignored_files")), specs=specs, mapping=mapping, waivers=waivers,
        pages=pages, files=(file.path, *(item.path for item in domains)),
    )  # fmt: skip
    return study, faults


def _study_file(folder: Path) -> YamlFile:
    if not folder.is_dir():
        raise CallError(f"{folder}: no such folder; a study is a folder with a {STUDY_FILE} (see trialmill new)")
    if not (folder / STUDY_FILE).is_file():
        raise CallError(f"{folder}: there is no {STUDY_FILE} here; make a study with: trialmill new {folder}")
    return read_yaml(folder / STUDY_FILE)


def _cutoff(node: Node, transfer: Path, *, given: str) -> str:
    transfers = node.child("transfers")
    for key, child in transfers.pairs(what="transfers"):
        child.only(("cutoff", "note"), what=f"transfer {key}")
        _check_date(child.text("cutoff", required=True), child.child("cutoff"))
    if given:
        _check_date(given, node)
        return given
    declared = transfers.child(transfer.name)
    if declared.value is None:
        transfers.fault(
            f"transfer {transfer.name} is not declared, so its data cut-off is not known",
            f"add {transfer.name}: {{cutoff: YYYY-MM-DD}} under transfers:, or give --cutoff",
        )
        return ""
    return declared.text("cutoff")


def _check_date(text: str, node: Node) -> None:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        node.fault(f"{text!r} is not a date", "write it as YYYY-MM-DD")


def _specs(node: Node, folder: Path) -> Specs | None:
    relative = node.text("specs")
    deltas = folder / relative if relative else None
    if deltas is not None and not deltas.is_dir():
        node.child("specs").fault(f"no such folder: {relative}", "give the folder of the study's deltas")
        deltas = None
    terminology, standard = node.text("terminology", required=True), node.text("standard", default="sdtmig-3.4")
    carried = {"standard": (standard, list_standards()), "terminology": (terminology, list_versions([folder / "ct"]))}
    for key, (name, known) in carried.items():
        if name not in known:
            cure = f"{suggest(name, known)}; another terminology: trialmill ct import FILE --to {folder}"
            node.child(key).fault(f"no {key} {name} is carried", cure)
            return None
    try:
        return load_specs(standard=standard, terminology=terminology, study=deltas, ct_folders=[folder / "ct"])
    except SpecificationError as error:
        node.faults.extend(error.faults)
        return None


def _pages(node: Node, folder: Path) -> Mapping[tuple[str, str], str]:
    """Read the CRF's pages: a CSV file of the study's folder with the columns table, column and page."""
    if node.value is None:
        return {}
    try:
        with (folder / str(node.value)).open(encoding="utf-8-sig", newline="") as stream:
            return {(row["table"], row["column"]): row["page"] for row in csv.DictReader(stream)}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        node.fault(f"{node.value} cannot be read: {error}", "it is a CSV file with the columns table, column, page")
        return {}


def _domain_files(folder: Path, faults: list[Fault]) -> list[YamlFile]:
    found = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name not in NOT_DOMAINS:
            try:
                found.append(read_yaml(path))
            except SpecificationError as error:
                faults.extend(error.faults)
    return found


def _operations(node: Node, folder: Path) -> Mapping[str, Operation]:
    """The operations of this run: the built-in ones and those of the study's own custom.py, which replaces none."""
    relative = node.text("custom")
    if not relative:
        return OPERATIONS
    path = folder / relative
    module_name = "trialmill_custom_" + re.sub(r"\W", "_", folder.name)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        node.child("custom").fault(f"no such file: {relative}")
        return OPERATIONS
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError, NameError, TypeError, AttributeError, KeyError) as error:
        node.child("custom").fault(f"{relative} cannot be loaded: {error}")
        return OPERATIONS
    own = {item.name: item for item in vars(module).values() if isinstance(item, Operation)}
    for name in sorted(set(own) & set(OPERATIONS)):
        node.child("custom").fault(
            f"{relative} defines {name}, which is a built-in operation", "give it another name"
        )
    return {**OPERATIONS, **{name: item for name, item in own.items() if name not in OPERATIONS}}
