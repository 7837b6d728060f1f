"""Compile what study.yaml says of the raw export: the tables, and the instruments of a REDCap project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sdtm.node import Node
from sdtm.parameters import suggest
from trialmill.raw import READINGS, Dictionary, RedcapSource, TableSource, read_dictionary

INSTRUMENT_KEYS = ("instrument", "optional", "renamed", "optional_columns", "not_submitted")
TABLE_KEYS = ("file", "from", "sheet", "header", "member", "encoding", "delimiter", "record", "end", *INSTRUMENT_KEYS)
REDCAP_KEYS = ("data", "dictionary", "odm", "reading", "record")


@dataclass(frozen=True)
class RawSource:
    """
    How one raw table is read, and what of it is not submitted (``whole``: the reason why none of it is).

    ``instrument``: it is this instrument of the REDCap project. ``own``: it lies in the study's folder, not in the
    transfer. ``renamed``: a column's name as it came, and the one that mappings use; ``optional_columns``: what a
    transfer may lack, and is then empty.
    """

    source: TableSource
    instrument: str = ""
    optional: bool = False
    own: bool = False
    whole: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    optional_columns: tuple[str, ...] = ()
    not_submitted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RawExport:
    """
    The raw export: its tables by name, and where it is one, the REDCap project.

    ``dictionary``: the project's fields; None without a project, and where the transfer's folder is not there: then
    ``tables`` are only those that study.yaml itself names.
    """

    tables: Mapping[str, RawSource]
    redcap: RedcapSource | None = None
    dictionary: Dictionary | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names of the tables, or None where a project's instruments are not known."""
        return None if self.redcap is not None and self.dictionary is None else tuple(self.tables)


def compile_raw(node: Node, *, folder: Path, reading: str = "") -> RawExport:
    """
    Compile ``redcap:`` and ``tables:`` of study.yaml; *folder* is the transfer's, *reading* replaces study.yaml's.

    Every instrument of the data dictionary is a table of its own name, unless one of ``tables:`` is that instrument.
    Faults go to the node; RawError is raised for a data dictionary that is not there or cannot be read.
    """
    before = len(node.faults)
    redcap = _compile_redcap(node.child("redcap"), reading)
    can_be_read = redcap is not None and len(node.faults) == before and folder.is_dir()
    everywhere = read_reasons(node.child("not_submitted"))
    listed = node.child("tables").pairs(what="tables")
    tables = {name: _table(name, child, everywhere, redcap) for name, child in listed}
    if redcap is None or not can_be_read:
        return RawExport(tables, redcap)
    dictionary = read_dictionary(redcap, folder=folder)
    _check_instruments(node.child("tables"), tables, dictionary)
    named = {item.instrument for item in tables.values()}
    for name in dictionary.instruments:
        if name not in named and name not in tables:
            source = TableSource(name, redcap.mapped)
            tables[name] = RawSource(source, instrument=name, not_submitted=everywhere)
    return RawExport(tables, redcap, dictionary)


def read_reasons(node: Node) -> Mapping[str, str]:
    """Read what is left out, and the reason for each."""
    return {key: str(child.value) for key, child in node.pairs(what=str(node.path[-1]))}


def _compile_redcap(node: Node, reading: str) -> RedcapSource | None:
    if node.value is None:
        if reading:
            node.fault(f"there is no redcap: of which {reading} could be read", "leave --reading out")
        return None
    if not node.only(REDCAP_KEYS, what="redcap"):
        return None
    data, dictionary, odm, record = (node.text(key) for key in ("data", "dictionary", "odm", "record"))
    named = {"data": data, "odm": odm}
    chosen = reading or node.text("reading", default=next((name for name in READINGS if named[name]), READINGS[0]))
    if chosen not in READINGS:
        node.child("reading").fault(f"no reading is called {chosen}", suggest(chosen, READINGS))
    elif not named[chosen]:
        node.fault(f"{chosen} is to be read, and no {chosen}: is named", f"add {chosen}: with the file")
    if data and not dictionary:
        node.fault("dictionary is missing here: data needs it", "add dictionary: with the data dictionary's file")
    return RedcapSource(data, dictionary, odm, chosen, record)


def _table(name: str, node: Node, everywhere: Mapping[str, str], redcap: RedcapSource | None) -> RawSource:
    instrument = node.text("instrument") if isinstance(node.value, dict) else ""
    keys, what = (INSTRUMENT_KEYS, "an instrument") if instrument else (TABLE_KEYS, "a table")
    if not node.only(keys, what=what):
        return RawSource(TableSource(name, ""))
    listed = node.child("not_submitted")
    whole = listed.value if isinstance(listed.value, str) else ""
    return RawSource(
        _instrument_source(name, node, redcap) if instrument else _file_source(name, node),
        instrument=instrument,
        optional=node.child("optional").value is True,
        own=node.text("from") == "study",
        whole=whole,
        renamed={key: str(child.value) for key, child in node.child("renamed").pairs(what="renamed")},
        optional_columns=node.texts("optional_columns"),
        not_submitted={} if whole else {**everywhere, **read_reasons(listed)},
    )


def _file_source(name: str, node: Node) -> TableSource:
    header = node.child("header").value or 1
    if not isinstance(header, int) or header < 1:
        node.child("header").fault("header is the number of the header row, counted from 1")
        header = 1
    if node.text("from", default="transfer") not in ("transfer", "study"):
        node.child("from").fault("a table is from: transfer (default) or from: study")
    if not node.text("file"):
        node.fault("file is missing here", "add file: ..., or instrument: ... of the REDCap project")
    texts = {key: node.text(key) for key in ("sheet", "member", "encoding", "delimiter", "record", "end")}
    return TableSource(name=name, file=node.text("file"), header=header, **texts)


def _instrument_source(name: str, node: Node, redcap: RedcapSource | None) -> TableSource:
    if redcap is None:
        node.child("instrument").fault("there is no REDCap project", "add redcap: with its files to study.yaml")
    return TableSource(name, "" if redcap is None else redcap.mapped)


def _check_instruments(node: Node, tables: Mapping[str, RawSource], dictionary: Dictionary) -> None:
    known = dictionary.instruments
    seen: dict[str, str] = {}
    for name, item in tables.items():
        at = node.child(name).child("instrument")
        if item.instrument and item.instrument not in known and not item.optional:
            cure = f"{suggest(item.instrument, known)}; one that a transfer may lack has optional: true"
            at.fault(f"no instrument is called {item.instrument}", cure)
        if item.instrument in seen:
            at.fault(f"{item.instrument} is the table {seen[item.instrument]} already", "name it once")
        if item.instrument:
            seen[item.instrument] = name
        elif name in known:
            node.child(name).fault(f"{name} is an instrument of {dictionary.file}", "give the table another name")
