"""
The keys of every section of a study's YAML files, in words and as JSON Schema: for the reference page and editors.

The compilers (``sdtm.compile``, ``sdtm.compile_conventions``, ``trialmill.study``, ``trialmill.waivers``,
``specs.deltas``) decide which keys there are; tests/trialmill/test_language_docs.py asks them and compares.
Operations and their parameters are not here: they describe themselves (``sdtm.operations``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from sdtm.dateformat import Calendar, Impossible
from specs.load import list_standards

Schema = Mapping[str, Any]

TEXT: Schema = {"type": ["string", "number"]}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
FLAG: Schema = {"type": "boolean"}
CONDITION: Schema = {"type": "string", "minLength": 1}
NAMES: Schema = {"type": "object", "additionalProperties": TEXT}
CELLS: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}}
REASONS: Schema = {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}
PAIRS: Schema = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2},
}


@dataclass(frozen=True)
class Key:
    """One key: what it is, in words and for an editor."""

    words: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True)
class Section:
    """
    One level of a file.

    ``asked_as`` is what the compiler calls it in its faults; ``name`` is its place in the JSON Schema, "" where there
    is none; ``also`` is what the schema says beside the keys.
    """

    name: str
    title: str
    asked_as: str
    words: str
    keys: Mapping[str, Key]
    also: Schema = field(default_factory=dict)


def part(name: str) -> Schema:
    """Refer to another section of the same JSON Schema."""
    return {"$ref": f"#/$defs/{name}"}


def one_or_many(name: str) -> Schema:
    """A list of sections; one alone need not be a list."""
    return {"anyOf": [{"type": "array", "items": part(name)}, part(name)]}


def by_name(name: str) -> Schema:
    """A mapping from names that the study chooses to sections."""
    return {"type": "object", "additionalProperties": part(name)}


STUDY = Section(
    "study",
    "study.yaml",
    "study.yaml",
    "What holds for the whole study.",
    {
        "study": Key("the study's identifier, STUDYID", TEXT, required=True),
        "title": Key("the study's title", TEXT),
        "standard": Key(
            "the standard (default sdtmig-3.4)", {"enum": list(list_standards())}
        ),
        "terminology": Key(
            "the version of controlled terminology; `trialmill ct list` lists them", {"type": "string"}, required=True
        ),
        "specs": Key("the folder of the study's deltas (datasets.yaml, codelists.yaml), seen from here", TEXT),
        "raw": Key("the folder of the transfer, seen from here (default raw); `--raw` replaces it", TEXT),
        "transfers": Key(
            "the transfers by the name of their folder, each with its data cut-off", by_name("transfer")
        ),
        "redcap": Key(
            "the files of a REDCap project: every instrument of it is a raw table of its own name", part("redcap")
        ),
        "tables": Key("the raw tables by the name that mappings use", by_name("table")),
        "not_submitted": Key(
            "columns that are not submitted from any table: column or pattern (`*_INT`), and the reason", REASONS
        ),
        "ignored_files": Key("files of the transfer that hold no data: file and reason", REASONS),
        "common": Key("rules of variables that every domain has, used where the domain itself has none",
                      part("common")),
        "custom": Key("a Python file of this study with operations of its own, for this study alone", TEXT),
        "crf": Key("the pages of the annotated CRF: a CSV file (table, column, page), seen from here", TEXT),
        "dates": Key("date formats by name", by_name("date_format")),
        "subjects": Key("who the subjects are", part("subjects")),
        "visits": Key("the visit map", part("visits")),
        "epochs": Key(
            "the epochs in their order; or `SE`: those of the subject's elements in SE",
            {"anyOf": [{"const": "SE"}, *one_or_many("epoch")["anyOf"]]},
        ),
        "lookups": Key("lookup tables by name: CSV files, seen from here; the first columns are the key", NAMES),
    },
)  # fmt: skip

TRANSFER = Section(
    "transfer",
    "transfers:",
    "transfer {name}",
    "One transfer, by the name of its folder.",
    {
        "cutoff": Key("the data cut-off, YYYY-MM-DD; `--cutoff` replaces it", {"type": "string"}, required=True),
        "note": Key("a remark for people", TEXT),
    },
)

TABLE = Section(
    "table",
    "tables:",
    "a table",
    "One raw table. Every column is read as text, as it stands in the file.",
    {
        "file": Key(
            "path below the transfer's folder; `archive.zip!inner/AE.csv` for a file in a zip; `*` and `?` stand for "
            "what changes with every transfer and must fit exactly one file",
            TEXT,
        ),
        "instrument": Key(
            "instead of `file`: an instrument of the REDCap project. Beside it stand only `optional`, `renamed`, "
            "`optional_columns` and `not_submitted`",
            TEXT,
        ),
        "sheet": Key("sheet of an XLSX file that has several", TEXT),
        "header": Key("row of the header, counted from 1 (default 1)", {"type": "integer", "minimum": 1}),
        "member": Key(
            "data set of an XPT file that has several; form, or group of items, of an ODM-XML file, by its OID", TEXT
        ),
        "encoding": Key("encoding of a text file (default: detected)", TEXT),
        "delimiter": Key("delimiter of a text file, `tab` may be written out (default: detected)", TEXT),
        "record": Key("column with the EDC's record id", TEXT),
        "end": Key("text in the first cell of the last row that says that the file is complete", TEXT),
        "from": Key(
            "`study`: the file lies in the study's folder (trial design); default `transfer`",
            {"enum": ["transfer", "study"]},
        ),
        "optional": Key("true: a transfer may come without this file, or this instrument", FLAG),
        "renamed": Key("columns that came under another name: the name that came, and the one mappings use", NAMES),
        "optional_columns": Key("columns that a transfer may lack; they are then empty", TEXTS),
        "not_submitted": Key(
            "columns that are not submitted, with the reason; or one reason for the whole table",
            {"anyOf": [{"type": "string", "minLength": 1}, REASONS]},
        ),
    },
    {"oneOf": [{"required": ["file"]}, {"required": ["instrument"]}]},
)

REDCAP = Section(
    "redcap",
    "redcap:",
    "redcap",
    """\
