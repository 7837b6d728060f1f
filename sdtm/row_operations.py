"""Operations that read collected values; those that need only columns work on SDTM records as well."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sdtm.conventions import Lookup
from sdtm.dates import DateFormat, compute_iso8601
from sdtm.operation import BOTH, ROWS, Operation, operation
from sdtm.parameters import Case, Cases, ColumnName, ColumnNames, Constant, Formula, ValueMap
from sdtm.results import Refusal, Result, join_text, refuse
from sdtm.rows import Rows
from sdtm.subjects import compute_usubjid
from sdtm.visits import find_visits
from specs.ct import match_terms
from specs.model import Codelist

CLOCK = Constant("hh:mm")
ANY_SERIES = Constant("")


@operation(stages=BOTH, origin="Collected")
def assign(rows: Rows, *, column: ColumnName) -> Result:
    """Copy a column as collected, without the blanks around it."""
    return Result(rows.column(column))


@operation(stages=BOTH, origin="Assigned")
def constant(rows: Rows, *, value: Constant) -> Result:
    """Put the same value on every record."""
    return Result(pd.Series(value, index=rows.index, dtype="str"))


@operation(stages=BOTH, origin="Derived")
def expr(rows: Rows, *, formula: Formula) -> Result:
    """Compute a value by an expression."""
    found = rows.evaluate(formula)
    text = pd.Series(formula.text, index=rows.index, dtype="str")
    refusals = [
        refuse("MAP-EXPRESSION", mask=item.rows, text=text, reason=f"{item.part} {item.reason}")
        for item in found.refusals
    ]
    return Result(found.values, tuple(refusal for group in refusals for refusal in group))


@operation(stages=BOTH, origin="Derived")
def case(rows: Rows, *, branches: Cases) -> Result:
    """Take the value of the first branch whose condition holds; no branch, no value."""
    values = pd.Series("", index=rows.index, dtype="str")
    open_rows = pd.Series(True, index=rows.index)
    refusals: list[Refusal] = []
    for branch in branches:
        taken = open_rows & _holds(branch, rows)
        result = expr.function(rows, formula=branch.then)
        values = values.mask(taken, _as_text(result.values))
        refusals += [_only(refusal, taken) for refusal in result.refusals]
        open_rows &= ~taken
    return Result(values, tuple(refusal for refusal in refusals if len(refusal.text)))


def _holds(branch: Case, rows: Rows) -> pd.Series:
    if branch.when is None:
        return pd.Series(True, index=rows.index)
    return rows.evaluate(branch.when).values.astype("bool")


def _only(refusal: Refusal, mask: pd.Series) -> Refusal:
    kept = mask.reindex(refusal.text.index)
    return Refusal(refusal.rule, refusal.text[kept], refusal.reason[kept])


@operation(stages=BOTH, origin="Collected")
def assign_ct(rows: Rows, *, column: ColumnName, codelist: Codelist, map: ValueMap | None = None) -> Result:
    """
    Recode a column to the submission values of a codelist.

    Found are, in this order: the pairs of ``map``, submission values, preferred terms, synonyms, all without regard
    to case. A value that is not found is refused: it stays as collected and is reported with its row. Without
    ``codelist`` the one that the standard gives the variable is used.
    """
    collected = _as_text(rows.column(column))
    recoded, refused = match_terms(collected, codelist=codelist, mapping=map)
    values = recoded.mask(refused, collected)
    reason = f"not a term of codelist {codelist.short} ({codelist.code})"
    return Result(values, refuse("MAP-CT", mask=refused, text=collected, reason=reason))


@operation(stages=BOTH, origin="Collected")
def recode(rows: Rows, *, column: ColumnName, map: ValueMap) -> Result:
    """Recode a column by pairs; a value without a pair is refused: it stays as collected, reported with its row."""
    collected = _as_text(rows.column(column))
    codes, unique = pd.factorize(collected)
    pairs = {key.strip().casefold(): value for key, value in map.items()}
    keys = [str(value).casefold() for value in unique]
    target = pd.Series([pairs.get(key, value) for key, value in zip(keys, unique, strict=True)], dtype="str")
    missed = np.array([key not in pairs and key != "" for key in keys], dtype=bool)
    values = pd.Series(target.take(codes).to_numpy(), index=rows.index, dtype="str")
    mask = pd.Series(missed[codes] if len(missed) else np.zeros(len(codes), bool), index=rows.index)
    return Result(values, refuse("MAP-RECODE", mask=mask, text=collected, reason="no pair in map for this value"))


@operation(stages=ROWS, origin="Collected")
def iso8601(
    rows: Rows,
    *,
    date: ColumnName,
    format: DateFormat,
    time: ColumnName | None = None,
    time_format: Constant = CLOCK,
) -> Result:
    """
    Turn a date, and a time where there is one, into ISO 8601 (SDTMIG 3.4 section 4.4).

    Unknown parts are left out or written ``-``. A date that does not exist is refused and reported with its row;
    where the format says ``impossible: unknown_day`` its year and month are kept, and it is reported as well.
    """
    collected = rows.column(date)
    clock = rows.column(time) if time else None
    found = compute_iso8601(collected, format=format, time=clock, time_format=time_format)
    text = collected if clock is None else (collected + " " + clock).str.strip()
    kept = found.values != ""
    lost = refuse("MAP-DATE", mask=found.refused & ~kept, text=text, reason=found.reason)
    part = refuse("MAP-DATE-PART", mask=found.refused & kept, text=text, reason=found.reason)
    return Result(found.values, (*lost, *part))


@operation(stages=BOTH, origin="Assigned")
def lookup(rows: Rows, *, table: Lookup, by: ColumnNames, value: Constant) -> Result:
    """
    Take a value from a lookup table of the study.

    ``by`` are the columns here that stand for the table's first columns, in their order; ``value`` names the table's
    column to take. A key that the table does not have is refused and reported with its row.
    """
    keys = [_as_text(rows.column(name)) for name in by]
    wanted = pd.MultiIndex.from_arrays(keys) if len(keys) > 1 else pd.Index(keys[0])
    names = list(table.table.columns[: len(by)])
    known = table.table.set_index(names)[value]
    found = pd.Series(known.reindex(wanted).to_numpy(), index=rows.index)
    text = join_text(pd.DataFrame(dict(enumerate(keys))))
    blank = text.str.replace("/", "").str.strip() == ""
    mask = found.isna() & ~blank
    reason = f"lookup table {table.name} has no such {' / '.join(names)}"
    return Result(found.fillna("").astype("str"), refuse("MAP-LOOKUP", mask=mask, text=text, reason=reason))


@operation(stages=ROWS, origin="Collected")
def translate(rows: Rows, *, column: ColumnName, table: Lookup) -> Result:
    """
    Translate text that is not ASCII by a signed translation table of the study; ASCII text stays as it is.

    The table's first column is the original, the second the translation. Text without an entry is refused: its value
    is empty, and it is reported with its row. The original stays in the raw file that the lineage names.
    """
    original, english = table.table.columns[:2]
    known = dict(zip(table.table[original].str.strip(), table.table[english], strict=True))
    codes, unique = pd.factorize(rows.column(column))
    spelled = [text if text.isascii() else known.get(text, "") for text in map(str, unique)]
    values = pd.Series(pd.Series(spelled or [""], dtype="str").take(codes).to_numpy(), index=rows.index, dtype="str")
    text = rows.column(column)
    reason = f"translation table {table.name} has no entry"
    return Result(values, refuse("MAP-TRANSLATION", mask=(values == "") & (text != ""), text=text, reason=reason))


@operation(stages=ROWS, origin="Derived")
def subject(rows: Rows, *, id: Formula) -> Result:
    """Turn a subject's number, in whatever shape this file has it, into USUBJID by the study's subjects:."""
    found = rows.evaluate(id)
    number = _as_text(found.values)
    values = compute_usubjid(number, subjects=rows.conventions.subjects, known=rows.subjects)
    reason = "this row has no subject number"
    return Result(values, refuse("MAP-SUBJECT-BLANK", mask=number == "", text=number, reason=reason))


@operation(stages=ROWS, origin="Assigned", outputs=("VISITNUM", "VISIT", "VISITDY"))
def visit(
    rows: Rows,
    *,
    code: Formula | None = None,
    instance: ColumnName | None = None,
    date: ColumnName | None = None,
    format: DateFormat | None = None,
    series: Constant = ANY_SERIES,
) -> dict[str, Result]:
    """
    Find the visit in the study's visit map, by its code or, where a file has none, by its date.

    Unscheduled visits are numbered after the last planned visit of their series (SDTMIG 3.4 section 4.4.5); what is
    in neither the visit map nor the recorded visits is refused and reported with its row.
    """
    return find_visits(rows, code=code, instance=instance, date=date, format=format, series=series)


def _as_text(values: pd.Series) -> pd.Series:
    return values if values.dtype == "str" else number_text(values)


def number_text(values: pd.Series) -> pd.Series:
    """Spell numbers shortest: 7, 0.35; missing is the empty text."""
    codes, unique = pd.factorize(values)
    spelled = pd.Series([f"{value:.15g}" for value in unique] or [""], dtype="str")
    text = spelled.take(np.where(codes < 0, 0, codes)).to_numpy()
    return pd.Series(np.where(codes < 0, "", text), index=values.index, dtype="str")


ROW_OPERATIONS: tuple[Operation, ...] = (
    assign, constant, expr, case, assign_ct, recode, iso8601, lookup, translate, subject, visit,
)  # fmt: skip
