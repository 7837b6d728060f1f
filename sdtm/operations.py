"""The vocabulary: every operation a mapping can name. This table is the whole language; there is no second list."""

from __future__ import annotations

from collections.abc import Mapping

from sdtm.operation import Operation
from sdtm.record_operations import RECORD_OPERATIONS
from sdtm.row_operations import ROW_OPERATIONS

OPERATIONS: Mapping[str, Operation] = {item.name: item for item in (*ROW_OPERATIONS, *RECORD_OPERATIONS)}
