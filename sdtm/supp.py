"""Supplemental qualifiers: what the standard has no variable for, one record each (SDTMIG 3.4 section 8.4)."""

from __future__ import annotations

import pandas as pd

from sdtm.mapping import DomainMapping, SuppRule
from sdtm.row_operations import number_text
from sdtm.rows import SUBJECT
from specs.model import Dataset

SUPP_COLUMNS = (
    "STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QLABEL", "QVAL", "QORIG", "QEVAL",
)  # fmt: skip
ORIGIN_WORDS = {"Collected": "CRF", "Derived": "DERIVED", "Assigned": "ASSIGNED"}


def build_supp(
    data: pd.DataFrame, supp: pd.DataFrame, *, mapping: DomainMapping, study: str, dataset: Dataset
) -> pd.DataFrame | None:
    """
    Turn the qualifiers of the parent's records into SUPP-- records; None where none has a value.

    In: the parent's records with USUBJID and --SEQ, and beside them (same index) one text column per QNAM. Out: one
    record per parent record and qualifier with a value, in the parent's order; DM's point to the subject alone.
    """
    rules = _rules(mapping)
    sequence = f"{dataset.prefix}SEQ"
    idvar = sequence if sequence in data else ""
    parts = []
    for name, rule in rules.items():
        filled = supp[name] != ""
        values = supp.loc[filled, name]
        part = pd.DataFrame({"QVAL": values, SUBJECT: data.loc[filled, SUBJECT]}, index=values.index)
        part["IDVARVAL"] = number_text(data.loc[filled, idvar]) if idvar else ""
        part["QNAM"], part["QLABEL"] = name, rule.label
        part["QORIG"] = rule.origin or ORIGIN_WORDS[rule.rule.operation.origin]
        part["QEVAL"] = rule.evaluator
        parts.append(part)
    if not parts or not sum(len(part) for part in parts):
        return None
    records = pd.concat(parts).assign(STUDYID=study, RDOMAIN=mapping.domain, IDVAR=idvar)
    order = pd.Series(range(len(data)), index=data.index)
    records = records.assign(_order=order.reindex(records.index)).sort_values("_order", kind="stable")
    return records[list(SUPP_COLUMNS)].astype("str").reset_index(drop=True)


def _rules(mapping: DomainMapping) -> dict[str, SuppRule]:
    found: dict[str, SuppRule] = {}
    for block in mapping.blocks:
        for rule in block.supp:
            found.setdefault(rule.name, rule)
    return found
