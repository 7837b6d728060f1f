"""What an operation gives back: a column of values, and every value it refused, with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from specs.findings import Finding
from specs.rules import RULES


@dataclass(frozen=True)
class Refusal:
    """
    Cells that an operation refused.

    ``rule`` is an id of ``specs.rules``; ``text`` is what was collected and ``reason`` why it was refused, both on
    the refused rows only (their index labels are the frame's); ``message`` introduces the reason.
    """

    rule: str
    text: pd.Series
    reason: pd.Series


@dataclass(frozen=True)
class Result:
    """One column: text (``str``, empty = missing) or numbers (``float64``), and its refusals."""

    values: pd.Series
    refusals: tuple[Refusal, ...] = ()


def refuse(rule: str, *, mask: pd.Series, text: pd.Series, reason: str | pd.Series) -> tuple[Refusal, ...]:
    """Make the refusals of the rows in *mask*; none when no row is."""
    if not mask.any():
        return ()
    refused = text[mask].astype("str")
    why = pd.Series(reason, index=refused.index, dtype="str") if isinstance(reason, str) else reason[mask]
    return (Refusal(rule, refused, why),)


def make_findings(
    rule: str,
    *,
    origin: pd.DataFrame,
    values: Iterable[object],
    messages: Iterable[str],
    dataset: str,
    variables: tuple[str, ...] = (),
    subjects: Iterable[str] | None = None,
) -> list[Finding]:
    """
    Make one finding per row of *origin* (columns file, row, record).

    ``values`` and ``messages`` are in the same order; ``subjects`` are the rows' USUBJID where they are known.
    """
    keys = [(("USUBJID", str(subject)),) if subject else () for subject in subjects] if subjects is not None else None
    where = zip(origin["file"], origin["row"], origin["record"], strict=True)
    what = zip(values, messages, keys or [()] * len(origin), strict=True)
    return [
        RULES[rule].finding(
            message=message,
            dataset=dataset,
            variables=variables,
            values=(str(value),),
            key=key,
            file=str(file),
            row=int(row),
            record=str(record),
        )
        for (file, row, record), (value, message, key) in zip(where, what, strict=True)
    ]


def join_text(frame: pd.DataFrame, *, separator: str = " / ") -> pd.Series:
    """Join the text columns of a frame into one, row by row in their order."""
    first, *others = (frame[name] for name in frame.columns)
    joined = first
    for other in others:
        joined = joined + separator + other
    return joined
