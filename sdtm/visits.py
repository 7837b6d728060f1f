"""
The study's visits: planned ones by the visit map, unscheduled ones numbered between them (SDTMIG 3.4 section 4.4.5).

The visit table is made once, from every raw table that records a visit, before any domain is built; so an unscheduled
visit has the same number in all domains, and never that of a planned one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sdtm.conventions import Conventions, ScheduledVisit, VisitOccurrence, Visits
from sdtm.dates import DateFormat, compute_iso8601
from sdtm.expressions import Expression, evaluate
from sdtm.rawtable import RawTable
from sdtm.results import Result, refuse
from sdtm.rows import Rows, strip_blanks
from sdtm.subjects import compute_usubjid

VISIT_COLUMNS = ("USUBJID", "series", "code", "instance", "date", "VISITNUM", "VISIT", "VISITDY")
_NUMBERED = {"VISITNUM": "float64", "VISITDY": "float64"}


def code_pattern(code: str) -> re.Pattern[str]:
    """Compile a code of the visit map: ``{n}`` is a whole number, everything else itself."""
    parts = [re.escape(part) for part in code.split("{n}")]
    return re.compile(r"(?P<n>\d+(?:\.\d+)?)".join(parts), re.IGNORECASE)


def plan_visits(codes: pd.Series, *, visits: Visits) -> pd.DataFrame:
    """
    Look codes up in the visit map.

    Out: same index; VISITNUM and VISITDY (float64, NaN where not planned), VISIT (text). The first line of the map
    that fits a code counts.
    """
    position, unique = pd.factorize(codes)
    planned = pd.DataFrame({"VISITNUM": np.nan, "VISIT": "", "VISITDY": np.nan}, index=range(len(unique)))
    planned["VISIT"] = planned["VISIT"].astype("str")
    for line in reversed(visits.schedule):
        found = [code_pattern(line.code).fullmatch(str(code)) for code in unique]
        hit = pd.Series([match is not None for match in found])
        if hit.any():
            number = pd.Series([match.groupdict().get("n", "") if match else "" for match in found], dtype="str")
            _fill(planned, line, number=number, hit=hit)
    taken = planned.take(position) if len(unique) else planned.reindex(range(len(codes)))
    return taken.set_axis(codes.index)


def _fill(planned: pd.DataFrame, line: ScheduledVisit, *, number: pd.Series, hit: pd.Series) -> None:
    columns = {"n": number}
    planned.loc[hit, "VISITNUM"] = _number(line.visitnum, columns, number.index)[hit]
    if line.visitdy is not None:
        planned.loc[hit, "VISITDY"] = _number(line.visitdy, columns, number.index)[hit]
    planned.loc[hit, "VISIT"] = [line.visit.replace("{n}", str(value)) for value in number[hit]]


def _number(expression: Expression, columns: Mapping[str, pd.Series], index: pd.Index) -> pd.Series:
    return pd.to_numeric(evaluate(expression, columns, index=index).values, errors="coerce").astype("float64")


def derive_visit_table(
    conventions: Conventions, *, tables: Mapping[str, RawTable], known: pd.Series | None
) -> pd.DataFrame:
    """
    Put all recorded visits of all subjects into one table, unscheduled ones numbered.

    Out: one row per subject, series, code, instance and date (columns VISIT_COLUMNS; date as YYYY-MM-DD text).
    Within a subject and series, unscheduled visits on one date are one visit; its number is that of the last planned
    visit on or before the date plus 0.1, 0.2 ... (hundredths when there are more than nine).
    """
    parts = [
        _occurrences(occurrence, tables[occurrence.table], conventions=conventions, known=known)
        for occurrence in conventions.visits.occurrences
        if occurrence.table in tables
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=_NUMBERED.get(name, "str")) for name in VISIT_COLUMNS})
    table = pd.concat(parts, ignore_index=True)
    table = _drop_dates_of_known_visits(table)
    return _number_unscheduled(table, visits=conventions.visits)


def _occurrences(
    occurrence: VisitOccurrence, raw: RawTable, *, conventions: Conventions, known: pd.Series | None
) -> pd.DataFrame:
    data = raw.data
    if occurrence.where is not None:
        data = data[evaluate(occurrence.where, lambda name: strip_blanks(data[name]), index=data.index).values]
    columns = {name: strip_blanks(data[name]) for name in data.columns}
    number = evaluate(occurrence.subject, columns, index=data.index).values
    blank = pd.Series("", index=data.index, dtype="str")
    code = evaluate(occurrence.code, columns, index=data.index).values if occurrence.code else blank
    dates = compute_iso8601(columns[occurrence.date], format=occurrence.format).values.str.slice(0, 10)
    found = pd.DataFrame(
        {
            "USUBJID": compute_usubjid(number, subjects=conventions.subjects, known=known),
            "series": occurrence.series,
            "code": code,
            "instance": columns[occurrence.instance] if occurrence.instance else blank,
            "date": dates,
            "dated_only": occurrence.code is None,
        }
    ).join(plan_visits(code, visits=conventions.visits))
    return found.drop_duplicates()


def _drop_dates_of_known_visits(table: pd.DataFrame) -> pd.DataFrame:
    """A sample without a visit code belongs to the visit of its date; only other dates are visits of their own."""
    keys = ["USUBJID", "series", "date"]
    coded = table.loc[~table["dated_only"], keys].drop_duplicates().assign(coded=True)
    has_visit = table[keys].merge(coded, on=keys, how="left")["coded"].notna().to_numpy()
    return table[~(table["dated_only"].to_numpy() & has_visit)].reset_index(drop=True)


def _number_unscheduled(table: pd.DataFrame, *, visits: Visits) -> pd.DataFrame:
    unplanned = table["VISITNUM"].isna() & (table["dated_only"] | table["code"].isin(visits.unscheduled_codes))
    dated = unplanned & (table["date"].str.len() == 10)
    keys = ["USUBJID", "series"]
    wanted = table.loc[dated, [*keys, "date"]].drop_duplicates().sort_values([*keys, "date"])
    wanted["base"] = _last_planned(wanted, table[~unplanned & (table["date"].str.len() == 10)])
    # Counted over all series of a subject, so that two visits of different series never have one number.
    wanted = wanted.sort_values(["USUBJID", "base", "date", "series"])
    order = wanted.groupby(["USUBJID", "base"]).cumcount() + 1
    many = wanted.groupby(["USUBJID", "base"])["date"].transform("size") > 9
    wanted["number"] = (wanted["base"] + order / np.where(many, 100, 10)).round(2)
    numbers = table[[*keys, "date"]].merge(wanted, on=[*keys, "date"], how="left")["number"]
    table["VISITNUM"] = table["VISITNUM"].where(~dated, numbers.to_numpy())
    spelled = pd.Series([f"{value:g}" for value in table.loc[dated, "VISITNUM"]], dtype="str")
    names = [visits.unscheduled_visit.replace("{visitnum}", str(value)) for value in spelled]
    table.loc[dated, "VISIT"] = names
    return table.loc[:, list(VISIT_COLUMNS)]


def _last_planned(wanted: pd.DataFrame, planned: pd.DataFrame) -> pd.Series:
    """Return VISITNUM of the last planned visit on or before each date; 0 before the first."""
    keys = ["USUBJID", "series"]
    left = wanted.assign(at=pd.to_datetime(wanted["date"]), label=wanted.index).sort_values("at")
    right = planned.assign(at=pd.to_datetime(planned["date"]), base=planned["VISITNUM"])
    right = right.sort_values(["at", "base"])[[*keys, "at", "base"]]
    found = pd.merge_asof(left, right, on="at", by=keys)
    return found.set_index("label")["base"].fillna(0.0).reindex(wanted.index)


def find_visits(
    rows: Rows,
    *,
    code: Expression | None,
    instance: str | None,
    date: str | None,
    format: DateFormat | None,
    series: str,
) -> dict[str, Result]:
    """Find VISITNUM, VISIT and VISITDY of raw rows; see the operation ``visit``."""
    if code is not None:
        shown, found = _by_code(rows, code=code, instance=instance)
    else:
        shown, found = _by_date(rows, date=date or "", format=format, series=series)
    missed = found["VISITNUM"].isna() & (shown != "")
    reason = "neither in the visit map nor among the recorded visits of this subject"
    refusals = refuse("MAP-VISIT", mask=missed, text=shown, reason=reason)
    return {
        "VISITNUM": Result(found["VISITNUM"], refusals),
        "VISIT": Result(found["VISIT"].fillna("").astype("str")),
        "VISITDY": Result(found["VISITDY"]),
    }


def _by_code(rows: Rows, *, code: Expression, instance: str | None) -> tuple[pd.Series, pd.DataFrame]:
    codes = rows.evaluate(code).values
    found = plan_visits(codes, visits=rows.conventions.visits)
    open_rows = found["VISITNUM"].isna() & (codes != "")
    if open_rows.any() and rows.visits is not None and rows.usubjid is not None:
        blank = pd.Series("", index=rows.index, dtype="str")
        keys = {"USUBJID": rows.usubjid, "code": codes, "instance": rows.column(instance) if instance else blank}
        found = _filled(found, keys, rows.visits, mask=open_rows)
    return codes, found


def _by_date(rows: Rows, *, date: str, format: DateFormat | None, series: str) -> tuple[pd.Series, pd.DataFrame]:
    collected = rows.column(date)
    dates = (
        compute_iso8601(collected, format=format).values.str.slice(0, 10) if format else collected.str.slice(0, 10)
    )
    empty = pd.DataFrame({"VISITNUM": np.nan, "VISIT": "", "VISITDY": np.nan}, index=rows.index)
    if rows.visits is None or rows.usubjid is None:
        return dates, empty
    visits = rows.visits[rows.visits["series"] == series] if series else rows.visits
    return dates, _filled(empty, {"USUBJID": rows.usubjid, "date": dates}, visits, mask=dates != "")


def _filled(
    found: pd.DataFrame, keys: Mapping[str, pd.Series], visits: pd.DataFrame, *, mask: pd.Series
) -> pd.DataFrame:
    """Fill the rows of *mask* from the visit table; of several visits with one key the first number counts."""
    names = list(keys)
    known = visits.dropna(subset=["VISITNUM"]).sort_values("VISITNUM").drop_duplicates(names)
    wanted = pd.DataFrame(dict(keys)).loc[mask]
    taken = wanted.merge(known, on=names, how="left").set_axis(wanted.index)
    result = found.copy()
    for name in ("VISITNUM", "VISIT", "VISITDY"):
        result[name] = found[name].mask(mask, taken[name].reindex(found.index))
    return result
