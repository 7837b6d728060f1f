"""Run the examples of a mapping: given these raw values, these SDTM values are expected."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sdtm.build import run_rule
from sdtm.mapping import Block, DomainMapping, Example, Rule, StudyMapping
from sdtm.parameters import suggest
from sdtm.row_operations import number_text
from sdtm.rows import Rows
from specs.findings import Fault
from specs.model import Specs


def run_examples(study: StudyMapping, *, specs: Specs) -> list[Fault]:
    """Run every example of every block; one that does not come out as expected is a fault at its line."""
    return [
        fault
        for mapping in study.domains.values()
        for block in mapping.blocks
        for example in block.examples
        for fault in _run(example, block, mapping, study, specs)
    ]


def _run(
    example: Example, block: Block, mapping: DomainMapping, study: StudyMapping, specs: Specs
) -> Iterator[Fault]:
    rules = {target: rule for rule in block.variables for target in rule.targets}
    rules |= {supp.name: supp.rule for supp in block.supp}
    read = frozenset().union(*(rule.reads for rule in (*rules.values(), *block.helpers.values())))
    for name in sorted(set(example.given) - read):
        yield example.address.fault(f"no rule reads {name}", suggest(name, read))
    rows = _one_row(example, block, read, study, specs)
    for target, expected in example.expect.items():
        if target not in rules:
            yield example.address.fault(f"no rule of this block fills {target}", suggest(target, rules))
            continue
        got = _value(rules[target], target, rows, specs, mapping.domain)
        if got != expected:
            yield example.address.fault(f"{target} is {got!r}, not {expected!r}", f"rule {rules[target].text}")


def _one_row(example: Example, block: Block, read: frozenset[str], study: StudyMapping, specs: Specs) -> Rows:
    data = pd.DataFrame({name: [example.given.get(name, "")] for name in sorted(read)}, dtype="str", index=[0])
    rows = Rows(data, study.conventions, specs)
    for name, rule in block.helpers.items():
        if name not in example.given:
            data[name] = rule.operation.function(rows, **rule.arguments).values
    return Rows(data, study.conventions, specs)


def _value(rule: Rule, target: str, rows: Rows, specs: Specs, domain: str) -> str:
    values = run_rule(rule, rows, dataset=specs.datasets[domain])[target].values
    return str((values if values.dtype == "str" else number_text(values)).iloc[0])
