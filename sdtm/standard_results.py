"""Standard results: one unit per test, the same factor for a result and both its limits, and NRIND."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sdtm.conventions import Lookup
from sdtm.operation import RECORDS, operation
from sdtm.parameters import ColumnName
from sdtm.results import Result, refuse
from sdtm.rows import Records
from sdtm.units import compute_conversions, compute_converted, compute_range_indicator

STANDARD = ("--STRESC", "--STRESN", "--STRESU", "--STNRLO", "--STNRHI")


@operation(stages=RECORDS, origin="Derived", outputs=STANDARD)
def standardize(
    records: Records,
    *,
    test: ColumnName,
    result: ColumnName,
    unit: ColumnName,
    units: Lookup,
    low: ColumnName | None = None,
    high: ColumnName | None = None,
) -> dict[str, Result]:
    """
    Convert results, and their limits by the same factor, to the standard unit of their test.

    ``units`` is a lookup table: test, standard unit, and optionally the decimals of converted results. A result whose
    unit is blank, unknown or of another kind is not converted and is reported with its row (SDTMIG 3.4, 4.5.1).
    """
    collected = records.column(result)
    conversions = compute_conversions(
        records.column(test), unit=records.column(unit), standard=_standard(units), decimals=_decimals(units)
    )
    found = compute_converted(collected, conversions=conversions)
    refused = found.refused & (collected != "")
    refusals = refuse("MAP-UNIT", mask=refused, text=collected, reason=found.reason)
    limits = {
        name: Result(compute_converted(records.column(column), conversions=conversions).number)
        for name, column in (("--STNRLO", low), ("--STNRHI", high))
        if column is not None
    }
    empty = Result(pd.Series(float("nan"), index=records.index, dtype="float64"))
    return {
        "--STRESC": Result(found.text, refusals),
        "--STRESN": Result(found.number),
        "--STRESU": Result(found.unit),
        "--STNRLO": empty,
        "--STNRHI": empty,
        **limits,
    }


def _standard(units: Lookup) -> Mapping[str, str]:
    test, unit = units.table.columns[:2]
    return dict(zip(units.table[test], units.table[unit], strict=True))


def _decimals(units: Lookup) -> Mapping[str, int]:
    if len(units.table.columns) < 3:
        return {}
    test, decimals = units.table.columns[0], units.table.columns[2]
    stated = units.table[units.table[decimals] != ""]
    return {name: int(text) for name, text in zip(stated[test], stated[decimals], strict=True)}


@operation(stages=RECORDS, origin="Derived")
def range_indicator(records: Records, *, result: ColumnName, low: ColumnName, high: ColumnName) -> Result:
    """Say LOW, NORMAL or HIGH of a result as collected; blank where a missing limit leaves it open."""
    limits = {"low": records.column(low), "high": records.column(high)}
    return Result(compute_range_indicator(records.column(result), **limits))
