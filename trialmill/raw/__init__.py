"""
Read raw tables as received: CSV, XLSX, SAS7BDAT, XPT v5 and v8, ODM-XML, zip archives of these, REDCap projects.

``read_table`` is the one way in, ``READERS`` the one table of formats; ``read_redcap`` reads all instruments of a
project at once. Every column arrives as text as written, with
the file, the row a person sees there and, where named, the EDC's record id. What cannot be trusted is a ``RawError``:
one line naming file, line and cure.
"""

from trialmill.raw.instruments import Dictionary, Field
from trialmill.raw.readers import READERS, read_table
from trialmill.raw.received import find_files
from trialmill.raw.redcap import READINGS, RedcapSource, read_dictionary, read_redcap
from trialmill.raw.source import RawError, RawFile, TableSource

__all__ = [
    "READERS",
    "READINGS",
    "Dictionary",
    "Field",
    "RawError",
    "RawFile",
    "RedcapSource",
    "TableSource",
    "find_files",
    "read_dictionary",
    "read_redcap",
    "read_table",
]
