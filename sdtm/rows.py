"""What an operation sees: columns by name. Raw rows while records are made, SDTM records while they are derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from sdtm.conventions import Conventions
from sdtm.expressions import Evaluated, Expression, evaluate
from specs.model import Specs

SUBJECT = "USUBJID"
STUDY_NAMES = ("study.cutoff",)


@dataclass
class Rows:
    """The columns of one block after its joins and stacks; blanks around values are not seen by operations."""

    data: pd.DataFrame
    conventions: Conventions
    specs: Specs
    visits: pd.DataFrame | None = None
    subjects: pd.Series | None = None
    usubjid: pd.Series | None = None
    _seen: dict[str, pd.Series] = field(default_factory=dict)

    @property
    def index(self) -> pd.Index:
        """The rows' labels."""
        return self.data.index

    def column(self, name: str) -> pd.Series:
        """Return a column, text without blanks around it."""
        if name not in self._seen:
            self._seen[name] = self._read(name)
        return self._seen[name]

    def evaluate(self, expression: Expression) -> Evaluated:
        """Evaluate an expression over these columns."""
        return evaluate(expression, self.column, index=self.index)

    def _read(self, name: str) -> pd.Series:
        if name == "study.cutoff":
            return pd.Series(self.conventions.cutoff, index=self.index, dtype="str")
        return strip_blanks(self.data[name])


@dataclass
class Records(Rows):
    """SDTM records of one domain; ``DM.X`` reads a variable of the subject's record in a one-row domain."""

    domain: str = ""
    domains: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def _read(self, name: str) -> pd.Series:
        if "." in name and not name.startswith("study."):
            domain, variable = name.split(".", 1)
            return self._from_subject(domain, variable)
        return self.data[name] if name in self.data.columns else super()._read(name)

    def _from_subject(self, domain: str, variable: str) -> pd.Series:
        other = self.domains[domain]
        first = other.drop_duplicates(SUBJECT).set_index(SUBJECT)[variable]
        taken = self.data[SUBJECT].map(first)
        return taken.fillna("").astype("str") if first.dtype == "str" else taken.astype("float64")


def strip_blanks(column: pd.Series) -> pd.Series:
    """Take blanks off both ends of a text column, touching it only where there are any."""
    if column.dtype != "str":
        return column
    codes, unique = pd.factorize(column)
    stripped = unique.astype("str").str.strip()
    if (stripped == unique).all():
        return column
    return pd.Series(stripped.take(codes), index=column.index, name=column.name, dtype="str")
