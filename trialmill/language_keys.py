"""
The keys of every section of a study's YAML files, in words and as JSON Schema: for the reference page and editors.

The compilers (``sdtm.compile``, ``sdtm.compile_conventions``, ``trialmill.study``, ``trialmill.waivers``,
``specs.deltas``) decide which keys there are; tests/trialmill/test_language_docs.py asks them and compares. Operations
and their parameters are not here: they describe themselves (``sdtm.operations``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from sdtm.compile import CARDINALITIES
from sdtm.dateformat import Calendar, Impossible
from specs.load import list_standards, load_standard

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


# --- study.yaml -----------------------------------------------------------------------------------------------------

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
        "tables": Key("the raw tables by the name that mappings use", by_name("table")),
        "not_submitted": Key(
            "columns that are not submitted from any table: column or pattern (`*_INT`), and the reason", REASONS
        ),
        "ignored_files": Key("files of the transfer that hold no data: file and reason", REASONS),
        "common": Key("rules of variables that every domain has, used where the domain itself has none",
                      part("common")),
        "custom": Key("a Python file of this study with operations of its own, for this study alone", TEXT),
        "crf": Key("reserved for the pages of the annotated CRF", {}),
        "dates": Key("date formats by name", by_name("date_format")),
        "subjects": Key("who the subjects are", part("subjects")),
        "visits": Key("the visit map", part("visits")),
        "epochs": Key("the epochs in their order", one_or_many("epoch")),
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
            required=True,
        ),
        "sheet": Key("sheet of an XLSX file that has several", TEXT),
        "header": Key("row of the header, counted from 1 (default 1)", {"type": "integer", "minimum": 1}),
        "member": Key("data set of an XPT file that has several", TEXT),
        "encoding": Key("encoding of a text file (default: detected)", TEXT),
        "delimiter": Key("delimiter of a text file, `tab` may be written out (default: detected)", TEXT),
        "record": Key("column with the EDC's record id", TEXT),
        "end": Key("text in the first cell of the last row that says that the file is complete", TEXT),
        "optional": Key("true: a transfer may come without this file", FLAG),
        "not_submitted": Key(
            "columns that are not submitted, with the reason; or one reason for the whole table",
            {"anyOf": [{"type": "string", "minLength": 1}, REASONS]},
        ),
    },
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
    "Visits that were not planned: numbered after the last planned visit before them (8.01, 8.02).",
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

# --- one domain -----------------------------------------------------------------------------------------------------

_BLOCK: Mapping[str, Key] = {
    "source": Key("the raw table", TEXT, required=True),
    "with": Key(
        "helper columns by name, each with a rule; everything below may use them as if they were raw columns",
        by_name("row_rule"),
    ),
    "join": Key("raw tables whose columns are joined, as `table.COLUMN`", one_or_many("join")),
    "long": Key("columns that become rows", one_or_many("long")),
    "wide": Key("rows that become columns", part("wide")),
    "unique": Key("rows that are counted once", part("unique")),
    "where": Key("a condition on raw columns; rows that do not meet it are left out and counted", CONDITION),
    "variables": Key(
        "rules whose names are raw columns; a key may name several variables (`\"VISITNUM, VISIT\"`), and `_name` is a "
        "helper that `derived:` may read and that is not submitted",
        part("row_rules"),
    ),
    "supp": Key("supplemental qualifiers by QNAM, for what the standard has no variable for", part("qualifiers")),
    "not_submitted": Key("columns of the source that are not submitted, each with the reason", REASONS),
    "examples": Key("given these raw values, these variables are expected; `trialmill lint` runs them",
                    one_or_many("example")),
}  # fmt: skip

_DATASETS = sorted({name for standard in list_standards() for name in load_standard(standard)})

DOMAIN = Section(
    "domain",
    "A domain's file",
    "a domain's mapping",
    "One file per domain, named as you like (`ae.yaml`). With `stack:` the other keys of a block stand in each block; "
    "`variables:` and `supp:` beside `stack:` hold for every block that does not say otherwise.",
    {
        "domain": Key("the dataset's name", {"enum": _DATASETS}, required=True),
        **_BLOCK,
        "source": Key("the raw table; required where there is no `stack:`", TEXT),
        "stack": Key("several sources of records, one block each, with the keys of this table", one_or_many("block")),
        "derived": Key(
            "rules whose names are SDTM variables, of this domain or, as `DM.RFSTDTC`, of another", part("record_rules")
        ),
        "order": Key("the variables by which records are sorted before --SEQ is given (default: the natural keys)",
                     TEXTS),
        "cutoff": Key("the date variable by which records after the data cut-off are left out", TEXT),
    },
    {
        "if": {"required": ["stack"]},
        "then": {"properties": {key: False for key in _BLOCK if key not in ("variables", "supp")}},
        "else": {"required": ["source"]},
    },
)  # fmt: skip

BLOCK = Section(
    "block",
    "stack:",
    "a block of stack",
    "One source of records: the keys of the table above, without `domain`, `stack`, `derived`, `order` and `cutoff`.",
    _BLOCK,
)

JOIN = Section(
    "join",
    "join:",
    "a join",
    "A raw table joined to the source. Rows never multiply in silence: a match too many is a finding.",
    {
        "table": Key("the raw table", TEXT, required=True),
        "as": Key("the name before the dot (default: the table's name)", TEXT),
        "on": Key(
            "the column both tables share, a list of such columns, or `{column here: column there}`",
            {"anyOf": [TEXTS, NAMES]},
            required=True,
        ),
        "cardinality": Key(
            "how many rows match: one-to-one and many-to-one allow one row of the joined table per row here",
            {"enum": list(CARDINALITIES)},
            required=True,
        ),
        "required": Key("true: a row without a match is a finding", FLAG),
        "where": Key("a condition on the columns of the joined table", CONDITION),
        "between": Key(
            "`{column here: [from, to]}`: the value lies between two columns of the joined table; an empty bound is open",
            PAIRS,
        ),
        "wildcard": Key("`{column here: [column there, Both]}`: equal, or the other table says the wildcard", PAIRS),
    },
)

LONG = Section(
    "long",
    "long:",
    "an item of long",
    "One row for every item, for every row of the source: a column per test becomes a row per test.",
    {
        "for": Key("a list of names; the item is repeated for each, with `{}` replaced by the name", TEXTS),
        "columns": Key("new column: column of the source", NAMES),
        "values": Key("new column: constant", NAMES),
    },
)

WIDE = Section(
    "wide",
    "wide:",
    "wide",
    "One row for each group, with a new column for every name listed: a row per question becomes a row per form.",
    {
        "by": Key("the columns that make a group", TEXTS, required=True),
        "name": Key("the column with the names", TEXT, required=True),
        "value": Key("the column with the values", TEXT, required=True),
        "columns": Key("name: new column; a name that is not listed is a finding", NAMES, required=True),
    },
)

UNIQUE = Section(
    "unique",
    "unique:",
    "unique",
    "Of rows with the same key one is kept; the others are findings.",
    {
        "by": Key("the columns that make the key", TEXTS, required=True),
        "order": Key("the column that orders the rows (default: their order in the file)", TEXT),
        "keep": Key("`last` (default) or `first`", {"enum": ["first", "last"]}),
        "expected": Key("true: the form is meant to repeat, so the others are no findings", FLAG),
    },
)

QUALIFIER = Section(
    "qualifier",
    "supp:",
    "",
    "One supplemental qualifier: one operation, as under `variables:`, and these keys.",
    {
        "label": Key(
            "QLABEL, up to 40 characters", {"type": "string", "minLength": 1, "maxLength": 40}, required=True
        ),
        "origin": Key("QORIG (default: from the operation)", TEXT),
        "evaluator": Key("QEVAL", TEXT),
    },
)

EXAMPLE = Section(
    "example",
    "examples:",
    "an example",
    "A test that a clinician can read. Only rules of `variables:` and `supp:` run in it.",
    {
        "given": Key("raw column: value as collected; columns that are not named are empty", CELLS),
        "expect": Key("variable: value as submitted", CELLS),
    },
)

# --- waivers.yaml and the deltas ------------------------------------------------------------------------------------

WAIVER = Section(
    "",
    "waivers.yaml",
    "a waiver",
    "A list of findings that a person looked at and accepted. They stay in the report with their reason and do not fail "
    "a run. The keys but the last three narrow what is accepted.",
    {
        "rule": Key("the rule's id, see [rules.md](rules.md)", TEXT, required=True),
        "dataset": Key("the dataset", TEXT),
        "variable": Key("the variable", TEXT),
        "value": Key("the value", TEXT),
        "subject": Key("USUBJID", TEXT),
        "file": Key("the raw file", TEXT),
        "record": Key("the EDC's record id", TEXT),
        "reason": Key("why it is accepted", TEXT, required=True),
        "by": Key("who accepted it", TEXT, required=True),
        "date": Key("when, YYYY-MM-DD", TEXT, required=True),
    },
)

DELTA_DATASET = Section(
    "",
    "datasets.yaml",
    "",
    "Per dataset, what the study tightens or adds. It lies in the folder that `specs:` names.",
    {
        "label": Key("the dataset's label", TEXT),
        "keys": Key("the natural keys", TEXTS),
        "variables": Key("variables by name, changed or added", {}),
    },
)

DELTA_VARIABLE = Section(
    "",
    "datasets.yaml: variables:",
    "",
    "One variable. A variable of another dataset of the same class may be added by its name alone.",
    {
        "label": Key("the label, up to 40 bytes", TEXT),
        "type": Key("Char or Num", TEXT),
        "role": Key("the role", TEXT),
        "core": Key("Req, Exp or Perm; never looser than the standard's", TEXT),
        "codelist": Key("a codelist, or a list of them", TEXTS),
        "length": Key("the most bytes that a value may have", TEXT),
        "after": Key("the variable after which a new one stands", TEXT),
        "custom": Key("true: a variable that the standard's class does not know", FLAG),
    },
)

DELTA_CODELIST = Section(
    "",
    "codelists.yaml",
    "",
    "Per codelist, what the study adds, narrows or makes itself. It lies in the folder that `specs:` names.",
    {
        "extend": Key(
            "terms added to an extensible list: `VALUE: decode`, or `VALUE: {...}` with the keys below", {}
        ),
        "subset": Key("the terms that the study uses, where it uses not all", TEXTS),
        "new": Key("true: a list of the study's own", FLAG),
        "name": Key("the name of a new list", TEXT),
        "terms": Key("the terms of a new list, as under extend", {}),
    },
)

DELTA_TERM = Section(
    "",
    "codelists.yaml: terms",
    "",
    "One term of the study's own.",
    {
        "preferred": Key("the term in words", TEXT),
        "synonyms": Key("other spellings that `assign_ct` takes for it", TEXTS),
    },
)

STUDY_SECTIONS = (
    STUDY, TRANSFER, TABLE, DATE_FORMAT, SUBJECTS, VISITS, PLANNED_VISIT, UNSCHEDULED, OCCURRENCE, EPOCH,
)  # fmt: skip
DOMAIN_SECTIONS = (DOMAIN, BLOCK, JOIN, LONG, WIDE, UNIQUE, QUALIFIER, EXAMPLE)
OTHER_SECTIONS = (WAIVER, DELTA_DATASET, DELTA_VARIABLE, DELTA_CODELIST, DELTA_TERM)
SECTIONS = (*STUDY_SECTIONS, *DOMAIN_SECTIONS, *OTHER_SECTIONS)
