"""Read a REDCap snapshot from ODM-XML, as REDCap exports it: the same tables as from the flat export."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # holds the metadata; it parses nothing here
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding
from trialmill.raw.instruments import (
    COMPLETE,
    KEYS,
    NOT_TICKED,
    SYSTEM,
    TIMESTAMP,
    Dictionary,
    Field,
    Lines,
    find_twice,
    is_box,
    lay_out_columns,
    list_columns,
    make_instrument,
    parse_choices,
)
from trialmill.raw.odm import (
    FORM_KEY,
    Group,
    GroupKey,
    Odm,
    list_forms,
    list_items,
    number_rows,
    parse_odm,
    spread_items,
)
from trialmill.raw.received import receive_file
from trialmill.raw.source import RawError, RawFile, TableSource, describe_file, list_names

REDCAP = "https://projectredcap.org}"
FORM, EVENT = "Form.", "Event."
ONCE = ("", "1")  # the repeat keys of what does not repeat


def read_snapshot(name: str, dictionary: Dictionary, *, folder: Path) -> tuple[dict[str, RawTable], list[Finding]]:
    """
    Read every instrument from the ODM-XML file *name*: a form is a row of its instrument.

    Raises RawError for a file that ``parse_odm`` refuses and for one with an instrument that the dictionary lacks.
    """
    file = _receive(name, folder)
    odm = parse_odm(file)
    forms = {_form_name(odm, oid): oid for oid in list_forms(odm)}
    unknown = [form for form in forms if form not in dictionary.instruments]
    if unknown:
        reason = f"holds instruments that {dictionary.file} does not have: {list_names(unknown)}"
        raise RawError(reason, file=file.shown, cure="fetch the data dictionary of the same snapshot")
    columns, notes = lay_out_columns(_place_columns(odm, forms, dictionary), dictionary, file=file.shown)
    facts = describe_file(file, format="odm")
    repeats = _find_repeats(odm)
    by_form: dict[str, dict[GroupKey, Group]] = {oid: {} for oid in ("", *forms.values())}
    for key, group in odm.groups.items():
        by_form[key.form][key] = group
    tables = {}
    for instrument, own in columns.items():
        groups = by_form[forms.get(instrument, "")]
        firsts, rows = number_rows(groups, depth=len(FORM_KEY))
        keys = [_name_form(key, instrument, odm, repeats) for key in firsts]
        frame = pd.DataFrame(keys, columns=[dictionary.record, *KEYS], dtype="str")
        frame = frame.join(_read_cells(list(groups.values()), rows, own, dictionary))
        lines: Lines = np.array([group.form_line for group in firsts.values()], dtype=np.int64)
        tables[instrument] = make_instrument(
            instrument, frame, dictionary=dictionary, lines=lines, file=file.shown, facts=facts
        )
    return tables, [*odm.findings, *notes, *find_twice(list(tables.values()))]


def _receive(name: str, folder: Path) -> RawFile:
    file = receive_file(TableSource("odm", name), folder=folder)
    if not file.content:
        raise RawError("is empty (0 bytes)", file=file.shown, cure="fetch the file again")
    return file


def _form_name(odm: Odm, oid: str) -> str:
    return _own_name(odm.definitions["FormDef"].get(oid), "FormName") or oid.removeprefix(FORM)


def _event_name(odm: Odm, oid: str) -> str:
    return _own_name(odm.definitions["StudyEventDef"].get(oid), "UniqueEventName") or oid.removeprefix(EVENT)


def _own_name(definition: ET.Element | None, attribute: str) -> str:
    return "" if definition is None else definition.get(REDCAP + attribute, "")


def _place_columns(odm: Odm, forms: Mapping[str, str], dictionary: Dictionary) -> dict[str, str]:
    """Say to which instrument each item belongs; a file without metadata is taken to have the dictionary's."""
    items = {name: form for form, oid in forms.items() for group in list_items(odm, oid).values() for name in group}
    if not odm.definitions["ItemDef"]:
        fields = {name: item.instrument for item in dictionary.fields.values() for name in list_columns(item)}
        items = fields | {form + COMPLETE: form for form in dictionary.instruments} | items
    items.pop(dictionary.record, None)
    return items


