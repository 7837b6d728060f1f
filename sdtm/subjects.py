"""Who the subjects are: every number a person had becomes the one USUBJID (SDTMIG 3.4, DM)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sdtm.conventions import Subjects
from sdtm.expressions import evaluate
from sdtm.rawtable import RawTable
from sdtm.rows import strip_blanks


def read_first_numbers(subjects: Subjects | None, tables: Mapping[str, RawTable]) -> pd.Series:
    """
    Return each subject number's first number: the one itself, or that of the person's earlier screening.

    In: the raw table that lists the subjects (one row each). Out: a text Series indexed by subject number, and by
    the other names of the subjects (``known_as``).
    A chain of screenings (3 was 2 was 1) is followed to its start; a number that names itself stays.
    """
    if subjects is None:
        return pd.Series(dtype="str")
    data = tables[subjects.table].data
    number = strip_blanks(data[subjects.id])
    previous = strip_blanks(data[subjects.previous]) if subjects.previous else pd.Series("", index=number.index)
    first = _follow(number.where(previous == "", previous).set_axis(pd.Index(number)))
    others = [number.map(first).set_axis(pd.Index(strip_blanks(data[name]))) for name in subjects.known_as]
    found: pd.Series = pd.concat([first, *others]).astype("str")
    return found.loc[~found.index.duplicated() & (found.index != "")]


def _follow(first: pd.Series) -> pd.Series:
    """Follow chains of earlier numbers; each step doubles the way, and a circle ends too."""
    first = first[~first.index.duplicated()]
    for _ in range(len(first).bit_length() + 1):
        further = first.map(first).fillna(first).astype("str")
        if (further == first).all():
            break
        first = further
    return first


def compute_usubjid(number: pd.Series, *, subjects: Subjects | None, known: pd.Series | None) -> pd.Series:
    """
    Compute USUBJID of subject numbers by the study's formula, whose column ``id`` is the person's first number.

    A number that is not among the known subjects keeps its own: it shows up as a subject who is not in DM.
    """
    if subjects is None:
        return number
    codes, unique = pd.factorize(number)
    numbers = pd.Series(unique, dtype="str")
    first = numbers if known is None else numbers.map(known).fillna(numbers).astype("str")
    spelled = evaluate(subjects.usubjid, {"id": first}, index=first.index).values.mask(numbers == "", "")
    return pd.Series(spelled.take(codes).to_numpy(), index=number.index, dtype="str")
