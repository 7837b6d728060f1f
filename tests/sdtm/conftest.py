"""Small studies written in the test: YAML for the mapping, CSV text for the raw tables."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

import pandas as pd
import pytest

from sdtm.build import Built, Domain, build_study
from sdtm.compile_conventions import compile_conventions
from sdtm.compile_study import compile_study
from sdtm.coverage import check_coverage
from sdtm.link import link_columns
from sdtm.mapping import StudyMapping
from sdtm.node import Node
from sdtm.operations import OPERATIONS
from sdtm.rawtable import RawTable
from specs.findings import Fault, Finding
from specs.load import load_specs
from specs.model import Specs
from specs.yamlfile import parse_yaml


@cache
def standard() -> Specs:
    """Load SDTMIG 3.4 and its terminology once."""
    return load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28")


@dataclass
class SmallStudy:
    """What a small study came to: its faults, or its domains and findings."""

    faults: list[Fault]
    built: Built
    mapping: StudyMapping
    tables: dict[str, RawTable]

    def domain(self, name: str) -> Domain:
        """Return a domain; a test that asks for one expects no fault."""
        assert self.faults == []
        return self.built.domains[name]

    def table(self, name: str, columns: str) -> list[list[str]]:
        """Return some columns of a domain as rows of text, numbers spelled shortest."""
        data = self.domain(name).data[columns.split()]
        return [[_spell(value) for value in row] for row in data.to_numpy(dtype=object).tolist()]

    def findings(self) -> list[tuple[str, str, int | None, str]]:
        """Return the findings as (rule, file, row, message)."""
        found = [*self.built.findings, *check_coverage(self.mapping, tables=self.tables, not_submitted={})]
        return [(finding.rule, finding.file, finding.row, finding.message) for finding in found]

    def all_findings(self) -> list[Finding]:
        """Return the findings of the build as they are."""
        return self.built.findings

    def told(self) -> list[str]:
        """Return the faults as a person reads them."""
        return [str(fault) for fault in self.faults]


def _spell(value: object) -> str:
    return ("" if pd.isna(value) else f"{value:.15g}") if isinstance(value, float) else str(value)


def raw_table(name: str, text: str) -> RawTable:
    """Make a raw table from CSV text; a column RecordId is the EDC's record id."""
    data = pd.read_csv(io.StringIO(dedent(text).strip()), dtype="str", keep_default_na=False, skipinitialspace=True)
    data.columns = [column.strip() for column in data.columns]
    record = data["RecordId"] if "RecordId" in data else pd.Series("", index=data.index, dtype="str")
    origin = pd.DataFrame(
        {"file": f"{name.upper()}.csv", "row": range(2, len(data) + 2), "record": record}, index=data.index
    )
    return RawTable(name, data.astype("str"), origin, {"file": f"{name.upper()}.csv"})


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., SmallStudy]:
    """Return a function that compiles, links and builds a study written in the test."""

    def make(*domains: str, raw: dict[str, str], conventions: str = "", cutoff: str = "") -> SmallStudy:
        faults: list[Fault] = []
        tables = {name: raw_table(name, text) for name, text in raw.items()}
        head = parse_yaml(dedent(conventions), name="study.yaml")
        node = Node(head, (), head.content or {}, faults)
        said = compile_conventions(node, study="TEST", cutoff=cutoff, folder=tmp_path)
        files = [parse_yaml(dedent(text), name=f"domain{n}.yaml") for n, text in enumerate(domains, 1)]
        mapping = compile_study(
            files,
            conventions=said,
            common=node.child("common"),
            specs=standard(),
            tables=tables,
            operations=OPERATIONS,
            faults=faults,
        )
        if mapping.domains:
            columns = {name: table.columns for name, table in tables.items()}
            faults += link_columns(mapping, columns=columns, files={name: f"{name.upper()}.csv" for name in tables})
        built = Built({}, []) if faults else build_study(mapping, tables=tables, specs=standard())
        return SmallStudy(faults, built, mapping, tables)

    return make
