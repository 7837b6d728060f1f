"""The raw table: every column text, exactly as received, beside where each row came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

ORIGIN_COLUMNS = ("file", "row", "record")


@dataclass(frozen=True)
class RawTable:
    """
    One raw table as received.

    ``data``: every column of dtype ``str``, no missing values (an empty cell is the empty text), RangeIndex.
    ``origin``: same index; ``file`` (category: below the transfer's folder, then after ``!`` the file in an archive,
    the sheet or data set where there are several), ``row`` (int64: the line, or the sheet's row, that a person sees
    when opening the file, header counted; the observation's number in SAS data) and ``record`` (``str``: the EDC's
    record id, empty where none is named).
    ``facts``: what the reader found out (file, encoding, delimiter, sheet, bytes, sha256 ...), for the receipt.
    ``labels``: what the file calls its columns in words, by column, where its format has such labels.
    """

    name: str
    data: pd.DataFrame
    origin: pd.DataFrame
    facts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names in the order received."""
        return tuple(self.data.columns)
