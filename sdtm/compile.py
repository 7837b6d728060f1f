"""Compile one domain's YAML file into a ``DomainMapping``; every fault is collected with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sdtm.conventions import Address
from sdtm.expressions import Expression
from sdtm.mapping import Block, DomainMapping, Example, Join, LongItem, Rule, SuppRule, Unique, Wide, is_helper
from sdtm.node import Node
from sdtm.operation import BOTH, Operation
from sdtm.parameters import ParameterError, Scope, compile_expression, suggest
from specs.model import Dataset

BLOCK_KEYS = (
    "source", "with", "join", "long", "wide", "unique", "where", "variables", "supp", "not_submitted", "examples",
)  # fmt: skip
DOMAIN_KEYS = ("domain", "stack", "derived", "keep", "order", "cutoff", *BLOCK_KEYS)
SHARED_KEYS = ("variables", "supp")
SUPP_KEYS = ("label", "origin", "evaluator")
JOIN_KEYS = ("table", "as", "on", "cardinality", "required", "where", "between", "wildcard")
CARDINALITIES = ("one-to-one", "many-to-one", "one-to-many")
BROKEN = Operation("", lambda _: None, BOTH, "")


@dataclass(frozen=True)
class Language:
    """What a mapping may say: the table of operations, and what their parameters may name."""

    operations: Mapping[str, Operation]
    scope: Scope
    common: Mapping[str, Node]


def compile_domain(node: Node, *, language: Language) -> DomainMapping | None:
    """Compile the document of one domain; None when it does not even say which domain it is."""
    if not node.only(DOMAIN_KEYS, what="a domain's mapping"):
        return None
    name = node.text("domain", required=True)
    dataset = language.scope.specs.datasets.get(name)
    if dataset is None:
        if name:
            node.child("domain").fault(
                f"{name} is not a dataset of the standard", suggest(name, language.scope.specs.datasets)
            )
        return None
    compiler = _Compiler(dataset, language)
    _check_stack(node)
    stack = list(node.child("stack").items(what="stack"))
    blocks = [compiler.block(item, shared=node) for item in stack] if stack else [compiler.block(node, shared=None)]
    derived = compiler.rules(node.child("derived"), stage="records")
    keep = compiler.condition(node.child("keep"))
    return DomainMapping(name, node.address, tuple(blocks), derived, keep, node.texts("order"), node.text("cutoff"))


@dataclass(frozen=True)
class _Compiler:
    dataset: Dataset
    language: Language

    def block(self, node: Node, *, shared: Node | None) -> Block:
        """Compile one source of records; what stands at the domain's level holds for each of its blocks."""
        if shared is not None:
            node.only(BLOCK_KEYS, what="a block of stack")
        return Block(
            source=node.text("source", required=True),
            address=node.address,
            helpers=self._helpers(node.child("with")),
            joins=tuple(self._join(item) for item in node.child("join").items(what="join")),
            long=tuple(self._long(node.child("long"))),
            wide=self._wide(node.child("wide")),
            unique=_unique(node.child("unique")),
            where=self.condition(node.child("where")),
            variables=self._variables(node, shared),
            supp=self._supps(node, shared),
            not_submitted=_reasons(node.child("not_submitted")),
            examples=tuple(_examples(node.child("examples"))),
        )

    def _variables(self, node: Node, shared: Node | None) -> tuple[Rule, ...]:
        own = self.rules(node.child("variables"), stage="rows")
        taken = {name for rule in own for name in rule.targets}
        above = self.rules(shared.child("variables"), stage="rows") if shared else ()
        above = tuple(rule for rule in above if not taken.intersection(rule.targets))
        taken |= {name for rule in above for name in rule.targets}
        common = []
        for key, child in self.language.common.items():
            targets = tuple(name.strip() for name in key.split(","))
            if not taken.intersection(targets) and all(self.dataset.variable(name) for name in targets):
                common.append(self.rule(targets, child, stage="rows") or _broken(targets, child))
        return (*common, *above, *own)

    def _supps(self, node: Node, shared: Node | None) -> tuple[SuppRule, ...]:
        own = self._supp(node.child("supp"))
        taken = {rule.name for rule in own}
        above = self._supp(shared.child("supp")) if shared else ()
        return (*(rule for rule in above if rule.name not in taken), *own)

    def rules(self, node: Node, *, stage: str) -> tuple[Rule, ...]:
        """Compile a section of variables; a key may name several targets, separated by commas."""
        found: list[Rule] = []
        seen: set[str] = set()
        for key, child in node.pairs(what="variables"):
            targets = tuple(name.strip() for name in key.split(","))
            for target in targets:
                self._check_target(target, child, seen)
            rule = self.rule(targets, child, stage=stage)
            found.append(rule or _broken(targets, child))
        return tuple(found)

    def _check_target(self, target: str, node: Node, seen: set[str]) -> None:
        if target in seen:
            node.fault(f"{target} is filled twice in this section", "keep one of the two rules")
        seen.add(target)
        if not is_helper(target) and self.dataset.variable(target) is None:
            node.fault(
                f"{target} is not a variable of {self.dataset.name}",
                suggest(target, (variable.name for variable in self.dataset.variables))
                + "; what the standard has no variable for goes under supp:",
            )

    def rule(self, targets: tuple[str, ...], node: Node, *, stage: str, extra: tuple[str, ...] = ()) -> Rule | None:
        """Compile ``{operation: arguments}``; None (and a fault) where it is not one."""
        operations = self.language.operations
        if not isinstance(node.value, dict):
            node.fault("a rule is {operation: arguments}", "for example {assign: COLUMN}")
            return None
        names = [key for key in node.value if key not in extra]
        if len(names) != 1:
            node.fault(f"a rule has exactly one operation, here are {len(names)}: {', '.join(names) or 'none'}")
            return None
        operation = operations.get(names[0])
        if operation is None:
            node.child(names[0]).fault(f"there is no operation {names[0]}", suggest(names[0], operations))
            return None
        if stage not in operation.stages:
            section = "derived" if stage == "rows" else "variables"
            node.fault(f"{operation.name} does not work here", f"move {', '.join(targets)} to the section {section}:")
            return None
        self._check_outputs(targets, operation, node)
        arguments = self._arguments(operation, node.child(names[0]), targets)
        if arguments is None:
            return None
        kinds = operation.kinds
        reads = frozenset().union(*(kinds[name].reads(value) for name, value in arguments.items()))
        reads |= operation.also_reads(self.language.scope.conventions)
        return Rule(targets, operation, arguments, reads, node.address, _spell(node.value))

    def _check_outputs(self, targets: tuple[str, ...], operation: Operation, node: Node) -> None:
        outputs = tuple(name.replace("--", self.dataset.prefix) for name in operation.outputs)
        if not outputs and len(targets) > 1:
            node.fault(f"{operation.name} fills one variable, here are {len(targets)}")
        for target in targets:
            if outputs and target not in outputs:
                node.fault(f"{operation.name} does not fill {target}", f"it fills {', '.join(outputs)}")

    def _arguments(self, operation: Operation, node: Node, targets: tuple[str, ...]) -> dict[str, object] | None:
        given = node.value
        if not isinstance(given, dict) or operation.takes_map:
            given = {operation.first: given} if given is not None else {}
            at = dict.fromkeys(given, node)
        else:
            node.only(operation.parameters, what=f"{operation.name}")
            at = {key: node.child(key) for key in given}
        arguments: dict[str, object] = {}
        if "codelist" in operation.required and "codelist" not in given:
            self._default_codelist(arguments, targets, node)
        for name in operation.parameters:
            if name in arguments:
                continue
            if given.get(name) is not None:
                try:
                    arguments[name] = operation.kinds[name].parse(given[name], self.language.scope)
                except ParameterError as error:
                    at[name].fault(f"{operation.name}: {error.reason}", error.cure)
                    return None
            elif operation.defaults.get(name):
                arguments[name] = operation.kinds[name].parse(operation.defaults[name], self.language.scope)
            elif name in operation.required:
                node.fault(f"{operation.name} needs {name}", f"add {name}: {operation.kinds[name].words}")
                return None
        return arguments

    def _default_codelist(self, arguments: dict[str, object], targets: tuple[str, ...], node: Node) -> None:
        """Use the codelist that the standard gives the variable, where it gives one."""
        variable = self.dataset.variable(targets[0])
        found = self.language.scope.specs.codelists_of(variable) if variable else ()
        if len(found) == 1:
            arguments["codelist"] = found[0]
        else:
            node.fault(f"{targets[0]} has no single codelist in the standard", "add codelist: with the list to use")
            arguments["codelist"] = None

    def _supp(self, node: Node) -> tuple[SuppRule, ...]:
        found = []
        for name, child in node.pairs(what="supp"):
            if not (name.isascii() and name.isidentifier() and name.isupper() and len(name) <= 8):
                child.fault(f"{name} cannot be a QNAM", "use at most 8 capitals, digits and underscores")
            rule = self.rule((name,), child, stage="rows", extra=SUPP_KEYS)
            label = child.text("label", required=True) if isinstance(child.value, dict) else ""
            if len(label) > 40:
                child.child("label").fault(f"the label of {name} has {len(label)} characters", "use at most 40")
            if rule is not None:
                found.append(SuppRule(rule, label, child.text("origin"), child.text("evaluator")))
        return tuple(found)

    def _helpers(self, node: Node) -> Mapping[str, Rule]:
        return {
            name: self.rule((name,), child, stage="rows") or _broken((name,), child)
            for name, child in node.pairs(what="with")
        }

    def condition(self, node: Node) -> Expression | None:
        """Compile a condition; None where there is none, or a fault."""
        if node.value is None:
            return None
        try:
            return compile_expression(str(node.value), condition=True)
        except ParameterError as error:
            node.fault(error.reason, error.cure)
            return None

    def _join(self, node: Node) -> Join:
        node.only(JOIN_KEYS, what="a join")
        table = node.text("table", required=True)
        cardinality = node.text("cardinality", required=True)
        if cardinality and cardinality not in CARDINALITIES:
            node.child("cardinality").fault(
                f"{cardinality} is not a cardinality", f"one of {', '.join(CARDINALITIES)}"
            )
        return Join(
            table=table,
            alias=node.text("as", default=table),
            on=_join_keys(node),
            cardinality=cardinality,
            required=node.child("required").value is True,
            where=self.condition(node.child("where")),
            between={key: _pair(child) for key, child in node.child("between").pairs(what="between")},
            wildcard={key: _pair(child) for key, child in node.child("wildcard").pairs(what="wildcard")},
            address=node.address,
        )

    def _long(self, node: Node) -> Iterator[LongItem]:
        for item in node.items(what="long"):
            item.only(("for", "columns", "values"), what="an item of long")
            for name in item.texts("for") or ("",):
                columns = {key: _filled(child, name) for key, child in item.child("columns").pairs(what="columns")}
                values = {key: _filled(child, name) for key, child in item.child("values").pairs(what="values")}
                yield LongItem(columns, values, item.address)

    def _wide(self, node: Node) -> Wide | None:
        if node.value is None or not node.only(("by", "name", "value", "columns"), what="wide"):
            return None
        columns = {key: str(child.value) for key, child in node.child("columns").pairs(what="columns")}
        name, value = node.text("name", required=True), node.text("value", required=True)
        for key in ("by", "columns"):
            if node.child(key).value is None:
                node.fault(f"{key} is missing here", f"add {key}: ...")
        return Wide(node.texts("by"), name, value, columns, node.address)


