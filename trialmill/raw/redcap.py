"""
Read a REDCap project: its data dictionary, and every instrument as a raw table from the flat export or from ODM-XML.

Where both exports of a snapshot are there, both are read and compared; which of them is mapped, study.yaml says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding
from specs.rules import RULES
from trialmill.raw.instruments import (
    COMPLETE,
    KEYS,
    REPEATED,
    YES_NO,
    Dictionary,
    Field,
    find_twice,
    lay_out_columns,
    make_instrument,
    parse_choices,
)
from trialmill.raw.readers import read_table
from trialmill.raw.readings import compare_readings
from trialmill.raw.received import find_files
from trialmill.raw.redcap_odm import read_defined_dictionary, read_snapshot
from trialmill.raw.source import RawError, TableSource, suggest_names

DATA, ODM = "data", "odm"
READINGS = (DATA, ODM)
# The columns of a data dictionary: as downloaded, and as the API exports them
NAME = ("Variable / Field Name", "field_name")
INSTRUMENT = ("Form Name", "form_name")
TYPE = ("Field Type", "field_type")
LABEL = ("Field Label", "field_label")
CHOICES = ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations")
VALIDATION = ("Text Validation Type OR Show Slider Number", "text_validation_type_or_show_slider_number")
CHOICE_TYPES = ("checkbox", "dropdown", "radio", "select")


@dataclass(frozen=True)
class RedcapSource:
    """
    The files of a REDCap snapshot, as study.yaml names them below the transfer's folder.

    ``data``: the flat export of raw values. ``dictionary``: the data dictionary; not needed where only ``odm``, the
    ODM-XML export, is read. ``reading``: which of the two is mapped. ``record``: the field with the record id, empty
    for the first of the dictionary.
    """

    data: str = ""
    dictionary: str = ""
    odm: str = ""
    reading: str = DATA
    record: str = ""

    @property
    def mapped(self) -> str:
        """The file that is mapped."""
        return self.odm if self.reading == ODM else self.data

    @property
    def files(self) -> tuple[str, ...]:
        """The files named."""
        return tuple(name for name in (self.data, self.dictionary, self.odm) if name)


def read_redcap(
    source: RedcapSource, dictionary: Dictionary, *, folder: Path
) -> tuple[dict[str, RawTable], list[Finding]]:
    """
    Read every instrument of a REDCap project from a transfer's *folder*, as the raw tables by instrument.

    ``dictionary`` is that of ``read_dictionary``. The tables are those of ``source.reading``. Findings: what the
    files lack of the dictionary and the reverse, rows whose key stands twice, and each place where the two readings
    disagree (or that there is one alone). Raises RawError, one line, for files that are not there, damaged, or of
    another project.
    """
    named = {DATA: source.data, ODM: source.odm}
    absent = [name for name in READINGS if named[name] and not find_files(named[name], folder=folder)]
    tables: dict[str, dict[str, RawTable]] = {}
    findings: list[Finding] = []
    for name, read in ((DATA, read_flat), (ODM, read_snapshot)):
        if named[name] and (name == source.reading or name not in absent):
            tables[name], found = read(named[name], dictionary, folder=folder)
            findings += found
    if len(tables) == len(READINGS):
        findings += compare_readings(tables[DATA], tables[ODM])
    return tables[source.reading], findings + [_one_reading(named[name]) for name in absent]


def _one_reading(absent: str) -> Finding:
    message = f"{absent} is not in the transfer, so the two exports were not compared"
    return RULES["RAW-READINGS-ONE"].finding(message, file=absent)


def read_dictionary(source: RedcapSource, *, folder: Path) -> Dictionary:
    """
    Read the data dictionary (as downloaded, or as the API exports it); without one, the metadata of the ODM file.

    Raises RawError when a column or the record id is not there, or a field stands twice.
    """
    if not source.dictionary:
        return _start_with_record(read_defined_dictionary(source.odm, folder=folder), source.record)
    table, _ = read_table(TableSource("dictionary", source.dictionary), folder=folder)
    names, *others = (_dictionary_column(table, spelled) for spelled in (NAME, INSTRUMENT, TYPE, LABEL, VALIDATION))
    choices = _dictionary_column(table, CHOICES)
    _refuse_twice(names, table)
    fields = {
        name: Field(name, instrument, kind, label, validation, _choices(kind, written))
        for name, instrument, kind, label, validation, written in zip(names, *others, choices, strict=True)
    }
    if not fields:
        raise RawError("holds no field", file=table.facts["file"], cure="fetch the data dictionary again")
    return _start_with_record(Dictionary(fields, table.facts["file"]), source.record)


def _refuse_twice(names: Sequence[str], table: RawTable) -> None:
    twice = pd.Series(names, dtype="str").duplicated()
    if twice.any():
        place = int(twice.to_numpy().argmax())
        row, cure = int(table.origin["row"].iloc[place]), "fetch the data dictionary again"
        raise RawError(f"the field {names[place]!r} stands twice", file=table.facts["file"], line=row, cure=cure)


def _dictionary_column(table: RawTable, spelled: tuple[str, str]) -> list[str]:
    here = next((name for name in spelled if name in table.data), "")
    if not here:
        cure = "give REDCap's data dictionary as it is downloaded, with its headers"
        raise RawError(f"has no column {spelled[0]!r}", file=table.facts["file"], cure=cure)
    texts: list[str] = table.data[here].str.strip().tolist()
    return texts


def _choices(kind: str, text: str) -> Mapping[str, str]:
    return YES_NO.get(kind) or (parse_choices(text) if kind in CHOICE_TYPES else {})


def _start_with_record(dictionary: Dictionary, record: str) -> Dictionary:
    fields = dictionary.fields
    if record and record not in fields:
        cure = suggest_names(record, fields)
        raise RawError(f"has no field {record!r} for the record id", file=dictionary.file, cure=cure)
    first = record or dictionary.record
    return Dictionary({first: fields[first], **fields}, dictionary.file)


def read_flat(name: str, dictionary: Dictionary, *, folder: Path) -> tuple[dict[str, RawTable], list[Finding]]:
    """
    Read every instrument from the flat export *name*: a row holds those of its event, or one that repeats.

    Raises RawError for an export without the record id and one whose instruments are not the dictionary's.
    """
    table, findings = read_table(TableSource(DATA, name), folder=folder)
    file = table.facts["file"]
    _check_flat(table, dictionary, file)
    keys = [dictionary.record, *KEYS]
    absent = [key for key in KEYS if key not in table.data]  # a project without events, or without repeats
    data = table.data.assign(**dict.fromkeys(absent, "")).astype(dict.fromkeys(absent, "str"))
    present = _place_flat([column for column in table.columns if column not in keys], dictionary)
    columns, notes = lay_out_columns(present, dictionary, file=file)
    lines = table.origin["row"].to_numpy()
    tables = {
        instrument: make_instrument(
            instrument, data[keys + list(own)], dictionary=dictionary, lines=lines, file=file, facts=table.facts
        )
        for instrument, own in columns.items()
    }
    return tables, [*findings, *notes, *find_twice(list(tables.values()))]


def _check_flat(table: RawTable, dictionary: Dictionary, file: str) -> None:
    """Raise RawError for an export of labels, or with another dictionary: rows could not be told apart."""
    cure = "export raw values with raw headers, and the data dictionary of the same snapshot"
    if dictionary.record not in table.data:
        raise RawError(f"has no column {dictionary.record!r}, the record id", file=file, cure=cure)
    if REPEATED not in table.data:
        return
    unknown = ~table.data[REPEATED].isin(("", *dictionary.instruments))
    if unknown.any():
        name, line = table.data[REPEATED][unknown].iloc[0], int(table.origin["row"][unknown].iloc[0])
        raise RawError(f"{name!r} is no instrument of {dictionary.file}", file=file, line=line, cure=cure)


def _place_flat(columns: list[str], dictionary: Dictionary) -> dict[str, str]:
    """Say with which instrument each column stands: a status is the last column of its instrument."""
    found, current = {}, ""
    for column in reversed(columns):
        name = column.removesuffix(COMPLETE)
        current = name if name != column and name in dictionary.instruments else current
        found[column] = current
    return dict(reversed(found.items()))
