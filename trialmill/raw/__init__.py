"""
Read raw tables as received: CSV, XLSX, SAS7BDAT, XPT v5 and v8, and zip archives of these.

``read_table`` is the one way in, ``READERS`` the one table of formats. Every column arrives as text as written, with
the file, the row a person sees there and, where named, the EDC's record id. What cannot be trusted is a ``RawError``:
one line naming file, line and cure.
"""

from trialmill.raw.readers import READERS, read_table
from trialmill.raw.received import find_files
from trialmill.raw.source import RawError, RawFile, TableSource

__all__ = ["READERS", "RawError", "RawFile", "TableSource", "find_files", "read_table"]