def _read_cells(
    groups: list[Group], rows: list[int], columns: tuple[str, ...], dictionary: Dictionary
) -> pd.DataFrame:
    """
    Return the values as the flat export writes them.

    What is not there is empty, a box 0; a date and time has a blank between them, where REDCap's ODM has a T.
    """
    boxes = {name: NOT_TICKED for name in columns if is_box(name, dictionary)}
    cells = spread_items(groups, rows, columns, empty=boxes)
    for name in columns:
        if name in dictionary.fields and dictionary.fields[name].validation.startswith("datetime"):
            cells[name] = cells[name].str.replace("T", " ", n=1, regex=False)
    return cells


def _name_form(
    key: tuple[str, ...], instrument: str, odm: Odm, repeats: frozenset[tuple[str, str]]
) -> tuple[str, str, str, str]:
    """Return a form's record, event, repeating instrument and instance, as the flat export has them."""
    subject, event, event_repeat, form, form_repeat = key
    name = _event_name(odm, event)
    if (event, form) in repeats:
        return subject, name, instrument, form_repeat
    return subject, name, "", event_repeat if (event, "") in repeats else ""


def _find_repeats(odm: Odm) -> frozenset[tuple[str, str]]:
    """
    Return what repeats: (event, form) for an instrument, (event, "") for a whole event, by OID.

    REDCap says so beside the metadata; elsewhere the definitions do, or else a repeat key above 1 tells. A project
    without events has none in the clinical data.
    """
    forms = {_form_name(odm, oid): oid for oid in list_forms(odm)}
    events = {_event_name(odm, oid): oid for oid in odm.definitions["StudyEventDef"]}
    has_events = any(key.event for key in odm.groups)
    found: set[tuple[str, str]] = set()
    for tag in ("RepeatingEvent", "RepeatingInstrument"):
        for item in odm.root.iter(REDCAP + tag):
            event = events.get(item.get(REDCAP + "UniqueEventName", ""), "") if has_events else ""
            found.add((event, forms.get(item.get(REDCAP + "RepeatInstrument", ""), "")))
    if not found:
        found |= _defined_repeats(odm)
    found |= {(key.event, "") for key in odm.groups if key.event_repeat not in ONCE}
    return frozenset(found | {(key.event, key.form) for key in odm.groups if key.form_repeat not in ONCE})


def _defined_repeats(odm: Odm) -> set[tuple[str, str]]:
    def repeating(tag: str) -> set[str]:
        return {oid for oid, item in odm.definitions[tag].items() if item.get("Repeating") == "Yes"}

    forms = repeating("FormDef")
    pairs = {(key.event, key.form) for key in odm.groups if key.form in forms}
    return pairs | {(oid, "") for oid in repeating("StudyEventDef")}


def read_defined_dictionary(name: str, *, folder: Path) -> Dictionary:
    """Return the data dictionary that the metadata of the ODM-XML file *name* hold; RawError when they hold none."""
    file = _receive(name, folder)
    odm = parse_odm(file)
    fields: dict[str, Field] = {}
    for oid in list_forms(odm):
        form = _form_name(odm, oid)
        names = [item for items in list_items(odm, oid).values() for item in items]
        for item in names:
            if item not in (form + COMPLETE, form + TIMESTAMP) and not item.startswith(SYSTEM):
                one = _define_field(odm, item, form)
                fields.setdefault(one.name, one)
    if not odm.definitions["ItemDef"] or not fields:
        raise RawError("holds no metadata", file=file.shown, cure="name the data dictionary with `dictionary:`")
    return Dictionary(fields, file.shown)


def _define_field(odm: Odm, oid: str, instrument: str) -> Field:
    item = odm.definitions["ItemDef"].get(oid)
    if item is None:
        return Field(oid, instrument, "text")
    kind = item.get(REDCAP + "FieldType", "") or item.get("DataType", "text")
    name = item.get(REDCAP + "Variable", "") or oid
    label = " ".join(text.text or "" for text in item.iterfind("Question/TranslatedText")).strip()
    validation = item.get(REDCAP + "TextValidationType", "")
    return Field(name, instrument, kind, label, validation, _define_choices(odm, item, oid, kind))


def _define_choices(odm: Odm, item: ET.Element, oid: str, kind: str) -> Mapping[str, str]:
    reference = item.find("CodeListRef")
    codelist = None if reference is None else odm.definitions["CodeList"].get(reference.get("CodeListOID", ""))
    if kind == "checkbox":
        written = "" if codelist is None else codelist.get(REDCAP + "CheckboxChoices", "")
        return parse_choices(written)
    pairs = [] if codelist is None else codelist.findall("CodeListItem")
    return {pair.get("CodedValue", ""): (pair.findtext("Decode/TranslatedText") or "").strip() for pair in pairs}
