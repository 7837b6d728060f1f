"""Where each variable comes from: origin, rule, raw columns and CRF pages, as define.xml will want them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from sdtm.coverage import resolve_column
from sdtm.mapping import Block, DomainMapping, Rule, StudyMapping, is_helper

ORIGIN_COLUMNS = ("dataset", "variable", "origin", "pages", "raw_columns", "rule", "method", "specification")


def describe_origins(study: StudyMapping, *, pages: Mapping[tuple[str, str], str]) -> list[dict[str, str]]:
    """
    Say of every variable and block where it comes from.

    ``pages``: CRF page by (raw table, raw column). Out: one row per dataset, variable and rule (columns
    ORIGIN_COLUMNS): define.xml's origin, the raw columns as table.column, their pages, the rule as written, what its
    operation does in words, and file:line of the specification in the study's folder.
    """
    return [row for mapping in study.domains.values() for row in _domain(mapping, pages)]


def _domain(mapping: DomainMapping, pages: Mapping[tuple[str, str], str]) -> Iterator[dict[str, str]]:
    for block in mapping.blocks:
        for rule in block.variables:
            yield from _rows(mapping.domain, rule, block, pages)
        for supp in block.supp:
            yield from _rows(f"SUPP{mapping.domain}", supp.rule, block, pages)
    for rule in mapping.derived:
        yield from _rows(mapping.domain, rule, None, pages)


def _rows(
    dataset: str, rule: Rule, block: Block | None, pages: Mapping[tuple[str, str], str]
) -> Iterator[dict[str, str]]:
    columns = sorted(set(_raw_columns(rule, block))) if block is not None else []
    found = sorted({pages[column] for column in columns if column in pages}, key=lambda page: (len(page), page))
    read = [f"{table}.{column}" for table, column in columns] if block is not None else sorted(rule.reads)
    for target in rule.targets:
        if not is_helper(target):
            yield {
                "dataset": dataset,
                "variable": target,
                "origin": rule.operation.origin,
                "pages": " ".join(found),
                "raw_columns": " ".join(read),
                "rule": rule.text,
                "method": rule.operation.words.splitlines()[0],
                "specification": f"{PurePath(rule.address.file).name}:{rule.address.line}",
            }


def _raw_columns(rule: Rule, block: Block) -> Iterator[tuple[str, str]]:
    """Follow helpers and stacked columns down to the raw columns."""
    for name in rule.reads:
        stacked = [item.columns[name] for item in block.long if name in item.columns]
        if name in block.helpers:
            yield from _raw_columns(block.helpers[name], block)
        elif stacked:
            yield from (resolve_column(block, column) for column in stacked)
        elif not any(name in item.values for item in block.long) and not name.startswith("study."):
            yield resolve_column(block, name)
