"""
Read CDISC ODM-XML 1.x: the clinical data with the line each group of items begins in, and the metadata beside it.

Snapshots and transactional files, typed (``ItemDataString``) and untyped (``ItemData``) values. expat reads the file
as it comes, and no tree is made of the clinical data; document types, and so entities, are refused.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # holds the metadata; it parses nothing here
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

import numpy as np
import pandas as pd

from sdtm.rawtable import RawTable
from specs.findings import Finding
from specs.rules import RULES
from trialmill.raw.encoding import decode_file
from trialmill.raw.source import CUT_OFF, RawError, RawFile, TableSource, describe_file, list_names, suggest_names
from trialmill.raw.table import make_table

NAMESPACE = "http://www.cdisc.org/ns/odm/v1"  # of 1.1 to 1.3; 2.0 is built otherwise
SEPARATOR = "}"
CLINICAL, GROUP, ITEM = "ClinicalData", "ItemGroupData", "ItemData"
DEFINITIONS = ("StudyEventDef", "FormDef", "ItemGroupDef", "ItemDef", "CodeList")
# What names each level, and where that begins in a group's key
LEVELS = {
    "SubjectData": (0, ("SubjectKey",)),
    "StudyEventData": (1, ("StudyEventOID", "StudyEventRepeatKey")),
    "FormData": (3, ("FormOID", "FormRepeatKey")),
    GROUP: (5, ("ItemGroupOID", "ItemGroupRepeatKey")),
}
FORM_KEY = ("SubjectKey", "StudyEventOID", "StudyEventRepeatKey", "FormOID", "FormRepeatKey")
GROUP_KEY = (*FORM_KEY, "ItemGroupOID", "ItemGroupRepeatKey")
SITE = "LocationOID"
BINARY = "ItemDataBase64Binary"
DOCUMENT = "[document]"  # an uploaded file, as REDCap's flat export writes it
XML_ENCODINGS = ("", "utf-8", "us-ascii", "utf-16", "iso-8859-1")  # those that expat itself knows
DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
UNFINISHED = ("no element found", "unclosed token", "partial character", "unclosed CDATA section")
FETCH = "fetch the file again, or have it exported again"


class GroupKey(NamedTuple):
    """What names a group of items: OIDs and repeat keys, empty where the file gives none."""

    subject: str
    event: str
    event_repeat: str
    form: str
    form_repeat: str
    group: str
    group_repeat: str


@dataclass
class Group:
    """A group of items: the line its form begins in and its own, the subject's site, the values by item."""

    form_line: int
    line: int
    site: str
    items: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Odm:
    """
    An ODM file: its groups of items in the file's order, and its metadata.

    ``definitions``: of ``DEFINITIONS``, by element and OID. ``root``: everything but the clinical data.
    """

    groups: Mapping[GroupKey, Group]
    definitions: Mapping[str, Mapping[str, ET.Element]]
    root: ET.Element
    findings: tuple[Finding, ...]


def parse_odm(file: RawFile) -> Odm:
    """
    Parse an ODM-XML file.

    Raises RawError, one line with the line's number, for XML that is damaged or cut off or has a document type, and
    for a file that is not ODM 1.x or holds no clinical data. An item of a snapshot with two values is a finding.
    """
    content, encoding = _choose_encoding(file)
    parser = expat.ParserCreate(encoding, namespace_separator=SEPARATOR)
    reader = _Reader(parser, file)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.read_text
    parser.StartDoctypeDeclHandler = reader.refuse_document_type
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _damaged(file, error) from None
    if not reader.has_clinical:
        raise RawError("holds no clinical data", file=file.shown, cure="have it exported with the data")
    root = reader.tree.close()
    definitions = {tag: {item.get("OID", ""): item for item in root.iter(tag)} for tag in DEFINITIONS}
    return Odm(reader.groups, definitions, root, tuple(reader.findings))


def _choose_encoding(file: RawFile) -> tuple[bytes, str | None]:
    declared = DECLARED.match(file.content.removeprefix(b"\xef\xbb\xbf")[:200])
    name = declared[1].decode().lower() if declared else ""
    return (file.content, None) if name in XML_ENCODINGS else (decode_file(file, name).content, "utf-8")


def _damaged(file: RawFile, error: expat.ExpatError) -> RawError:
    reason = expat.ErrorString(error.code)
    if reason in UNFINISHED:
        return RawError(f"cut off: {reason}", file=file.shown, line=error.lineno, cure=FETCH, rule=CUT_OFF)
    return RawError(f"not XML that can be read: {reason}", file=file.shown, line=error.lineno, cure=FETCH)


