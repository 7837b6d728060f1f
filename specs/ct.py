"""Controlled terminology: read one version of it, and recode a column to its terms."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from specs.findings import Fault, SpecificationError
from specs.model import Codelist, Term, fold

if TYPE_CHECKING:
    import pandas as pd

CT_FOLDER = Path(__file__).parent / "ct"
CT_COLUMNS = ("codelist", "name", "short", "extensible", "term", "value", "preferred", "synonyms")
SYNONYM_SEPARATOR = "; "

Row = list[str]


@dataclass(frozen=True)
class Terminology:
    """
    One version of a terminology; a codelist is built when it is first asked for.

    ``rows`` holds, by C-code, a list's own row and then its terms' rows, in the columns of ``CT_COLUMNS``.
    """

    version: str
    rows: Mapping[str, Sequence[Row]]
    codes: Mapping[str, str]
    _built: dict[str, Codelist] = field(default_factory=dict, repr=False, compare=False)

    def codelist(self, name_or_code: str) -> Codelist | None:
        """Return a list by C-code or submission value; None where this version does not carry it."""
        code = self.codes.get(name_or_code, name_or_code)
        if code not in self.rows:
            return None
        if code not in self._built:
            self._built[code] = _codelist(self.rows[code])
        return self._built[code]

    @property
    def names(self) -> tuple[str, ...]:
        """The submission values of the lists carried, in the file's order."""
        return tuple(self.codes)


def _codelist(rows: Sequence[Row]) -> Codelist:
    code, name, short, extensible, _, _, preferred, synonyms = rows[0]
    terms = tuple(Term(row[4], row[5], row[6], split_synonyms(row[7])) for row in rows[1:])
    return Codelist(code, name, short, extensible == "Yes", terms, preferred, split_synonyms(synonyms))


def split_synonyms(text: str) -> tuple[str, ...]:
    """Split the synonyms of one cell; blanks around them are not part of them."""
    return tuple(part for part in (piece.strip() for piece in text.split(";")) if part)


def list_versions(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Return the terminology versions found in *folders* and in the package, by name; the first folder wins."""
    found: dict[str, Path] = {}
    for folder in (*folders, CT_FOLDER):
        for path in sorted(folder.glob("*.csv")):
            found.setdefault(path.stem, path)
    return found


def load_terminology(version: str, *, folders: Sequence[Path] = ()) -> Terminology:
    """Load a version by name from *folders* or the package; SpecificationError where there is none of that name."""
    versions = list_versions(folders)
    if version not in versions:
        reason = f"no controlled terminology {version!r} (there is {', '.join(sorted(versions)) or 'none'})"
        raise SpecificationError([Fault("terminology", 0, reason, "add it with: trialmill ct import FILE")])
    return read_terminology(versions[version])


def read_terminology(path: Path) -> Terminology:
    """Read one version from the CSV that ``specs.ct_import.write_ct_version`` writes; its name is the file's."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream)
            header, rows = next(reader, []), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpecificationError([Fault(str(path), 0, f"cannot be read: {error}")]) from None
    if tuple(header) != CT_COLUMNS or any(len(row) != len(CT_COLUMNS) for row in rows):
        cure = "make it again with: trialmill ct import FILE"
        raise SpecificationError([Fault(str(path), 1, "not a terminology version of this project", cure)])
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return Terminology(path.stem, grouped, {lines[0][2]: code for code, lines in grouped.items()})


def match_terms(
    values: pd.Series, *, codelist: Codelist, mapping: Mapping[str, str] | None = None
) -> tuple[pd.Series, pd.Series]:
    """
    Recode a text column to the submission values of *codelist*.

    The study's *mapping* (received text to submission value) comes first, as written and then with letter case and
    outer blanks ignored; then ``Codelist.find``. Gives the recoded column and a boolean column of the refused cells:
    text that means no term, or could mean several. A refused cell keeps its received text; an empty cell stays
    empty and is not refused. A mapping to a value outside a list that is not extensible is refused too.
    """
    import numpy as np
    import pandas as pd

    codes, uniques = pd.factorize(values.fillna(""))
    recoded, refused = _recode([str(text) for text in uniques], codelist, mapping or {})
    as_series = pd.Series(recoded, dtype="str").take(codes)
    as_series.index = values.index
    as_series.name = values.name
    return as_series, pd.Series(np.array(refused, dtype=bool)[codes], index=values.index)


def _recode(texts: list[str], codelist: Codelist, mapping: Mapping[str, str]) -> tuple[list[str], list[bool]]:
    folded: dict[str, set[str]] = {}
    for text, value in mapping.items():
        folded.setdefault(fold(text), set()).add(value)
    found = [_meaning(text, codelist, mapping, folded) for text in texts]
    recoded = [text if value is None else value for text, value in zip(texts, found, strict=True)]
    return recoded, [value is None for value in found]


def _meaning(text: str, codelist: Codelist, mapping: Mapping[str, str], folded: Mapping[str, set[str]]) -> str | None:
    if not text.strip():
        return ""
    said = {mapping[text]} if text in mapping else folded.get(fold(text), set())
    if said:
        value = next(iter(said)) if len(said) == 1 else None
        return value if value is None or codelist.extensible or codelist.term(value) else None
    term = codelist.find(text)
    return None if term is None else term.value


def is_version_name(text: str) -> bool:
    """Whether *text* can name a terminology version, and so a file."""
    return re.fullmatch(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", text) is not None
