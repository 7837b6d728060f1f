"""RELREC: which records, and which datasets, belong together (SDTMIG 3.4 section 8.2 and 8.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from sdtm.mapping import RelatedDatasets, RelatedRecords, StudyMapping
from sdtm.node import Node
from sdtm.parameters import suggest
from sdtm.row_operations import number_text
from sdtm.rows import SUBJECT
from specs.findings import Fault

RELREC = "RELREC"
RELREC_KEYS = ("domain", "relations")
RELATION_KEYS = ("relid", "datasets", "records")
COLUMNS = ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELTYPE", "RELID")

Relation = RelatedDatasets | RelatedRecords


def is_relrec(node: Node) -> bool:
    """Say whether a file describes RELREC, which has relations and no sources."""
    return isinstance(node.value, dict) and node.value.get("domain") == RELREC


def compile_relations(node: Node) -> tuple[Relation, ...]:
    """Compile relrec.yaml: a list of relations between datasets as a whole or between records."""
    node.only(RELREC_KEYS, what="the mapping of RELREC")
    return tuple(item for child in node.child("relations").items(what="relations") for item in _relation(child))


def _relation(node: Node) -> Iterator[Relation]:
    if not node.only(RELATION_KEYS, what="a relation"):
        return
    relid = node.text("relid", required=True)
    kinds = [key for key in ("datasets", "records") if node.child(key).value is not None]
    if len(kinds) != 1:
        node.fault("a relation is between datasets or between records", "give one of the two: datasets:, records:")
        return
    pairs = list(node.child(kinds[0]).pairs(what=kinds[0]))
    if len(pairs) != 2:
        node.child(kinds[0]).fault(f"a relation has two sides, here are {len(pairs)}")
    elif kinds[0] == "records":
        yield RelatedRecords(relid, tuple((name, str(child.value)) for name, child in pairs), node.address)
    else:
        yield RelatedDatasets(relid, tuple(_side(name, child) for name, child in pairs), node.address)


def _side(name: str, node: Node) -> tuple[str, str, str]:
    node.only(("by", "type"), what="a side of a relation")
    kind = node.text("type", required=True)
    if kind not in ("ONE", "MANY"):
        node.child("type").fault(f"{kind} is neither ONE nor MANY")
    return name, node.text("by", required=True), kind


def link_relations(study: StudyMapping) -> list[Fault]:
    """Check that the domains of every relation are mapped, and that some rule fills its variables."""
    faults = []
    for relation in study.relations:
        for name, variable, *_ in relation.sides:
            mapping = study.domains.get(name)
            if mapping is None:
                faults.append(
                    relation.address.fault(f"this study maps no domain {name}", suggest(name, study.domains))
                )
            elif variable not in mapping.targets:
                faults.append(
                    relation.address.fault(f"{name} fills no {variable}", suggest(variable, mapping.targets))
                )
    return faults


def build_relrec(study: StudyMapping, *, records: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """
    Build RELREC from the finished records of all domains (with --SEQ, and helpers).

    Datasets: one row per side, with RELTYPE. Records: for each pair two rows with --SEQ, without RELTYPE; RELID is
    the relation's with a number that counts within the subject.
    """
    parts = [
        _datasets(relation) if isinstance(relation, RelatedDatasets) else _records(relation, records)
        for relation in study.relations
    ]
    table = pd.concat([pd.DataFrame(columns=list(COLUMNS)), *parts], ignore_index=True).fillna("").astype("str")
    table["STUDYID"] = study.conventions.study
    return table.astype("str")[list(COLUMNS)]


def _datasets(relation: RelatedDatasets) -> pd.DataFrame:
    rows = [
        {"RDOMAIN": name, "IDVAR": variable, "RELTYPE": kind, "RELID": relation.relid}
        for name, variable, kind in relation.sides
    ]
    return pd.DataFrame(rows)


def _records(relation: RelatedRecords, records: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    (left_name, left_key), (right_name, right_key) = relation.sides
    left = _keyed(records[left_name], left_key, f"{left_name}SEQ")
    right = _keyed(records[right_name], right_key, f"{right_name}SEQ")
    pairs = left.merge(right, on=[SUBJECT, "key"], suffixes=("_left", "_right"))
    pairs = pairs.sort_values([SUBJECT, "seq_left", "seq_right"], kind="stable", ignore_index=True)
    relid = relation.relid + pairs.groupby(SUBJECT).cumcount().add(1).astype("str")
    sides = [
        pd.DataFrame(
            {
                "RDOMAIN": name,
                SUBJECT: pairs[SUBJECT],
                "IDVAR": f"{name}SEQ",
                "IDVARVAL": number_text(pairs[f"seq_{side}"]),
                "RELTYPE": "",
                "RELID": relid,
            }
        )
        for name, side in ((left_name, "left"), (right_name, "right"))
    ]
    both = pd.concat(sides)
    return both.iloc[np.argsort(both.index, kind="stable")]


def _keyed(data: pd.DataFrame, key: str, sequence: str) -> pd.DataFrame:
    values = data[key] if data[key].dtype == "str" else number_text(data[key])
    found = pd.DataFrame({SUBJECT: data[SUBJECT], "key": values, "seq": data[sequence]})
    return found[found["key"] != ""]
