"""Compile what study.yaml says once for all domains: dates, subjects, visits, epochs, lookup tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from sdtm.conventions import Conventions, Epoch, Lookup, ScheduledVisit, Subjects, VisitOccurrence, Visits
from sdtm.dates import DateFormat, parse_date_format
from sdtm.expressions import Expression
from sdtm.node import Node
from sdtm.parameters import ParameterError, compile_date_format, compile_expression

CONVENTION_KEYS = ("dates", "subjects", "visits", "epochs", "lookups")
DATE_KEYS = ("format", "unknown", "impossible", "calendar", "pivot")
OCCURRENCE_KEYS = ("table", "subject", "code", "instance", "date", "format", "series", "where")


def compile_conventions(node: Node, *, study: str, cutoff: str, folder: Path) -> Conventions:
    """Compile the sections dates, subjects, visits, epochs and lookups of a study.yaml."""
    dates = {name: _date_format(child) for name, child in node.child("dates").pairs(what="dates")}
    formats = {name: item for name, item in dates.items() if item is not None}
    return Conventions(
        study=study,
        subjects=_subjects(node.child("subjects")),
        visits=_visits(node.child("visits"), formats=formats),
        epochs=tuple(_epochs(node.child("epochs"))),
        epoch_domain=_epoch_domain(node.child("epochs")),
        dates=formats,
        lookups=_lookups(node.child("lookups"), folder=folder),
        cutoff=cutoff,
    )


def _date_format(node: Node) -> DateFormat | None:
    if not node.only(DATE_KEYS, what="a date format"):
        return None
    try:
        return parse_date_format(
            node.text("format", required=True),
            unknown=node.texts("unknown"),
            impossible=node.text("impossible", default="refuse"),
            calendar=node.text("calendar", default="gregorian"),
            pivot=_pivot(node.child("pivot")),
        )
    except ValueError as error:
        node.fault(str(error))
        return None


def _pivot(node: Node) -> int | None:
    if node.value is not None and (isinstance(node.value, bool) or not isinstance(node.value, int)):
        node.fault("pivot is the last two-digit year of this century, for example 30")
        return None
    return node.value


def _subjects(node: Node) -> Subjects | None:
    if node.value is None or not node.only(("table", "id", "known_as", "previous", "usubjid"), what="subjects"):
        return None
    table, number = node.text("table", required=True), node.text("id", required=True)
    usubjid = _expression(node, "usubjid", required=True)
    if usubjid is None:
        return None
    if usubjid.columns - {"id"}:
        node.child("usubjid").fault("usubjid may use only id, the person's first number")
    return Subjects(table, number, usubjid, node.text("previous"), node.texts("known_as"), node.address)


def _visits(node: Node, *, formats: Mapping[str, DateFormat]) -> Visits:
    if node.value is None or not node.only(("schedule", "unscheduled", "occurrences"), what="visits"):
        return Visits()
    unscheduled = node.child("unscheduled")
    if unscheduled.value is not None:
        unscheduled.only(("codes", "visit"), what="unscheduled")
    schedule = [_scheduled(item) for item in node.child("schedule").items(what="schedule")]
    occurrences = [_occurrence(item, formats=formats) for item in node.child("occurrences").items(what="occurrences")]
    return Visits(
        schedule=tuple(item for item in schedule if item is not None),
        unscheduled_codes=unscheduled.texts("codes"),
        unscheduled_visit=unscheduled.text("visit", default=Visits.unscheduled_visit),
        occurrences=tuple(item for item in occurrences if item is not None),
    )


def _scheduled(node: Node) -> ScheduledVisit | None:
    if not node.only(("code", "visitnum", "visit", "visitdy"), what="a planned visit"):
        return None
    code, visit = node.text("code", required=True), node.text("visit", required=True)
    visitnum = _expression(node, "visitnum", required=True)
    if code.count("{n}") > 1:
        node.child("code").fault("a code has at most one {n}")
    if visitnum is None:
        return None
    return ScheduledVisit(code, visitnum, visit, _expression(node, "visitdy"), node.address)


def _occurrence(node: Node, *, formats: Mapping[str, DateFormat]) -> VisitOccurrence | None:
    if not node.only(OCCURRENCE_KEYS, what="an occurrence"):
        return None
    subject = _expression(node, "subject", required=True)
    form = _format(node, formats)
    if subject is None or form is None:
        return None
    return VisitOccurrence(
        table=node.text("table", required=True),
        subject=subject,
        code=_expression(node, "code"),
        instance=node.text("instance"),
        date=node.text("date", required=True),
        format=form,
        series=node.text("series"),
        where=_expression(node, "where", condition=True),
        address=node.address,
    )


def _format(node: Node, formats: Mapping[str, DateFormat]) -> DateFormat | None:
    try:
        return compile_date_format(node.text("format", required=True), formats=formats)
    except ParameterError as error:
        node.child("format").fault(error.reason, error.cure)
        return None


def _epoch_domain(node: Node) -> str:
    if not isinstance(node.value, str):
        return ""
    if node.value != "SE":
        node.fault(f"{node.value} has no epochs", "write epochs: SE, or a list of epochs")
    return "SE"


def _epochs(node: Node) -> Iterator[Epoch]:
    if isinstance(node.value, str):
        return
    for item in node.items(what="epochs"):
        if item.only(("epoch", "from", "after"), what="an epoch"):
            begins = [key for key in ("from", "after") if item.child(key).value is not None]
            if len(begins) != 1:
                item.fault("an epoch begins either from or after a date of DM", "write from: DM.RFXSTDTC")
                continue
            reference = item.text(begins[0])
            yield Epoch(item.text("epoch", required=True), reference, begins[0] == "after", item.address)


def _lookups(node: Node, *, folder: Path) -> Mapping[str, Lookup]:
    found = {}
    for name, child in node.pairs(what="lookups"):
        path = folder / str(child.value)
        try:
            table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            child.fault(
                f"lookup table {child.value} cannot be read: {error}", "it is a CSV file in the study's folder"
            )
            continue
        found[name] = Lookup(name, table.astype("str"), child.address)
    return found


def _expression(node: Node, key: str, *, required: bool = False, condition: bool = False) -> Expression | None:
    text = node.text(key, required=required)
    if not text:
        return None
    try:
        return compile_expression(text, condition=condition)
    except ParameterError as error:
        node.child(key).fault(error.reason, error.cure)
        return None
