"""Operations on SDTM records: what is derived across variables, records and domains once all rows are there."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from sdtm.conventions import Conventions, Epoch
from sdtm.dates import compute_age, compute_bounds, compute_study_day
from sdtm.expressions import evaluate
from sdtm.operation import RECORDS, Operation, operation
from sdtm.parameters import ColumnName, ColumnNames, Condition
from sdtm.results import Result, refuse
from sdtm.rows import SUBJECT, Records
from sdtm.standard_results import range_indicator, standardize
from specs.model import Codelist, Variable

FIRST_DAY = ColumnName("DM.RFSTDTC")
CONSENT = ColumnName("DM.RFICDTC")
FIRST_DOSE = ColumnName("DM.RFXSTDTC")


@operation(stages=RECORDS, origin="Derived")
def study_day(records: Records, *, date: ColumnName, reference: ColumnName = FIRST_DAY) -> Result:
    """Count days from the reference date, which is day 1; there is no day 0, and incomplete dates have no day."""
    return Result(compute_study_day(records.column(date), reference=records.column(reference)))


@operation(stages=RECORDS, origin="Derived")
def age(records: Records, *, birth: ColumnName, reference: ColumnName = CONSENT) -> Result:
    """Count completed years by the calendar; missing where incomplete dates leave the age open."""
    return Result(compute_age(records.column(birth), reference_dtc=records.column(reference)))


@operation(stages=RECORDS, origin="Derived")
def number_of(records: Records, *, column: ColumnName) -> Result:
    """Take the number where the text is one, nothing where it is not."""
    text = records.column(column)
    codes, unique = pd.factorize(text)
    plain = pd.Series(unique, dtype="str").str.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)")
    numbers = pd.to_numeric(pd.Series(unique, dtype="str").where(plain), errors="coerce").astype("float64")
    return Result(pd.Series(numbers.take(codes).to_numpy(), index=records.index, dtype="float64"))


def _epoch_references(conventions: Conventions) -> frozenset[str]:
    if conventions.epoch_domain:
        return frozenset({"SE.SESTDTC", "SE.EPOCH"})
    return frozenset(epoch.reference for epoch in conventions.epochs)


@operation(stages=RECORDS, origin="Derived", also_reads=_epoch_references, reads_many=True)
def epoch(records: Records, *, date: ColumnName) -> Result:
    """
    Find the epoch that a date falls in; blank where an incomplete date could fall in two.

    It is that of the subject's last element in SE that had begun by then, or, where the study lists its epochs, of
    the last one whose reference date had come.
    """
    find = _epoch_of_element if records.conventions.epoch_domain else _epoch_of
    earliest, latest = compute_bounds(records.column(date))
    first, last = find(records, earliest), find(records, latest)
    return Result(first.where(first == last, ""))


def _epoch_of_element(records: Records, dates: pd.Series) -> pd.Series:
    elements = records.domains["SE"]
    begun = pd.DataFrame({SUBJECT: elements[SUBJECT], "EPOCH": elements["EPOCH"]})
    begun["at"] = compute_bounds(elements["SESTDTC"].str.slice(0, 10))[0]
    begun = begun.dropna(subset=["at"]).sort_values("at", kind="stable")
    wanted = pd.DataFrame({SUBJECT: records.column(SUBJECT), "at": dates, "label": records.index})
    wanted = wanted.dropna(subset=["at"]).sort_values("at", kind="stable")
    found = pd.merge_asof(wanted, begun, on="at", by=SUBJECT).set_index("label")["EPOCH"]
    return found.reindex(records.index).fillna("").astype("str")


def _epoch_of(records: Records, dates: pd.Series) -> pd.Series:
    found = pd.Series("", index=records.index, dtype="str")
    for item in records.conventions.epochs:
        found = found.mask(dates >= _start(records, item), item.epoch)
    return found


def _start(records: Records, item: Epoch) -> pd.Series:
    start, _ = compute_bounds(records.column(item.reference).str.slice(0, 10))
    return start + pd.Timedelta(days=1) if item.after else start


@operation(stages=RECORDS, origin="Derived")
def last_before(
    records: Records,
    *,
    date: ColumnName,
    by: ColumnNames,
    value: ColumnName,
    reference: ColumnName = FIRST_DOSE,
    same_day: Literal["before", "after"] = "before",
) -> Result:
    """
    Flag with Y the last record with a value before (or at) the reference date, per subject and ``by``.

    Where one of both times is unknown on the same day, ``same_day`` says on which side the record counts.
    """
    dates, reference_dates = records.column(date), records.column(reference)
    eligible = _has_value(records.column(value)) & _before(dates, reference_dates, same_day=same_day)
    frame = pd.DataFrame({name: records.column(name) for name in (SUBJECT, *by)}).assign(date=dates)
    last = frame[eligible].sort_values("date", kind="stable").drop_duplicates([SUBJECT, *by], keep="last").index
    flagged = pd.Series("", index=records.index, dtype="str")
    flagged.loc[last] = "Y"
    return Result(flagged)


def _has_value(values: pd.Series) -> pd.Series:
    return values != "" if values.dtype == "str" else values.notna()


def _before(dates: pd.Series, reference: pd.Series, *, same_day: str) -> pd.Series:
    day, reference_day = dates.str.slice(0, 10), reference.str.slice(0, 10)
    complete = (day.str.len() == 10) & (reference_day.str.len() == 10)
    timed = (dates.str.len() >= 16) & (reference.str.len() >= 16)
    same = day == reference_day
    in_time = dates.str.slice(0, 16) <= reference.str.slice(0, 16)
    on_the_day = np.where(timed, in_time, same_day == "before")
    return complete & ((day < reference_day) | (same & on_the_day))


@operation(stages=RECORDS, origin="Derived", reads_many=True)
def earliest(records: Records, *, of: ColumnNames, where: Condition | None = None) -> Result:
    """Take the subject's earliest date from variables of another domain (``EX.EXSTDTC``), of records that qualify."""
    return Result(_extreme(records, of=of, where=where, last=False))


