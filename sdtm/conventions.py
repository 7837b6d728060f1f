"""What a study says once for all its domains: its subjects, visits, epochs, date formats and lookup tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from sdtm.dates import DateFormat
from sdtm.expressions import Expression
from specs.findings import Fault


@dataclass(frozen=True)
class Address:
    """A place in a specification: its file and line, for faults and for lineage."""

    file: str
    line: int

    def fault(self, reason: str, cure: str = "") -> Fault:
        """Make a fault at this place."""
        return Fault(self.file, self.line, reason, cure)


@dataclass(frozen=True)
class Lookup:
    """A lookup table of the study's folder: all text, one row per key."""

    name: str
    table: pd.DataFrame
    address: Address


@dataclass(frozen=True)
class Subjects:
    """
    Who the subjects are: the raw table that lists them, and how an identifier becomes USUBJID.

    ``previous`` is the column with the number a person had at an earlier screening: both numbers are one USUBJID,
    that of the first (SDTMIG 3.4 section 5, DM assumption on USUBJID: one identifier for one person). ``known_as``
    are columns with other names of the same subject, by which other raw tables call it (an EDC's record id).
    """

    table: str
    id: str
    usubjid: Expression
    previous: str
    known_as: tuple[str, ...]
    address: Address


@dataclass(frozen=True)
class ScheduledVisit:
    """One line of the visit map; ``{n}`` in the code is a number that the other fields may use."""

    code: str
    visitnum: Expression
    visit: str
    visitdy: Expression | None
    address: Address


@dataclass(frozen=True)
class VisitOccurrence:
    """Where visits that took place are recorded: a raw table with subject, date and (if it has one) visit code."""

    table: str
    subject: Expression
    code: Expression | None
    instance: str
    date: str
    format: DateFormat
    series: str
    where: Expression | None
    address: Address


@dataclass(frozen=True)
class Visits:
    """The visit map: what is planned, which codes are unscheduled, and where visits are recorded."""

    schedule: tuple[ScheduledVisit, ...] = ()
    unscheduled_codes: tuple[str, ...] = ()
    unscheduled_visit: str = "UNSCHEDULED {visitnum}"
    occurrences: tuple[VisitOccurrence, ...] = ()


@dataclass(frozen=True)
class Epoch:
    """An epoch begins on (``after`` = False) or after (True) a reference date of DM."""

    epoch: str
    reference: str
    after: bool
    address: Address


@dataclass(frozen=True)
class Conventions:
    """What the operations may ask of the study; ``epoch_domain`` is SE where epochs are those of its elements."""

    study: str
    subjects: Subjects | None = None
    visits: Visits = field(default_factory=Visits)
    epochs: tuple[Epoch, ...] = ()
    epoch_domain: str = ""
    dates: Mapping[str, DateFormat] = field(default_factory=dict)
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    cutoff: str = ""
