"""Link a compiled study: every name a rule reads exists, required variables are filled, no rule waits for itself."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from sdtm.conventions import Address
from sdtm.mapping import Block, DomainMapping, Join, Rule, StudyMapping, is_helper
from sdtm.parameters import suggest
from sdtm.rows import STUDY_NAMES
from specs.findings import Fault
from specs.model import Dataset, Specs

TableColumns = Mapping[str, tuple[str, ...]]


def automatic_variables(dataset: Dataset) -> tuple[str, ...]:
    """The variables that the engine itself fills in every dataset that has them."""
    names = ("STUDYID", "DOMAIN", f"{dataset.prefix}SEQ")
    return tuple(name for name in names if dataset.variable(name))


def link_tables(study: StudyMapping, *, tables: Collection[str]) -> list[Fault]:
    """Check that every raw table a mapping names is declared in study.yaml."""
    faults = []
    for mapping in study.domains.values():
        for block in mapping.blocks:
            named = [(block.source, block.address), *((join.table, join.address) for join in block.joins)]
            faults += [_no_table(name, address, tables) for name, address in named if name and name not in tables]
    for occurrence in study.conventions.visits.occurrences:
        if occurrence.table not in tables:
            faults.append(_no_table(occurrence.table, occurrence.address, tables))
    subjects = study.conventions.subjects
    if subjects is not None and subjects.table not in tables:
        faults.append(_no_table(subjects.table, subjects.address, tables))
    return faults


def _no_table(name: str, address: Address, tables: Collection[str]) -> Fault:
    return address.fault(
        f"no raw table is called {name}", suggest(name, tables) + "; tables are declared in study.yaml"
    )


def link_columns(study: StudyMapping, *, columns: TableColumns, files: Mapping[str, str]) -> list[Fault]:
    """
    Check that every raw column a mapping reads is in the raw export.

    ``columns``: the headers as received, by table; ``files``: the tables' files, for the message. Tables that are
    not in ``columns`` are passed over.
    """
    faults: list[Fault] = []
    for mapping in study.domains.values():
        for block in mapping.blocks:
            if block.source in columns:
                faults += _link_block(block, columns=columns, files=files)
    faults += _link_study(study, columns=columns, files=files)
    return faults


def _link_block(block: Block, *, columns: TableColumns, files: Mapping[str, str]) -> Iterator[Fault]:
    base = columns[block.source]
    if block.wide is not None:
        yield from _unknown(
            (*block.wide.by, block.wide.name, block.wide.value), base, block.wide.address, files[block.source]
        )
        base = (*block.wide.by, *block.wide.columns.values())
    known = [*base, *STUDY_NAMES]
    for item in block.long:
        yield from _unknown(item.columns.values(), known, item.address, files[block.source])
    known += [name for item in block.long for name in (*item.columns, *item.values)]
    pending = dict(block.helpers)
    _settle(pending, known)
    for join in block.joins:
        yield from _link_join(join, known, columns=columns, files=files, source=files[block.source])
        known += [f"{join.alias}.{name}" for name in columns.get(join.table, ())]
        _settle(pending, known)
    for name, rule in block.helpers.items():
        if name in pending:
            yield from _unknown(rule.reads, known, rule.address, files[block.source])
        if name in base:
            yield rule.address.fault(f"the helper {name} has the name of a raw column", "give it another name")
    yield from _unknown(block.where.columns if block.where else (), known, block.address, files[block.source])
    if block.unique is not None:
        order = (block.unique.order,) if block.unique.order else ()
        yield from _unknown((*block.unique.by, *order), known, block.unique.address, files[block.source])
    rules = (*block.variables, *(supp.rule for supp in block.supp))
    spare = set(known) - block.reads
    for rule in rules:
        yield from _unknown(rule.reads, known, rule.address, files[block.source], spare=spare)
    yield from _unknown(block.not_submitted, known, block.address, files[block.source])


def _settle(pending: dict[str, Rule], known: list[str]) -> None:
    """Move the helpers whose columns are known by now to the known names, in their order."""
    for name, rule in list(pending.items()):
        if rule.reads <= set(known):
            known.append(name)
            del pending[name]


def _link_join(
    join: Join, known: Collection[str], *, columns: TableColumns, files: Mapping[str, str], source: str
) -> Iterator[Fault]:
    yield from _unknown((*join.on, *join.between, *join.wildcard), known, join.address, source)
    if join.table in columns:
        theirs = [name for pair in join.between.values() for name in pair]
        theirs += [name for name, _ in join.wildcard.values()]
        theirs += list(join.on.values()) + list(join.where.columns if join.where else ())
        yield from _unknown(theirs, columns[join.table], join.address, files[join.table])


def _link_study(study: StudyMapping, *, columns: TableColumns, files: Mapping[str, str]) -> Iterator[Fault]:
    subjects = study.conventions.subjects
    if subjects is not None and subjects.table in columns:
        names = [name for name in (subjects.id, subjects.previous, *subjects.known_as) if name]
        yield from _unknown(names, columns[subjects.table], subjects.address, files[subjects.table])
    for item in study.conventions.visits.occurrences:
        if item.table in columns:
            names = [*item.subject.columns, item.date, *((item.instance,) if item.instance else ())]
            for expression in (item.code, item.where):
                names += expression.columns if expression else ()
            yield from _unknown(names, columns[item.table], item.address, files[item.table])


def _unknown(
    names: Collection[str], known: Collection[str], address: Address, file: str, *, spare: Collection[str] = ()
) -> Iterator[Fault]:
    for name in sorted(set(names) - set(known)):
        # A renamed column is most likely one that nobody reads any more.
        near = difflib.get_close_matches(name, sorted(spare), n=1, cutoff=0.5)
        yield address.fault(
            f"{file} has no column {name}", f"did you mean {near[0]}?" if near else suggest(name, known)
        )


def link_targets(study: StudyMapping, *, specs: Specs) -> list[Fault]:
    """Check that required variables are filled, and that derived rules read variables that some rule fills."""
    faults: list[Fault] = []
    for mapping in study.domains.values():
        dataset = specs.datasets[mapping.domain]
        faults += _missing_required(mapping, dataset)
        for rule in mapping.derived:
            faults += _unknown_variables(rule, mapping, study, specs)
        names = [*mapping.order, *([mapping.cutoff] if mapping.cutoff else [])]
        names += mapping.keep.columns if mapping.keep else ()
        known = _known(mapping, dataset)
        faults += [
            mapping.address.fault(f"{name} is not filled", suggest(name, known))
            for name in names
            if name not in known
        ]
    return faults


def _known(mapping: DomainMapping, dataset: Dataset) -> tuple[str, ...]:
    return (*mapping.targets, *automatic_variables(dataset))


def _missing_required(mapping: DomainMapping, dataset: Dataset) -> Iterator[Fault]:
    for block in mapping.blocks:
        own = {name for rule in block.variables for name in rule.targets}
        derived = {name for rule in mapping.derived for name in rule.targets}
        filled = own | derived | set(automatic_variables(dataset))
        missing = [item.name for item in dataset.variables if item.core == "Req" and item.name not in filled]
        if missing:
            names = ", ".join(missing)
            yield block.address.fault(f"{dataset.name} requires {names}", "add a rule for each under variables:")


def _unknown_variables(rule: Rule, mapping: DomainMapping, study: StudyMapping, specs: Specs) -> Iterator[Fault]:
    for name in sorted(rule.reads - set(STUDY_NAMES)):
        domain, variable = name.split(".", 1) if "." in name else (mapping.domain, name)
        other = study.domains.get(domain)
        if other is None:
            yield rule.address.fault(f"{name}: this study maps no domain {domain}", suggest(domain, study.domains))
            continue
        known = _known(other, specs.datasets[domain])
        if variable not in known:
            yield rule.address.fault(f"{name} is not filled in {domain}", suggest(variable, known))
        elif (
            other is not mapping and not rule.operation.reads_many and not _is_one_per_subject(specs.datasets[domain])
        ):
            yield rule.address.fault(f"{domain} has many records per subject", "use earliest or latest")


def _is_one_per_subject(dataset: Dataset) -> bool:
    return dataset.record_keys == ("USUBJID",)


def order_rules(study: StudyMapping) -> tuple[tuple[tuple[str, Rule], ...], list[Fault]]:
    """Order all derived rules of all domains so that each comes after what it reads; a circle is a fault."""
    rules = {(domain, rule.targets): rule for domain, mapping in study.domains.items() for rule in mapping.derived}
    fills = {(domain, target): (domain, targets) for domain, targets in rules for target in targets}
    graph: dict[tuple[str, tuple[str, ...]], list[tuple[str, tuple[str, ...]]]] = {}
    for (domain, targets), rule in rules.items():
        read = [name.partition(".") if "." in name else (domain, ".", name) for name in sorted(rule.reads)]
        graph[domain, targets] = [fills[there, name] for there, _, name in read if (there, name) in fills]
    try:
        ordered = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = [f"{domain}.{'/'.join(targets)}" for domain, targets in error.args[1]]
        first = rules[error.args[1][0]]
        return (), [first.address.fault(f"these wait for each other: {' <- '.join(circle)}", "break the circle")]
    return tuple((domain, rules[domain, targets]) for domain, targets in ordered), []


def submitted(mapping: DomainMapping, dataset: Dataset) -> tuple[str, ...]:
    """The variables a dataset will have, in the standard's order: filled, automatic, and expected ones."""
    filled = {name for name in mapping.targets if not is_helper(name)} | set(automatic_variables(dataset))
    return tuple(item.name for item in dataset.variables if item.name in filled or item.core in ("Req", "Exp"))
