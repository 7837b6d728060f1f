"""Every rule by its stable id: how much it weighs, what it asks, what cures a breach."""

from __future__ import annotations

from specs.file_rules import RAW_RULES, XPT_RULES
from specs.findings import Severity
from specs.mapping_rules import MAPPING_RULES
from specs.rule import Rule, index_rules

__all__ = ["RULES", "SDTM_RULES", "Rule"]

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

SDTM_RULES = index_rules(
    Rule(
        "SDTM-DATASET",
        _ERROR,
        "A dataset is one of the guide's or SUPP-- of one",
        "use the guide's name, or a SUPP-- dataset of a domain",
    ),
    Rule(
        "SDTM-VAR-REQUIRED",
        _ERROR,
        "A required variable is present",
        "map it",
    ),
    Rule(
        "SDTM-VAR-EXPECTED",
        _WARNING,
        "An expected variable is present, even when nothing was collected",
        "map it, or leave it empty",
    ),
    Rule(
        "SDTM-VAR-UNKNOWN",
        _ERROR,
        "Every variable is known to the dataset, to its class, or declared by the study",
        "move it to SUPP--, or declare it with custom: true in the study's datasets.yaml",
    ),
    Rule(
        "SDTM-VAR-UNDECLARED",
        _WARNING,
        "A variable that the dataset takes from its class is declared by the study",
        "declare it in the study's datasets.yaml",
    ),
    Rule(
        "SDTM-VAR-ORDER",
        _WARNING,
        "The variables stand in the specification's order",
        "order the columns as the specification does",
    ),
    Rule(
        "SDTM-TYPE",
        _ERROR,
        "A variable has the specification's type",
        "make it text (Char) or number (Num)",
    ),
    Rule(
        "SDTM-NULL-REQUIRED",
        _ERROR,
        "A required variable is never empty",
        "ask the site, or correct the mapping",
    ),
    Rule(
        "SDTM-FIXED",
        _ERROR,
        "A variable of one fixed value has that value",
        "correct the mapping",
    ),
    Rule(
        "SDTM-CT",
        _ERROR,
        "A value is a term of its codelist, which is not extensible",
        "map the value to a term",
    ),
    Rule(
        "SDTM-CT-EXTENDED",
        _WARNING,
        "A value is a term of its extensible codelist, or the study declares it",
        "map the value to a term, or declare it under extend in the study's codelists.yaml",
    ),
    Rule(
        "SDTM-ISO8601",
        _ERROR,
        "A date, a time or an interval is written as ISO 8601 and exists",
        "correct the date or its format in the mapping",
    ),
    Rule(
        "SDTM-DURATION",
        _ERROR,
        "A duration is written as ISO 8601",
        "write it like P3D or PT1H30M",
    ),
    Rule(
        "SDTM-TIME-ORDER",
        _ERROR,
        "An end is not before its start",
        "ask the site which of the two is right",
    ),
    Rule(
        "SDTM-KEY",
        _ERROR,
        "The natural keys name one record",
        "remove the duplicate, or name the keys that tell the records apart in datasets.yaml",
    ),
    Rule(
        "SDTM-SEQ",
        _ERROR,
        "--SEQ is a whole number above zero, once per subject",
        "number the records again",
    ),
    Rule(
        "SDTM-LENGTH",
        _ERROR,
        "Text is no longer, in bytes, than its variable allows (200 in XPT)",
        "split it into SUPP--, or shorten it in the mapping",
    ),
    Rule(
        "SDTM-NON-ASCII",
        _ERROR,
        "Text is ASCII",
        "translate it, or state the encoding to the agency",
    ),
    Rule(
        "SDTM-TESTCD",
        _ERROR,
        "A short name has up to eight letters, digits or underscores and does not begin with a digit",
        "choose another short name",
    ),
    Rule(
        "SDTM-TEST-LENGTH",
        _ERROR,
        "A test's name or a qualifier's label has up to 40 characters",
        "shorten it",
    ),
    Rule(
        "SDTM-TEST-PAIR",
        _ERROR,
        "A short name has one name and the name one short name, as published",
        "pair them as the terminology does",
    ),
    Rule(
        "SDTM-SUBJECT",
        _ERROR,
        "Every subject is in DM",
        "add the subject to DM, or correct the subject's id",
    ),
    Rule(
        "SDTM-SUPP",
        _ERROR,
        "A supplemental qualifier belongs to an existing record of its parent",
        "correct RDOMAIN, IDVAR or IDVARVAL",
    ),
    Rule(
        "SDTM-QNAM",
        _ERROR,
        "A supplemental qualifier is not named as a variable of its parent",
        "choose another QNAM, or put the value into the parent",
    ),
    Rule(
        "SDTM-RELATED",
        _ERROR,
        "A comment or a relationship names existing records",
        "correct RDOMAIN, IDVAR or IDVARVAL",
    ),
    Rule(
        "SDTM-RELTYPE",
        _ERROR,
        "RELTYPE is filled for related datasets and empty for related records",
        "fill RELTYPE only where USUBJID and IDVARVAL are empty",
    ),
)

RULES: dict[str, Rule] = index_rules(
    *RAW_RULES.values(), *MAPPING_RULES.values(), *SDTM_RULES.values(), *XPT_RULES.values()
)
