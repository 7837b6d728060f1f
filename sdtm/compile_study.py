"""Compile all specifications of a study at once: conventions, every domain's mapping, and the links between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sdtm.compile import Language, compile_domain
from sdtm.conventions import Conventions
from sdtm.examples import run_examples
from sdtm.link import link_tables, link_targets, order_rules
from sdtm.mapping import DomainMapping, StudyMapping
from sdtm.node import Node
from sdtm.operation import Operation
from sdtm.parameters import Scope
from sdtm.relrec import Relation, compile_relations, is_relrec, link_relations
from specs.findings import Fault
from specs.model import Specs
from specs.yamlfile import YamlFile


def compile_study(
    files: Sequence[YamlFile],
    *,
    conventions: Conventions,
    common: Node,
    specs: Specs,
    tables: Collection[str] | None,
    operations: Mapping[str, Operation],
    faults: list[Fault],
) -> StudyMapping:
    """
    Compile the domains' files, link them with the specifications and each other, order what is derived, run examples.

    ``tables``: the names of the raw tables, None where they are not known before the raw export is there. Every fault
    found is appended to *faults*; the mapping is of use only when there is none.
    """
    shared = dict(common.pairs(what="common"))
    language = Language(operations, Scope(conventions, specs), shared)
    domains: dict[str, DomainMapping] = {}
    relations: tuple[Relation, ...] = ()
    for file in files:
        if file.content is None:
            continue  # nothing but comments: a proposal that nobody has accepted yet
        node = Node(file, (), file.content, faults)
        if is_relrec(node):
            relations += compile_relations(node)
            continue
        mapping = compile_domain(node, language=language)
        if mapping is None:
            continue
        if mapping.domain in domains:
            node.fault(f"{mapping.domain} is mapped twice, also in {domains[mapping.domain].address.file}")
        domains[mapping.domain] = mapping
    study = StudyMapping(conventions, {name: domains[name] for name in sorted(domains)}, relations)
    faults += [] if tables is None else link_tables(study, tables=tables)
    faults += link_targets(study, specs=specs)
    faults += _unknown_epochs(study)
    faults += link_relations(study)
    order, circles = order_rules(study)
    faults += circles
    if not faults:
        faults += run_examples(study, specs=specs)
    return replace(study, order=order)


def _unknown_epochs(study: StudyMapping) -> list[Fault]:
    filled = {f"{name}.{target}" for name, mapping in study.domains.items() for target in mapping.targets}
    epochs = study.conventions.epochs if "DM" in study.domains else ()
    return [
        epoch.address.fault(f"{epoch.reference} is not filled", "name a date that the mapping of DM fills")
        for epoch in epochs
        if epoch.reference not in filled
    ]