def _check_stack(node: Node) -> None:
    """With a stack the sources are its blocks; what would name a source beside it is a fault, not passed over."""
    if node.child("stack").value is not None:
        for key in BLOCK_KEYS:
            if key not in SHARED_KEYS and node.child(key).value is not None:
                node.child(key).fault(f"{key} stands beside stack", "move it into the blocks of stack")


def _broken(targets: tuple[str, ...], node: Node) -> Rule:
    """Stand for a rule that has a fault, so that what reads its targets is not called a fault as well."""
    return Rule(targets, BROKEN, {}, frozenset(), node.address)


def _join_keys(node: Node) -> Mapping[str, str]:
    on = node.child("on")
    if on.value is None:
        node.fault("on is missing here", "add on: the column both tables share, or {column here: column there}")
    if isinstance(on.value, dict):
        return {key: str(child.value) for key, child in on.pairs(what="on")}
    return {name: name for name in node.texts("on")}


def _pair(node: Node) -> tuple[str, str]:
    if isinstance(node.value, list) and len(node.value) == 2:
        return str(node.value[0]), str(node.value[1])
    node.fault("expected two texts in brackets, [column, ...]")
    return "", ""


def _filled(node: Node, name: str) -> str:
    return str(node.value).replace("{}", name)


def _unique(node: Node) -> Unique | None:
    if node.value is None or not node.only(("by", "order", "keep", "expected"), what="unique"):
        return None
    if node.child("by").value is None:
        node.fault("by is missing here", "add by: the columns that name one row")
    keep = node.text("keep", default="last")
    if keep not in ("first", "last"):
        node.child("keep").fault(f"{keep} is neither first nor last")
    return Unique(node.texts("by"), node.text("order"), keep, node.child("expected").value is True, node.address)


def _reasons(node: Node) -> Mapping[str, str]:
    reasons = {}
    for name, child in node.pairs(what="not_submitted"):
        if not isinstance(child.value, str) or not child.value.strip():
            child.fault(f"{name} is not submitted without a reason", "say why, in words")
        reasons[name] = str(child.value)
    return reasons


def _examples(node: Node) -> Iterator[Example]:
    for item in node.items(what="examples"):
        if item.only(("given", "expect"), what="an example"):
            given = {key: _plain(child) for key, child in item.child("given").pairs(what="given")}
            expect = {key: _plain(child) for key, child in item.child("expect").pairs(what="expect")}
            yield Example(given, expect, item.address)


def _plain(node: Node) -> str:
    return "" if node.value is None else str(node.value)


def _spell(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_spell(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_spell(item) for item in value) + "]"
    return str(value)


def place(address: Address) -> str:
    """Spell an address as compilers do."""
    return f"{address.file}:{address.line}"
