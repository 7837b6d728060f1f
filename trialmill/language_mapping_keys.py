"""The keys of a domain's file, of waivers.yaml and of a study's deltas (see ``trialmill.language_keys``)."""

from __future__ import annotations

from collections.abc import Mapping

from sdtm.compile import CARDINALITIES, SHARED_KEYS
from specs.load import list_standards, load_standard
from trialmill.language_keys import (
    CELLS,
    CONDITION,
    FLAG,
    NAMES,
    PAIRS,
    REASONS,
    TEXT,
    TEXTS,
    Key,
    Section,
    by_name,
    one_or_many,
    part,
)

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
        "rules whose names are raw columns; a key may name several variables (`\"VISITNUM, VISIT\"`), and `_name` "
        "is a helper that `derived:` may read and that is not submitted",
        part("row_rules"),
    ),
    "supp": Key("supplemental qualifiers by QNAM, for what the standard has no variable for", part("qualifiers")),
    "not_submitted": Key("columns of the source that are not submitted, each with the reason", REASONS),
    "examples": Key("given these raw values, these variables are expected; `trialmill lint` runs them",
                    one_or_many("example")),
}  # fmt: skip

_DATASETS = sorted({name for standard in list_standards() for name in load_standard(standard)} - {"RELREC"})

DOMAIN = Section(
    "domain",
    "A domain's file",
    "a domain's mapping",
    "One file per domain, named as you like (`ae.yaml`). With `stack:` the other keys stand in each block; "
    "`variables:` and `supp:` beside `stack:` hold for every block that does not say otherwise.",
    {
        "domain": Key("the dataset's name", {"enum": _DATASETS}, required=True),
        **_BLOCK,
        "source": Key("the raw table; required where there is no `stack:`", TEXT),
        "stack": Key("several sources of records, one block each, with the keys of this table", one_or_many("block")),
        "derived": Key(
            "rules whose names are SDTM variables, of this domain or, as `DM.RFSTDTC`, of another",
            part("record_rules"),
        ),
        "keep": Key("a condition over SDTM variables, asked once all is derived; other records are left out",
                    CONDITION),
        "order": Key("the variables by which records are sorted before --SEQ is given (default: the natural keys)",
                     TEXTS),
        "cutoff": Key("the date variable by which records after the data cut-off are left out", TEXT),
    },
    {
        "if": {"required": ["stack"]},
        "then": {"properties": {key: False for key in _BLOCK if key not in SHARED_KEYS}},
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
            "`{column here: [from, to]}`: the value lies between two columns of that table; an empty one is open",
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
    "A list of findings that a person looked at and accepted. They stay in the report with their reason and do not "
    "fail a run. The keys but the last three narrow what is accepted.",
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

RELREC = Section(
    "relrec",
    "relrec.yaml",
    "the mapping of RELREC",
    "Which records, and which datasets, belong together (SDTMIG 3.4 sections 8.2 and 8.3). The file has no source.",
    {
        "domain": Key("RELREC", {"const": "RELREC"}),
        "relations": Key("the relations", one_or_many("relation")),
    },
    {"required": ["domain", "relations"]},
)

RELATION = Section(
    "relation",
    "relations:",
    "a relation",
    "One relation with two sides: `datasets:` relates them as a whole, `records:` relates every pair of records of a "
    "subject whose two variables (or helpers, `_name`) are equal.",
    {
        "relid": Key("RELID; between records a number is added that counts within the subject", TEXT, required=True),
        "datasets": Key("by domain the side of each dataset", by_name("side")),
        "records": Key("by domain the variable whose value both records have", NAMES),
    },
    {"oneOf": [{"required": ["datasets"]}, {"required": ["records"]}]},
)

SIDE = Section(
    "side",
    "relations: datasets:",
    "a side of a relation",
    "One dataset of a relation between datasets.",
    {
        "by": Key("the variable that names the related records, IDVAR", TEXT, required=True),
        "type": Key("RELTYPE", {"enum": ["ONE", "MANY"]}, required=True),
    },
)

DOMAIN_SECTIONS = (DOMAIN, BLOCK, JOIN, LONG, WIDE, UNIQUE, QUALIFIER, EXAMPLE, RELREC, RELATION, SIDE)
OTHER_SECTIONS = (WAIVER, DELTA_DATASET, DELTA_VARIABLE, DELTA_CODELIST, DELTA_TERM)
