"""The rules that a file breaks or keeps: raw files as received, and what the transport format can hold."""

from __future__ import annotations

from specs.findings import Severity
from specs.rule import Rule, index_rules

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
_SEND = "fetch the file again, or ask the vendor"

# A raw file that breaks one of the first four is not read at all: one line says so, and the run ends (exit 2).
RAW_RULES = index_rules(
    Rule("RAW-UNREADABLE", _ERROR, "a raw file can be read", _SEND),
    Rule("RAW-CUT-OFF", _ERROR, "a raw file is whole", _SEND),
    Rule("RAW-RAGGED", _ERROR, "every row has the header's cells", "have cells that hold the delimiter quoted"),
    Rule("RAW-HEADER", _NOTE, "a header's names are there, once each, without blanks around them", _SEND),
    Rule("RAW-ENCODING", _NOTE, "a file's encoding is known, not guessed", "name it with encoding: in study.yaml"),
    Rule("RAW-NO-ROWS", _WARNING, "a raw file has rows", _SEND),
    Rule("RAW-CELL-ERROR", _WARNING, "a cell of a sheet holds a value, not an error", _SEND),
    Rule("RAW-MERGED-CELL", _WARNING, "cells below the header are not merged", "have them filled one by one"),
    Rule(
        "RAW-DICTIONARY",
        _WARNING,
        "an export has the fields of its data dictionary, and no others",
        "fetch the export and the data dictionary of the same snapshot",
    ),
    Rule(
        "RAW-KEY-TWICE",
        _ERROR,
        "record, event, instrument and instance name one row, and a field one value",
        "have the snapshot exported again",
    ),
    Rule("RAW-READINGS-ROW", _WARNING, "two exports of a snapshot have the same rows", "ask which export is right"),
    Rule(
        "RAW-READINGS-DIFFER", _WARNING, "two exports of a snapshot have the same values", "ask which export is right"
    ),
    Rule("RAW-READINGS-ONE", _NOTE, "both exports of a snapshot are there to be compared", "ask for the other one"),
)

XPT_RULES = index_rules(
    Rule("XPT-EMPTY", _ERROR, "a dataset has variables", "map one"),
    Rule("XPT-COLUMNS", _ERROR, "the columns are the variables described", "describe every column"),
    Rule("XPT-NAME", _ERROR, "a name has up to eight capitals, digits and underscores", "choose another name"),
    Rule("XPT-NAME-TWICE", _ERROR, "a name stands once", "choose another name"),
    Rule("XPT-LABEL", _ERROR, "a label has up to 40 characters", "shorten it"),
    Rule("XPT-FORMAT", _ERROR, "a format is one that SAS reads", "correct it"),
    Rule("XPT-LENGTH", _ERROR, "a length is one that the format has", "declare 1 to 200 for text, 3 to 8 else"),
    Rule("XPT-TYPE", _ERROR, "values are of the variable's type", "convert them first"),
    Rule("XPT-TEXT-200", _ERROR, "text has up to 200 bytes", "split it, the rest into supplemental qualifiers"),
    Rule("XPT-TEXT-LENGTH", _ERROR, "text fits the length declared", "declare the longest, in bytes"),
    Rule("XPT-TEXT-ENCODING", _ERROR, "text is in the encoding declared", "translate it"),
    Rule("XPT-TEXT-NUL", _ERROR, "text has no NUL byte", "remove it"),
    Rule("XPT-TEXT-TRAILING", _WARNING, "text does not end in blanks", "strip them"),
    Rule("XPT-NUMBER-INFINITE", _ERROR, "numbers are finite", "make them missing, or correct them"),
    Rule("XPT-NUMBER-RANGE", _ERROR, "numbers have a magnitude that the format holds", "correct them"),
    Rule("XPT-NUMBER-LENGTH", _ERROR, "numbers keep their value in the length declared", "declare 8"),
    Rule("XPT-NUMBER-PRECISION", _ERROR, "whole numbers are exact", "keep them as text"),
    Rule("XPT-SPECIAL", _ERROR, "special missing values are .A to .Z and ._", "correct them"),
    Rule("XPT-BLANK-ROWS", _ERROR, "the last rows are not blank throughout", "leave them out"),
)