A REDCap project, exported as raw values. Every instrument of its data dictionary is a raw table of the instrument's
name, and need not stand under `tables:`; it does where there is more to say of it (`instrument:`).

Its columns: the record id, `redcap_event_name`, `redcap_repeat_instrument` and `redcap_repeat_instance` (empty where
the project has none), the fields in the dictionary's order, a check box field as one column for each box
(`field___code`: 1 ticked, 0 not), and `<instrument>_complete`. Its rows: where something was entered, or the status
is not that of an untouched form (empty, or 0), by record, event and instance.

The flat export and ODM-XML give the same tables. Where both are there, they are compared, and each place where they
disagree is a finding.""",
    {
        "data": Key("the flat export (CSV)", TEXT),
        "dictionary": Key("the data dictionary (CSV); where only `odm` is named, its metadata serve instead", TEXT),
        "odm": Key("the same snapshot as ODM-XML, or a zip archive of it", TEXT),
        "reading": Key(
            "which of the two is mapped (default `data` where it is named); `--reading` replaces it",
            {"enum": ["data", "odm"]},
        ),
        "record": Key("the field with the record id (default: the dictionary's first)", TEXT),
    },
    {"anyOf": [{"required": ["data", "dictionary"]}, {"required": ["odm"]}]},
)

DATE_FORMAT = Section(
    "date_format",
    "dates:",
    "a date format",
    "One way in which dates are written.",
    {
        "format": Key("the pattern, see below", {"type": "string"}, required=True),
        "unknown": Key("words for an unknown part, such as UN and UNK, in any letter case", TEXTS),
        "impossible": Key(
            "a day that does not exist: `refuse` the value (default), or keep year and month (`unknown_day`)",
            {"enum": list(get_args(Impossible))},
        ),
        "calendar": Key("`gregorian` (default), or `roc` for years of the Republic of China",
                        {"enum": list(get_args(Calendar))}),
        "pivot": Key("of two-digit years the last one of this century", {"type": "integer"}),
    },
)  # fmt: skip

SUBJECTS = Section(
    "subjects",
    "subjects:",
    "subjects",
    "Who the subjects are, and how a subject's number becomes USUBJID.",
    {
        "table": Key("the raw table that lists every subject", TEXT, required=True),
        "id": Key("its column with the subject's number", TEXT, required=True),
        "known_as": Key("its columns with other names by which raw tables call the subject: a record id", TEXTS),
        "previous": Key(
            "its column with the number that a person had at an earlier screening: both numbers are one USUBJID, "
            "that of the first",
            TEXT,
        ),
        "usubjid": Key("an expression of `id`, the person's first number", TEXT, required=True),
    },
)

VISITS = Section(
    "visits",
    "visits:",
    "visits",
    "The visit map, which the operation `visit` reads.",
    {
        "schedule": Key("the planned visits", one_or_many("planned_visit")),
        "unscheduled": Key("how visits that were not planned are known and named", part("unscheduled")),
        "occurrences": Key("where visits that took place are recorded", one_or_many("occurrence")),
    },
)

PLANNED_VISIT = Section(
    "planned_visit",
    "visits: schedule:",
    "a planned visit",
    "One line of the visit map. `{n}` in the code is a number; the other keys may use it.",
    {
        "code": Key("the visit's code in the raw data: `SCR`, or `C{n}D1` for every cycle", TEXT, required=True),
        "visitnum": Key("VISITNUM, an expression that may use `n`", TEXT, required=True),
        "visit": Key("VISIT; `{n}` is replaced by the number", TEXT, required=True),
        "visitdy": Key("VISITDY, an expression that may use `n`", TEXT),
    },
)

UNSCHEDULED = Section(
    "unscheduled",
    "visits: unscheduled:",
    "unscheduled",
    "Visits that were not planned: numbered after the last planned visit before them (8.1, 8.2).",
    {
        "codes": Key("their codes in the raw data", TEXTS),
        "visit": Key("VISIT (default `UNSCHEDULED {visitnum}`)", TEXT),
    },
)

OCCURRENCE = Section(
    "occurrence",
    "visits: occurrences:",
    "an occurrence",
    "A raw table that records when visits took place; a file without visit codes is placed by its dates.",
    {
        "table": Key("the raw table", TEXT, required=True),
        "subject": Key("an expression that gives the subject's number", TEXT, required=True),
        "code": Key("an expression that gives the visit's code, where the table has one", TEXT),
        "instance": Key("the column that counts visits of the same code", TEXT),
        "date": Key("the column with the date", TEXT, required=True),
        "format": Key("the date's format, by its name under `dates:` or as a pattern", TEXT, required=True),
        "series": Key("visits of different series (clinic, tumour) are numbered apart", TEXT),
        "where": Key("a condition that rows must meet", CONDITION),
    },
)

EPOCH = Section(
    "epoch",
    "epochs:",
    "an epoch",
    "One epoch. It begins either `from` (on) or `after` (the day after) a date of DM.",
    {
        "epoch": Key("the epoch's name, a term of codelist EPOCH", TEXT, required=True),
        "from": Key("a date variable of DM: the epoch begins on that day", TEXT),
        "after": Key("a date variable of DM: the epoch begins on the next day", TEXT),
    },
    {"oneOf": [{"required": ["from"]}, {"required": ["after"]}]},
)

STUDY_SECTIONS = (
    STUDY, TRANSFER, TABLE, REDCAP, DATE_FORMAT, SUBJECTS, VISITS, PLANNED_VISIT, UNSCHEDULED, OCCURRENCE, EPOCH,
)  # fmt: skip
