"""The rules that the mapping itself breaks or keeps: what a raw value, row, column or file is refused for."""

from __future__ import annotations

from specs.findings import Severity
from specs.rule import Rule, index_rules

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
_QUERY = "ask the site"

MAPPING_RULES = index_rules(
    Rule("MAP-CT", _ERROR, "a collected value is a term of its codelist",
         "ask the site, or add the value to map: in the mapping"),
    Rule("MAP-RECODE", _ERROR, "a collected value has a pair in the mapping",
         "ask the site, or add the value to map: in the mapping"),
    Rule("MAP-LOOKUP", _ERROR, "a collected value is in its lookup table", "add the value to the lookup table"),
    Rule("MAP-DECODE", _ERROR, "a term has its pair in the other codelist", "correct the short name in the mapping"),
    Rule("MAP-EXPRESSION", _ERROR, "an expression has a value in every row", _QUERY),
    Rule("MAP-TRANSLATION", _ERROR, "text that is not ASCII is in the signed translation table",
         "have it translated and add it to the table"),
    Rule("MAP-NUMBER", _ERROR, "a value that must be a number is one", _QUERY),
    Rule("MAP-DATE", _ERROR, "a collected date exists and has the agreed form",
         "ask the site, or correct the format in the mapping"),
    Rule("MAP-DATE-PART", _WARNING, "a collected date exists to the day", _QUERY),
    Rule("MAP-UNIT", _WARNING, "a result can be converted to its standard unit",
         "name the unit, or add the factor to the unit tables"),
    Rule("MAP-VISIT", _ERROR, "a record's visit is in the visit map", "add it to visits: in study.yaml"),
    Rule("MAP-SUBJECT-BLANK", _ERROR, "a row has a subject number", _QUERY),
    Rule("MAP-JOIN-MANY", _ERROR, "a row matches one row of the joined table; the first counts",
         "make on: unique, or declare one-to-many"),
    Rule("MAP-JOIN-SHARED", _ERROR, "a row of the joined table is matched once",
         "make on: unique, or declare many-to-one"),
    Rule("MAP-JOIN-NONE", _ERROR, "a row has a match in the joined table", "ask the vendor for the missing row"),
    Rule("MAP-WIDE-NAME", _ERROR, "a name of a long table is listed under wide:", "add it to columns: of wide:"),
    Rule("MAP-WIDE-TWICE", _ERROR, "a name stands once per row of wide:; the first counts", _QUERY),
    Rule("MAP-DUPLICATE", _WARNING, "rows with the same key are counted once; this one is left out", _QUERY),
    Rule("MAP-CUTOFF", _NOTE, "records after the data cut-off are left out", ""),
    Rule("MAP-COLUMN", _ERROR, "a raw column is mapped or listed as not submitted",
         "map it, or list it under not_submitted: with the reason"),
    Rule("MAP-COLUMN-EMPTY", _NOTE, "a raw column without data is mapped or listed as not submitted",
         "map it, or list it under not_submitted: with the reason"),
    Rule("RAW-FILE-UNKNOWN", _WARNING, "a file of the transfer is named in study.yaml",
         "add it to tables: or to ignored_files: with the reason"),
)  # fmt: skip