class _Reader:
    """What expat calls: keeps the groups of the clinical data, and a tree of everything else."""

    def __init__(self, parser: expat.XMLParserType, file: RawFile) -> None:
        self.parser, self.file = parser, file
        self.groups: dict[GroupKey, Group] = {}
        self.findings: list[Finding] = []
        self.tree = ET.TreeBuilder()
        self.is_first, self.is_snapshot = True, True
        self.has_clinical = self.in_clinical = False
        self.key = [""] * len(GROUP_KEY)
        self.site, self.form_line, self.line = "", 0, 0
        self.group: Group | None = None  # the one that items belong to, once there is one
        self.element = ""  # the item being read, and its attributes
        self.item: dict[str, str] = {}
        self.text: list[str] = []
        self.depth = 0  # below the item
        self.names: dict[str, str] = {}

    def refuse_document_type(self, name: str, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        cure = "have it exported without one"
        raise RawError(f"a document type ({name}) is not accepted", file=self.file.shown, line=line, cure=cure)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.is_first:
            self._check_root(tag, attributes)
        name = self.names.get(tag) or self._name(tag)
        if not self.in_clinical:
            self.in_clinical = name == CLINICAL
            if not self.in_clinical:
                self.tree.start(name, attributes)
            self.has_clinical |= self.in_clinical
        elif self.element:
            self.depth += 1
        elif name in LEVELS:
            self._enter(name, attributes)
        elif name.startswith(ITEM):
            self.element, self.item = name, attributes
            self.text.clear()
        elif name == "SiteRef":
            self.site = attributes.get(SITE, "")

    def _name(self, tag: str) -> str:
        """Name an element of ODM without its namespace; others, such as a vendor's, keep theirs."""
        space, _, name = tag.rpartition(SEPARATOR)
        self.names[tag] = name if not space or space.startswith(NAMESPACE) else tag
        return self.names[tag]

    def _check_root(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(SEPARATOR)
        self.is_first = False
        self.is_snapshot = attributes.get("FileType") != "Transactional"
        if name != "ODM" or (space and not space.startswith(NAMESPACE)):
            version = attributes.get("ODMVersion", "of another version")
            reason = f"is ODM {version}, not 1.x" if name == "ODM" else f"is not ODM-XML: it begins with <{name}>"
            raise RawError(reason, file=self.file.shown, cure="have it exported as ODM-XML 1.3")

    def _enter(self, level: str, attributes: dict[str, str]) -> None:
        place, parts = LEVELS[level]
        end = place + len(parts)
        self.key[place:] = [attributes.get(part, "") for part in parts] + [""] * (len(self.key) - end)
        self.line, self.group = self.parser.CurrentLineNumber, None
        if level == "SubjectData":
            self.site = ""
        if level == "FormData":
            self.form_line = self.line
        if attributes.get("TransactionType") == "Remove":
            above = tuple(self.key[:end])
            for key in [key for key in self.groups if key[:end] == above]:
                del self.groups[key]

    def read_text(self, text: str) -> None:
        if not self.in_clinical:
            self.tree.data(text)
        elif self.element and not self.depth:
            self.text.append(text)

    def end(self, tag: str) -> None:
        if not self.in_clinical:
            self.tree.end(self.names[tag])
        elif self.depth:
            self.depth -= 1
        elif self.element:
            self._leave_item(self.item)
            self.element = ""
        elif self.names[tag] == CLINICAL:
            self.in_clinical = False

    def _leave_item(self, item: dict[str, str]) -> None:
        if self.group is None:
            new = Group(self.form_line, self.line, self.site)
            self.group = self.groups.setdefault(GroupKey(*self.key), new)
        name, value = item.get("ItemOID", ""), item.get("Value")
        value = "".join(self.text) if value is None else value
        value = DOCUMENT if value and self.element == BINARY else value
        value = "" if item.get("TransactionType") == "Remove" or item.get("IsNull") == "Yes" else value
        items = self.group.items
        if self.is_snapshot and items.get(name, value) != value:
            self._report_twice(name, (items[name], value))
        else:
            items[name] = value

    def _report_twice(self, name: str, values: tuple[str, str]) -> None:
        form, subject = self.key[3], self.key[0]
        message = f"{name} stands twice in the form {form} of {subject}; the first value is read"
        line = self.parser.CurrentLineNumber
        finding = RULES["RAW-KEY-TWICE"].finding(
            message, variables=(name,), values=values, file=self.file.shown, row=line
        )
        self.findings.append(finding)


def list_items(odm: Odm, form: str) -> dict[str, tuple[str, ...]]:
    """Return the items of each group of a form as the metadata define them, then those that only the data have."""
    definition = odm.definitions["FormDef"].get(form)
    references = [] if definition is None else list(definition.iter("ItemGroupRef"))
    items = {group: _defined_items(odm, group) for group in (item.get("ItemGroupOID", "") for item in references)}
    for key, group in odm.groups.items():
        if key.form == form:
            items.setdefault(key.group, []).extend(group.items)
    return {group: tuple(dict.fromkeys(names)) for group, names in items.items()}


def _defined_items(odm: Odm, group: str) -> list[str]:
    definition = odm.definitions["ItemGroupDef"].get(group)
    return [] if definition is None else [item.get("ItemOID", "") for item in definition.iter("ItemRef")]


def number_rows(groups: Mapping[GroupKey, Group], *, depth: int) -> tuple[dict[tuple[str, ...], Group], list[int]]:
    """Return the first group of each row, by the first *depth* parts of its key, and the row of every group."""
    firsts: dict[tuple[str, ...], Group] = {}
    numbers: dict[tuple[str, ...], int] = {}
    for key, group in groups.items():
        firsts.setdefault(key[:depth], group)
        numbers.setdefault(key[:depth], len(numbers))
    return firsts, [numbers[key[:depth]] for key in groups]


def spread_items(
    groups: Sequence[Group], rows: Sequence[int], columns: Sequence[str], *, empty: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """
    Spread the items of *groups* over a frame of texts; ``rows``: the row that each group belongs to, from 0.

    ``empty``: what stands for a value that is not there, by column; otherwise the empty text.
    """
    places = {name: place for place, name in enumerate(columns)}
    found = [
        (row, places[name], value)
        for group, row in zip(groups, rows, strict=True)
        for name, value in group.items.items()
        if name in places
    ]
    cells = np.full((max(rows, default=-1) + 1, len(columns)), "", dtype=object)
    if found:
        at_row, at_column, values = zip(*found, strict=True)
        cells[list(at_row), list(at_column)] = values
    frame = pd.DataFrame(cells, columns=list(columns), dtype="str")
    for name, text in (empty or {}).items():
        frame[name] = frame[name].mask(frame[name] == "", text)
    return frame


def read_odm(source: TableSource, file: RawFile) -> tuple[RawTable, list[Finding]]:
    """
    Read one form, or one group of items, of an ODM-XML file as a table: ``member`` of the source is its OID.

    A row is a form, or a group where one is named. Columns: the keys (SubjectKey, LocationOID, StudyEventOID and so
    on), then the items by OID as the metadata order them. The row's line is where the form, or the group, begins.
    Raises RawError for a member that is not there, and for a form with a group that repeats: that has to be named.
    """
    odm = parse_odm(file)
    member = _choose_member(odm, source, file)
    by_form = member in list_forms(odm)
    chosen = {key: group for key, group in odm.groups.items() if member == (key.form if by_form else key.group)}
    if by_form:
        _refuse_repeats(chosen, member, file)
    depth = len(FORM_KEY if by_form else GROUP_KEY)
    firsts, rows = number_rows(chosen, depth=depth)
    first = list(firsts.values())
    keys = pd.DataFrame(list(firsts), columns=list(GROUP_KEY[:depth]), dtype="str")
    keys.insert(1, SITE, pd.Series([group.site for group in first], dtype="str"))
    frame = keys.join(spread_items(list(chosen.values()), rows, _member_items(odm, member, by_form=by_form)))
    lines = np.array([group.form_line if by_form else group.line for group in first], dtype=np.int64)
    facts = describe_file(file, format="odm", member=member)
    table, findings = make_table(source, frame, rows=lines, file=file.shown, facts=facts)
    return table, [*odm.findings, *findings]


def list_forms(odm: Odm) -> tuple[str, ...]:
    """Return the forms by OID, those that are defined first, then those that only the data have."""
    return tuple(dict.fromkeys([*odm.definitions["FormDef"], *(key.form for key in odm.groups)]))


def _choose_member(odm: Odm, source: TableSource, file: RawFile) -> str:
    forms = list_forms(odm)
    groups = dict.fromkeys([*odm.definitions["ItemGroupDef"], *(key.group for key in odm.groups)])
    if source.member in (*forms, *groups):
        return source.member
    if not source.member and len(forms) == 1:
        return forms[0]
    if source.member:
        cure = suggest_names(source.member, [*forms, *groups])
        raise RawError(f"no form and no group of items {source.member!r}", file=file.shown, cure=cure)
    raise RawError(f"holds {len(forms)} forms: {list_names(forms)}", file=file.shown, cure="name one with `member:`")


def _refuse_repeats(groups: Mapping[GroupKey, Group], form: str, file: RawFile) -> None:
    seen: set[tuple[str, ...]] = set()
    for key, group in groups.items():
        if key[:6] in seen:
            cure = f"name it with `member: {key.group}`; the form's other groups are tables of their own"
            reason = f"the group {key.group} repeats within the form {form}"
            raise RawError(reason, file=file.shown, line=group.line, cure=cure)
        seen.add(key[:6])


def _member_items(odm: Odm, member: str, *, by_form: bool) -> list[str]:
    if by_form:
        names = [name for items in list_items(odm, member).values() for name in items]
    else:
        names = list(_defined_items(odm, member))
        names += [name for key, group in odm.groups.items() if key.group == member for name in group.items]
    return list(dict.fromkeys(names))
