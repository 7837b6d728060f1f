"""
A study's deltas to the standard: ``datasets.yaml`` and ``codelists.yaml`` in its folder, either optional.

The language is closed: a key that it does not know is a fault with its line. A study may tighten the standard (a
permissible variable becomes expected, a list is narrowed to the study's terms), add what the standard leaves open
(variables known to the dataset's class, terms of extensible lists, its own lists) and name its natural keys; it
cannot loosen the standard.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from specs.findings import Fault, SpecificationError
from specs.lending import find_lender, lendable_names, name_here
from specs.model import CHAR, CORES, NUM, ROLES, Codelist, Dataset, Specs, Term, Variable
from specs.yamlfile import YamlFile, read_yaml

DATASET_KEYS = ("label", "keys", "variables")
VARIABLE_KEYS = ("label", "type", "role", "core", "codelist", "length", "after", "custom")
CODELIST_KEYS = ("extend", "subset", "new", "name", "terms")
TERM_KEYS = ("preferred", "synonyms")
MOST_BYTES, LABEL_BYTES = 200, 40

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}\Z")


def apply_deltas(specs: Specs, *, folder: Path) -> Specs:
    """
    Apply the deltas in *folder* to a standard's specs; the folder's name becomes the study's.

    Raises SpecificationError with every fault of both files.
    """
    if not folder.is_dir():
        raise SpecificationError([Fault(str(folder), 0, "no such folder", "name the study's folder in specs/")])
    faults: list[Fault] = []
    lists = _read(folder / "codelists.yaml", faults)
    codelists = dict(_codelist_deltas(lists, specs)) if lists else {}
    with_lists = replace(specs, study=folder.name, codelists=codelists)
    sets = _read(folder / "datasets.yaml", faults)
    datasets = {**specs.datasets, **dict(_dataset_deltas(sets, with_lists))} if sets else specs.datasets
    if faults:
        raise SpecificationError(faults)
    return replace(with_lists, datasets=datasets)


@dataclass(frozen=True)
class _Delta:
    """A part of a delta file: what stands there, its address, and where faults are collected."""

    file: YamlFile
    content: Mapping[str, Any]
    faults: list[Fault]
    path: tuple[str, ...] = field(default=())

    def refuse(self, *path: str | int, reason: str, cure: str = "") -> None:
        """Collect a fault at *path* below this part."""
        self.faults.append(self.file.fault(*self.path, *path, reason=reason, cure=cure))

    def parts(self, *path: str, optional: bool = False) -> Iterable[tuple[str, _Delta]]:
        """Give every entry at *path* as a part of its own; an entry that is no mapping is a fault."""
        for name, content in self.mapping(*path).items():
            if isinstance(content, dict) or (optional and content is None):
                yield name, replace(self, content=content or {}, path=(*self.path, *path, name))
            else:
                self.refuse(*path, name, reason=f"{name} says nothing in the form 'key: value'")

    def mapping(self, *path: str) -> Mapping[str, Any]:
        """Return the mapping at *path*, empty where there is none."""
        content: Any = self.content
        for step in path:
            content = content.get(step)
        if isinstance(content, dict) or content is None:
            return content or {}
        self.refuse(*path, reason=f"{path[-1] if path else 'the file'} must be written as 'key: value' lines")
        return {}

    def check_keys(self, allowed: tuple[str, ...]) -> None:
        """Refuse every key that the language does not know."""
        for key in self.content:
            if key not in allowed:
                self.refuse(key, reason=f"unknown key {key!r}", cure=did_you_mean(key, allowed))

    def text(self, key: str, default: str = "") -> str:
        """Return the text at *key*."""
        value = self.content.get(key)
        if value is None:
            return default
        if isinstance(value, dict | list | bool):
            self.refuse(key, reason=f"{key} must be text")
            return default
        return str(value)

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Return the text at *key*, which must be one of *choices*."""
        value = self.text(key, default)
        if value in choices or key not in self.content:
            return value
        self.refuse(key, reason=f"{value!r} is not a {key}", cure=f"write one of {', '.join(choices)}")
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts at *key*; one text is a list of one."""
        value = self.content.get(key)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(item, dict | list | bool) or item is None for item in items):
            self.refuse(key, reason=f"{key} must be a list of texts")
            return ()
        return tuple(str(item) for item in items)

    def flag(self, key: str) -> bool:
        """Return whether *key* says true."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, reason=f"{key} must be true or false")
        return value is True


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Say the nearest of the known names, or all of them where none is near and they are few."""
    names = list(known)
    near = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"there is {', '.join(names)}" if 0 < len(names) <= 12 else ""


def _read(path: Path, faults: list[Fault]) -> _Delta | None:
    if not path.exists():
        return None
    try:
        file = read_yaml(path)
    except SpecificationError as error:
        faults.extend(error.faults)
        return None
    if file.content is not None and not isinstance(file.content, dict):
        faults.append(file.fault(reason="the file must be written as 'NAME: {...}' lines"))
        return None
    return _Delta(file, file.content or {}, faults)


# --- codelists.yaml -------------------------------------------------------------------------------------------------


def _codelist_deltas(delta: _Delta, specs: Specs) -> Iterable[tuple[str, Codelist]]:
    for name, part in delta.parts():
        part.check_keys(CODELIST_KEYS)
        published = specs.codelist(name)
        if part.flag("new"):
            codelist = _new_codelist(name, part, published)
        elif published is None:
            cure = did_you_mean(name, specs.terminology.names) or "a list of the study's own says new: true"
            part.refuse(reason=f"{specs.terminology.version} has no codelist {name!r}", cure=cure)
            continue
        else:
            codelist = _changed_codelist(part, published)
        yield codelist.code or name, codelist


def _new_codelist(name: str, part: _Delta, published: Codelist | None) -> Codelist:
    if published is not None:
        part.refuse(reason=f"{published.title} is published", cure="choose another name, or extend it")
    for key in ("extend", "subset"):
        if key in part.content:
            part.refuse(key, reason=f"a new list has no {key}", cure="write its terms under terms")
    terms = _terms(part, "terms")
    if not terms:
        part.refuse(reason=f"the new list {name} has no terms", cure="write terms: {CODE: decode}")
    return Codelist("", part.text("name", name), name, extensible=False, terms=terms)


def _changed_codelist(part: _Delta, published: Codelist) -> Codelist:
    for key in ("name", "terms"):
        if key in part.content:
            part.refuse(key, reason=f"{published.title} is published: its {key} cannot be changed")
    added = _terms(part, "extend")
    if added and not published.extensible:
        part.refuse("extend", reason=f"{published.title} is not extensible", cure="map the values to its terms")
    for term in added:
        same = published.find(term.value)
        if same is not None:
            reason = f"{published.title} has {same.value!r} for it"
            part.refuse("extend", term.value, reason=reason, cure="use that term")
    extended = replace(published, terms=published.terms + added)
    return _narrowed(part, extended)


def _narrowed(part: _Delta, codelist: Codelist) -> Codelist:
    chosen = part.texts("subset")
    for index, value in enumerate(chosen):
        if codelist.term(value) is None:
            reason = f"{value!r} is not a term of {codelist.title}"
            part.refuse("subset", index, reason=reason, cure=did_you_mean(value, codelist.values))
    if not chosen:
        return codelist
    return replace(codelist, terms=tuple(term for term in codelist.terms if term.value in chosen or term.extended))


def _terms(part: _Delta, key: str) -> tuple[Term, ...]:
    """Read terms written as ``VALUE: decode`` or ``VALUE: {preferred: decode, synonyms: [...]}``."""
    terms = []
    for value, content in part.mapping(key).items():
        said = content if isinstance(content, dict) else {"preferred": content}
        below = replace(part, content=said, path=(*part.path, key, value))
        below.check_keys(TERM_KEYS)
        preferred = below.text("preferred")
        terms.append(Term("", value, preferred, below.texts("synonyms"), extended=True))
    return tuple(terms)


# --- datasets.yaml --------------------------------------------------------------------------------------------------


def _dataset_deltas(delta: _Delta, specs: Specs) -> Iterable[tuple[str, Dataset]]:
    for name, part in delta.parts():
        part.check_keys(DATASET_KEYS)
        dataset = specs.datasets.get(name)
        if dataset is None:
            cure = did_you_mean(name, specs.datasets)
            part.refuse(reason=f"{specs.standard} has no dataset {name!r}", cure=cure)
            continue
        variables = list(dataset.variables)
        for variable_name, variable_part in part.parts("variables", optional=True):
            _apply_variable(variables, variable_name, variable_part, dataset, specs)
        ordered = tuple(replace(variable, order=place) for place, variable in enumerate(variables, start=1))
        changed = replace(dataset, label=_label(part, dataset.label), variables=ordered)
        yield name, replace(changed, keys=_keys(part, changed))


def _keys(part: _Delta, dataset: Dataset) -> tuple[str, ...]:
    keys = part.texts("keys")
    for index, key in enumerate(keys):
        if dataset.variable(key) is None:
            cure = did_you_mean(key, dataset.names)
            part.refuse("keys", index, reason=f"{dataset.name} has no variable {key!r}", cure=cure)
    if not keys or "STUDYID" in keys:
        return keys or dataset.keys
    return ("STUDYID", *keys)


def _label(part: _Delta, default: str) -> str:
    label = part.text("label", default)
    if len(label.encode()) > LABEL_BYTES:
        part.refuse("label", reason=f"the label has {len(label.encode())} bytes", cure=f"use {LABEL_BYTES} at most")
    return label


def _apply_variable(variables: list[Variable], name: str, part: _Delta, dataset: Dataset, specs: Specs) -> None:
    part.check_keys(VARIABLE_KEYS)
    known = next((place for place, variable in enumerate(variables) if variable.name == name), None)
    if known is not None:
        variables[known] = _changed_variable(part, variables[known], specs)
        return
    lender = find_lender(name, dataset, specs.datasets)
    if lender is None and not part.flag("custom"):
        cure = did_you_mean(name, sorted({*dataset.names, *lendable_names(dataset, specs.datasets)}))
        reason = f"{name} is known neither to {dataset.name} nor to its class"
        part.refuse(reason=reason, cure=f"{cure} or write custom: true".strip().removeprefix("or "))
        return
    if not _NAME.match(name):
        part.refuse(reason=f"{name!r} cannot name a variable", cure="use up to eight capital letters and digits")
    variable = _new_variable(name, part, None if lender is None else lender[1], specs)
    variables.insert(_place(part, variables, variable, dataset, lender), variable)


def _changed_variable(part: _Delta, variable: Variable, specs: Specs) -> Variable:
    for key in ("type", "role", "after", "custom"):
        if key in part.content and part.content[key] != getattr(variable, key, None):
            part.refuse(key, reason=f"the standard says the {key} of {variable.name}", cure=f"leave {key} out")
    core = part.choice("core", CORES, variable.core)
    if CORES.index(core) > CORES.index(variable.core):
        part.refuse("core", reason=f"{variable.name} is {variable.core} and cannot become {core}")
    closed = [one for one in specs.codelists_of(variable) if not one.extensible]
    codelists = _codelists_named(part, variable.codelists, specs)
    if closed and codelists != variable.codelists:
        part.refuse("codelist", reason=f"{variable.name} takes {closed[0].title}, which is not extensible")
    label, length = _label(part, variable.label), _length(part, variable.length)
    return replace(variable, label=label, core=core, codelists=codelists, length=length)


def _new_variable(name: str, part: _Delta, lent: Variable | None, specs: Specs) -> Variable:
    for key, why in (("label", "has no common label in the guide"), ("type", "is not in the guide")):
        if key not in part.content and not getattr(lent, key, ""):
            part.refuse(reason=f"{name} {why}", cure=f"say its {key}")
    model = lent or Variable(name, label="", type=CHAR, role="Record Qualifier", core="Perm")
    return replace(
        model,
        name=name,
        label=_label(part, model.label),
        type=part.choice("type", (CHAR, NUM), model.type),
        role=part.choice("role", ROLES, model.role),
        core=part.choice("core", CORES, "Perm"),
        codelists=_codelists_named(part, model.codelists, specs),
        length=_length(part, None),
    )


def _length(part: _Delta, default: int | None) -> int | None:
    length = part.content.get("length", default)
    if length is None or (isinstance(length, int) and not isinstance(length, bool) and 0 < length <= MOST_BYTES):
        return length
    part.refuse("length", reason=f"{length!r} is not a length", cure=f"write a whole number from 1 to {MOST_BYTES}")
    return default


def _codelists_named(part: _Delta, default: tuple[str, ...], specs: Specs) -> tuple[str, ...]:
    named = []
    for name in part.texts("codelist"):
        codelist = specs.codelist(name)
        if codelist is None:
            known = [*specs.codelists, *specs.terminology.names]
            cure = did_you_mean(name, known) or "declare it in codelists.yaml with new: true"
            part.refuse("codelist", reason=f"no codelist {name!r}", cure=cure)
        else:
            named.append(codelist.code or codelist.short)
    return tuple(named) or default


def _place(
    part: _Delta, variables: list[Variable], new: Variable, dataset: Dataset, lender: tuple[Dataset, Variable] | None
) -> int:
    """Say where a new variable stands: after the one named, else as where it came from, else last of its group."""
    places = {variable.name: place for place, variable in enumerate(variables)}
    after = part.text("after")
    if after in places:
        return places[after] + 1
    if after:
        part.refuse("after", reason=f"no variable {after!r} before this one", cure=did_you_mean(after, places))
    group = _group(new)
    if lender is not None:
        other, variable = lender
        for before in reversed(other.variables[: variable.order - 1]):
            here = name_here(before, lender=other, borrower=dataset)
            if here in places and _group(before) == group:
                return places[here] + 1
    same_group = [place for place, one in enumerate(variables) if _group(one) == group]
    if not same_group:
        return len(variables)
    return same_group[0] if lender is not None else same_group[-1] + 1


def _group(variable: Variable) -> str:
    """Return the part of a record that a variable stands in: identifiers first, timing last."""
    return variable.role if variable.role in ("Identifier", "Timing") else "Topic and qualifiers"