@operation(stages=RECORDS, origin="Derived", reads_many=True)
def latest(
    records: Records,
    *,
    of: ColumnNames,
    where: Condition | None = None,
    open: ColumnName | None = None,
) -> Result:
    """
    Take the subject's latest date from variables of another domain, of records that qualify.

    ``open`` names a variable that is blank while something goes on: a subject with such a record has no latest date.
    """
    found = _extreme(records, of=of, where=where, last=True)
    if open is not None:
        source = _qualifying(records, (open,), where)
        ongoing = source.loc[source[open.split(".", 1)[1]] == "", SUBJECT]
        found = found.mask(records.column(SUBJECT).isin(ongoing), "")
    return Result(found)


@operation(stages=RECORDS, origin="Derived", reads_many=True)
def count(records: Records, *, of: ColumnName, where: Condition | None = None) -> Result:
    """Count the different values of a variable (``DM.USUBJID``) in the study, of records that qualify."""
    values = _qualifying(records, (of,), where)[of.split(".", 1)[1]]
    number = float(values[_has_value(values)].nunique())
    return Result(pd.Series(number, index=records.index, dtype="float64"))


def _extreme(records: Records, *, of: tuple[str, ...], where: object, last: bool) -> pd.Series:
    parts = []
    for name in of:
        source = _qualifying(records, (name,), where)
        parts.append(pd.DataFrame({SUBJECT: source[SUBJECT], "date": source[name.split(".", 1)[1]]}))
    dates = pd.concat(parts, ignore_index=True)
    dates = dates[dates["date"] != ""].assign(complete=lambda frame: frame["date"].str.len() >= 10)
    # A complete date is preferred to an incomplete one, whose place among the others is not known.
    dates = dates.sort_values(["complete", "date"], ascending=[last, True], kind="stable")
    chosen = dates.drop_duplicates(SUBJECT, keep="last" if last else "first").set_index(SUBJECT)["date"]
    return records.column(SUBJECT).map(chosen).fillna("").astype("str")


def _qualifying(records: Records, names: tuple[str, ...], where: object) -> pd.DataFrame:
    domain = names[0].split(".", 1)[0]
    source = records.domains[domain]
    if where is None:
        return source
    prefix = f"{domain}."
    kept = evaluate(where, lambda name: source[name.removeprefix(prefix)], index=source.index)  # type: ignore[arg-type]
    return source[kept.values.astype("bool")]


@operation(stages=RECORDS, origin="Assigned")
def decode(records: Records, *, column: ColumnName, codelist: Codelist) -> Result:
    """
    Take the term that is paired with another variable's term: the test's name of its short name.

    Paired are terms of both variables' codelists with the same C-code; a term that the study added to the short
    names is paired with the name that its decode says. A term without a pair is refused.
    """
    pairs = _pairs(records, column, codelist)
    codes, unique = pd.factorize(records.column(column))
    names = pd.Series([pairs.get(str(value), "") for value in unique] or [""], dtype="str")
    values = pd.Series(names.take(codes).to_numpy(), index=records.index, dtype="str")
    text = records.column(column)
    reason = f"codelist {codelist.title} has no term paired with this"
    return Result(values, refuse("MAP-DECODE", mask=(values == "") & (text != ""), text=text, reason=reason))


def _pairs(records: Records, column: str, codelist: Codelist) -> dict[str, str]:
    variable = records.specs.datasets[records.domain].variable(column)
    terms = [term for found in _codelists(records, variable) for term in found.terms]
    short = {term.code or term.preferred: term.value for term in terms if term.code or term.preferred}
    names = {term.code or term.value: term.value for term in codelist.terms}
    return {short[key]: name for key, name in names.items() if key in short}


def _codelists(records: Records, variable: Variable | None) -> tuple[Codelist, ...]:
    return records.specs.codelists_of(variable) if variable is not None else ()


RECORD_OPERATIONS: tuple[Operation, ...] = (
    study_day, age, number_of, decode, epoch, last_before, earliest, latest, count, standardize,
    range_indicator,
)  # fmt: skip
