"""
Read a release of controlled terminology as NCI EVS publishes it, and write it as one of our versions.

EVS publishes the same content as tab-separated text, as CSV (sheets of the Excel release) and as ODM-XML; the three
give the same version here, byte for byte. Definitions are not carried.
"""

from __future__ import annotations

import csv
import io
import lzma
import os
import re
import tempfile
import xml.etree.ElementTree as ET  # document types, and so entities, are refused below
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from specs.ct import CT_COLUMNS, SYNONYM_SEPARATOR, is_version_name, split_synonyms
from specs.findings import Fault, SpecificationError
from specs.model import Codelist, Term

_CODE, _LIST, _EXTENSIBLE = "Code", "Codelist Code", "Codelist Extensible (Yes/No)"
_NAME, _VALUE = "Codelist Name", "CDISC Submission Value"
_SYNONYMS, _PREFERRED = "CDISC Synonym(s)", "NCI Preferred Term"
_TEXT_COLUMNS = (_CODE, _LIST, _EXTENSIBLE, _NAME, _VALUE, _SYNONYMS, _PREFERRED)
_NCI = "{http://ncicb.nci.nih.gov/xml/odm/EVS/CDISC}"
_RELEASE = re.compile(r"\b(adam|cdash|coa|ddf|define-xml|glossary|mrct|protocol|qrs|sdtm|send|tmf)\b", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CURE = "give a release of https://evs.nci.nih.gov/ftp1/CDISC/ as .txt, .csv or .odm.xml"


@dataclass(frozen=True)
class CtRelease:
    """A release: the version name that it gives itself (empty where it gives none), and its codelists by C-code."""

    version: str
    codelists: tuple[Codelist, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of a release, whatever its format; a list's own row has no ``codelist``."""

    line: int
    code: str
    codelist: str
    extensible: str
    name: str
    value: str
    synonyms: tuple[str, ...]
    preferred: str


def read_ct_release(path: Path) -> CtRelease:
    """
    Read a release: tab text (.txt), CSV or ODM-XML, told apart by content; .xz is unpacked.

    Raises SpecificationError, one line, where the file cannot be read, is not such a release or contradicts itself.
    """
    text = _read_text(path)
    if text.lstrip()[:1] == "<":
        entries, titles = _odm_entries(path, text)
    else:
        entries, titles = _table_entries(path, text)
    return CtRelease(_version_name([path.name, *titles]), _codelists(path, entries))


def write_ct_version(release: CtRelease, *, folder: Path, version: str = "") -> Path:
    """
    Write a release as ``folder/<version>.csv`` (columns of ``CT_COLUMNS``: a list's row, then its terms').

    *version* defaults to the release's own name, like ``sdtm-2025-09-26``. Lists are ordered by C-code and terms by
    submission value, so the same content gives the same bytes. Returns the path; the file appears whole or not.
    """
    name = version or release.version
    if not is_version_name(name):
        reason = f"{name!r} cannot name a version" if name else "the release does not say its name and date"
        raise SpecificationError([Fault("terminology", 0, reason, "name it, for example: sdtm-2025-09-26")])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CT_COLUMNS)
    for codelist in sorted(release.codelists, key=lambda one: _by_number(one.code)):
        writer.writerows(_rows(codelist))
    return _write_whole(folder / f"{name}.csv", text.getvalue().encode())


def _rows(codelist: Codelist) -> Iterator[list[str]]:
    extensible = "Yes" if codelist.extensible else "No"
    own = SYNONYM_SEPARATOR.join(codelist.synonyms)
    yield [codelist.code, codelist.name, codelist.short, extensible, "", "", codelist.preferred, own]
    for term in sorted(codelist.terms, key=lambda one: one.value):
        synonyms = SYNONYM_SEPARATOR.join(term.synonyms)
        yield [codelist.code, "", "", "", term.code, term.value, term.preferred, synonyms]


def _by_number(code: str) -> tuple[int, str]:
    return int(code[1:]) if code[1:].isdecimal() else 0, code


def _write_whole(path: Path, content: bytes) -> Path:
    """Write beside, sync, rename: a reader sees the old file or the new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except OSError:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SpecificationError([Fault(str(path), 0, f"cannot be written: {error.strerror}")]) from None
    return path


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        content = lzma.decompress(content) if path.suffix == ".xz" else content
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise _refused(path, "no such file") from None
    except (OSError, lzma.LZMAError) as error:
        raise _refused(path, f"cannot be read: {error}") from None
    except UnicodeDecodeError as error:
        raise _refused(path, f"not UTF-8 text (byte {error.start})") from None


def _refused(path: Path, reason: str, *, line: int = 0, cure: str = _CURE) -> SpecificationError:
    return SpecificationError([Fault(str(path), line, reason, cure)])


def _version_name(titles: Iterable[str]) -> str:
    """Join the release's kind and date as the first of *titles* that has each says them."""
    plain = [re.sub(r"[_ ]+", " ", title) for title in titles]
    kind = next((found.group(1).lower() for title in plain if (found := _RELEASE.search(title))), "")
    date = next((found.group() for title in plain if (found := _DATE.search(title))), "")
    return f"{kind}-{date}" if kind and date else ""


def _table_entries(path: Path, text: str) -> tuple[list[_Entry], list[str]]:
    """Read tab text (no quoting) or CSV (double quotes)."""
    tab = "\t" in text.partition("\n")[0]
    stream = io.StringIO(text, newline="")
    rows = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if tab else csv.reader(stream)
    header = next(rows, [])
    absent = [column for column in _TEXT_COLUMNS if column not in header]
    if absent:
        raise _refused(path, f"not a terminology release: no column {absent[0]!r}", line=1)
    places, title_at = [header.index(column) for column in _TEXT_COLUMNS], _place(header, "Standard and Date")
    entries: list[_Entry] = []
    titles: list[str] = []
    for row in rows:
        if not any(row):
            continue
        if len(row) != len(header):
            raise _refused(path, f"{len(row)} cells under {len(header)} columns", line=rows.line_num)
        code, codelist, extensible, name, value, synonyms, preferred = (row[place].strip() for place in places)
        split = split_synonyms(synonyms)
        entries.append(_Entry(rows.line_num, code, codelist, extensible, name, value, split, preferred))
        if title_at is not None and not titles:
            titles.append(row[title_at])
    return entries, titles


def _place(header: list[str], column: str) -> int | None:
    return header.index(column) if column in header else None


class _NoDocumentType(ET.TreeBuilder):
    """Build the tree; a document type (the home of entities) is refused as soon as it is seen."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse."""
        raise ET.ParseError(f"a document type ({name}) is not accepted")


def _odm_entries(path: Path, text: str) -> tuple[list[_Entry], list[str]]:
    parser = ET.XMLParser(target=_NoDocumentType())  # noqa: S314
    try:
        parser.feed(text)
        root = parser.close()
    except ET.ParseError as error:
        raise _refused(path, f"not XML that can be read: {error}") from None
    if _local(root) != "ODM":
        raise _refused(path, f"not a terminology release: <{_local(root)}> and not <ODM>")
    entries, titles = [], [root.get("FileOID", "")]
    for element in root.iter():
        if _local(element) == "MetaDataVersion":
            titles += [element.get("Name", ""), element.get("OID", "")]
        elif _local(element) == "CodeList":
            entries += _odm_codelist(element)
    return entries, titles


def _odm_codelist(element: ET.Element) -> list[_Entry]:
    code, name = element.get(f"{_NCI}ExtCodeID", ""), element.get("Name", "").strip()
    short = _nci_texts(element, "CDISCSubmissionValue") or (element.get("OID", "").rpartition(".")[2],)
    extensible = element.get(f"{_NCI}CodeListExtensible", "")
    entries = [_odm_entry(element, code=code, codelist="", extensible=extensible, name=name, value=short[0])]
    for item in element:
        if _local(item) in ("EnumeratedItem", "CodeListItem"):
            term, value = item.get(f"{_NCI}ExtCodeID", ""), item.get("CodedValue", "").strip()
            entries.append(_odm_entry(item, code=term, codelist=code, extensible="", name=name, value=value))
    return entries


def _odm_entry(element: ET.Element, *, code: str, codelist: str, extensible: str, name: str, value: str) -> _Entry:
    synonyms = tuple(part for text in _nci_texts(element, "CDISCSynonym") for part in split_synonyms(text))
    preferred = "".join(_nci_texts(element, "PreferredTerm")[:1])
    return _Entry(0, code.strip(), codelist.strip(), extensible, name, value, synonyms, preferred)


def _nci_texts(element: ET.Element, tag: str) -> tuple[str, ...]:
    return tuple((child.text or "").strip() for child in element.findall(f"{_NCI}{tag}"))


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _codelists(path: Path, entries: list[_Entry]) -> tuple[Codelist, ...]:
    if not entries:
        raise _refused(path, "not a terminology release: it holds no codelist")
    heads = {entry.code: entry for entry in entries if not entry.codelist}
    terms: dict[str, dict[str, Term]] = {code: {} for code in heads}
    for entry in entries:
        _check_entry(path, entry, terms)
        if entry.codelist:
            terms[entry.codelist][entry.value] = Term(entry.code, entry.value, entry.preferred, entry.synonyms)
    return tuple(_built(heads[code], terms[code]) for code in sorted(heads, key=_by_number))


def _check_entry(path: Path, entry: _Entry, terms: dict[str, dict[str, Term]]) -> None:
    if not re.fullmatch(r"C\d+", entry.code) or not entry.value:
        raise _refused(path, f"{entry.value or entry.name!r} has no C-code or no submission value", line=entry.line)
    if entry.codelist and entry.codelist not in terms:
        raise _refused(path, f"{entry.code} names the codelist {entry.codelist}, which is not there", line=entry.line)
    if entry.codelist and entry.value in terms[entry.codelist]:
        raise _refused(path, f"{entry.value!r} stands twice in {entry.codelist}", line=entry.line)


def _built(head: _Entry, terms: dict[str, Term]) -> Codelist:
    ordered = tuple(sorted(terms.values(), key=lambda term: term.value))
    extensible = head.extensible == "Yes"
    return Codelist(head.code, head.name, head.value, extensible, ordered, head.preferred, head.synonyms)
