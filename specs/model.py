"""The metadata model: what must come out, as values that never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specs.ct import Terminology

CHAR, NUM = "Char", "Num"
CORES = ("Req", "Exp", "Perm")
ROLES = (
    "Identifier",
    "Topic",
    "Grouping Qualifier",
    "Result Qualifier",
    "Synonym Qualifier",
    "Record Qualifier",
    "Variable Qualifier",
    "Rule",
    "Timing",
)
DATETIME = "ISO 8601 datetime or interval"
DURATION = "ISO 8601 duration"
DURATION_OR_INTERVAL = "ISO 8601 duration or interval"

_SUPPLEMENTAL, _TEMPLATE = "SUPP", "SUPPQUAL"


@dataclass(frozen=True, slots=True)
class Variable:
    """
    One variable of a dataset.

    ``type`` is Char or Num, ``core`` Req, Exp or Perm; ``codelists`` are C-codes of published lists or names of the
    study's own; ``described`` is the domain outside the terminology (ISO 8601, MedDRA ...); ``fixed`` is the only
    value allowed (DOMAIN); ``length`` is the most bytes allowed where it is less than the format's 200.
    """

    name: str
    label: str
    type: str
    role: str
    core: str
    codelists: tuple[str, ...] = ()
    order: int = 0
    described: str = ""
    fixed: str = ""
    length: int | None = None

    @property
    def is_text(self) -> bool:
        """Whether its values are text."""
        return self.type == CHAR

    @property
    def is_required(self) -> bool:
        """Whether it must be present and never empty."""
        return self.core == "Req"

    @property
    def is_expected(self) -> bool:
        """Whether it must be present, empty or not."""
        return self.core == "Exp"


@dataclass(frozen=True)
class Dataset:
    """
    One dataset: its variables in order, and the keys that order its records.

    ``keys`` end with --SEQ where the standard's natural keys are the sponsor's to choose; a study's delta names
    its own. ``cls`` is the class of the guide (Findings, Events, Trial Design ...).
    """

    name: str
    label: str
    cls: str
    structure: str
    variables: tuple[Variable, ...]
    keys: tuple[str, ...]

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in self.variables}

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names in order."""
        return tuple(self._by_name)

    def variable(self, name: str) -> Variable | None:
        """Return the variable of that name."""
        return self._by_name.get(name)

    @property
    def prefix(self) -> str:
        """The two letters that stand for -- in this dataset, empty where it has none."""
        return self.name if len(self.name) == 2 else ""

    @property
    def sequence(self) -> str:
        """The name of --SEQ, empty where the dataset has none."""
        name = f"{self.prefix}SEQ"
        return name if name in self._by_name else ""

    @property
    def record_keys(self) -> tuple[str, ...]:
        """The variables that name one record to a reader: USUBJID and --SEQ, or the keys."""
        if not self.sequence:
            return tuple(key for key in self.keys if key != "STUDYID")
        if "USUBJID" in self._by_name:
            return ("USUBJID", self.sequence)
        return (*self.sequence_scope, self.sequence)

    @property
    def sequence_scope(self) -> tuple[str, ...]:
        """The variables within which --SEQ is unique: the subject, or what stands before it in the keys."""
        if "USUBJID" in self._by_name:
            return ("USUBJID",)
        return tuple(key for key in self.keys if key not in ("STUDYID", self.sequence))


@dataclass(frozen=True, slots=True)
class Term:
    """One term: C-code (empty for a study's own), submission value, NCI preferred term, synonyms."""

    code: str
    value: str
    preferred: str = ""
    synonyms: tuple[str, ...] = ()
    extended: bool = False


@dataclass(frozen=True)
class Codelist:
    """One codelist: C-code (empty for a study's own), name, submission value (``short``), its terms in order."""

    code: str
    name: str
    short: str
    extensible: bool
    terms: tuple[Term, ...]
    preferred: str = ""
    synonyms: tuple[str, ...] = ()

    @cached_property
    def _by_value(self) -> dict[str, Term]:
        return {term.value: term for term in self.terms}

    @property
    def values(self) -> tuple[str, ...]:
        """The submission values in order."""
        return tuple(self._by_value)

    def term(self, value: str) -> Term | None:
        """Return the term of exactly that submission value."""
        return self._by_value.get(value)

    @property
    def title(self) -> str:
        """How a person is told of it: short name and C-code."""
        return f"{self.short} ({self.code})" if self.code else self.short

    @cached_property
    def _matches(self) -> Matches:
        return Matches.of(self.terms)

    def find(self, text: str) -> Term | None:
        """
        Return the one term that *text* means, or None where none or more than one could be meant.

        In this order: the submission value as written; the preferred term or a synonym as written; then the same
        three with letter case and outer blanks ignored. Text that is one term's synonym as written and another's
        submission value in another letter case (``G/L`` is a synonym of 10^9/L and looks like g/L) is ambiguous.
        """
        return self._matches.find(text)


@dataclass(frozen=True)
class Matches:
    """Every spelling of a codelist's terms, exact and folded, with the submission values each could mean."""

    terms: Mapping[str, Term]
    exact: Mapping[str, frozenset[str]]
    folded: tuple[Mapping[str, frozenset[str]], ...]

    @classmethod
    def of(cls, terms: tuple[Term, ...]) -> Matches:
        """Index *terms* by value, preferred term and synonyms."""
        values = [(term.value, term.value) for term in terms]
        preferred = [(term.preferred, term.value) for term in terms]
        synonyms = [(synonym, term.value) for term in terms for synonym in term.synonyms]
        folded = [[(fold(text), value) for text, value in level] for level in (values, preferred, synonyms)]
        by_value = {term.value: term for term in terms}
        return cls(by_value, _index(preferred + synonyms), tuple(_index(level) for level in folded))

    def find(self, text: str) -> Term | None:
        """Return the one term meant by *text* (see ``Codelist.find``)."""
        if text in self.terms:
            return self.terms[text]
        folded = fold(text)
        exact, as_value = self.exact.get(text.strip(), frozenset()), self.folded[0].get(folded, frozenset())
        if exact and as_value:
            return self._only(exact | as_value)
        for candidates in (exact, *(level.get(folded, frozenset()) for level in self.folded)):
            if candidates:
                return self._only(candidates)
        return None

    def _only(self, candidates: frozenset[str]) -> Term | None:
        return self.terms[next(iter(candidates))] if len(candidates) == 1 else None


def fold(text: str) -> str:
    """Forget letter case and outer blanks."""
    return text.strip().casefold()


def _index(pairs: list[tuple[str, str]]) -> dict[str, frozenset[str]]:
    index: dict[str, set[str]] = {}
    for text, value in pairs:
        if text:
            index.setdefault(text, set()).add(value)
    return {text: frozenset(values) for text, values in index.items()}


@dataclass(frozen=True)
class Specs:
    """
    What must come out of one study: the standard's datasets and the terminology, with the study's deltas applied.

    ``codelists`` are the lists that the study extended, narrowed (by C-code) or made itself (by name); every other
    list is the terminology's.
    """

    standard: str
    datasets: Mapping[str, Dataset]
    terminology: Terminology
    study: str = ""
    codelists: Mapping[str, Codelist] = field(default_factory=dict)

    def dataset(self, name: str) -> Dataset | None:
        """Return a dataset by name; SUPPAE and its like are made from the guide's template."""
        if name in self.datasets:
            return self.datasets[name]
        parent = name.removeprefix(_SUPPLEMENTAL)
        if name.startswith(_SUPPLEMENTAL) and parent in self.datasets and _TEMPLATE in self.datasets:
            template = self.datasets[_TEMPLATE]
            return replace(template, name=name, label=f"Supplemental Qualifiers for {parent}")
        return None

    def codelist(self, name_or_code: str) -> Codelist | None:
        """Return a codelist by C-code, CDISC submission value (NY, LBTESTCD) or the study's own name."""
        if name_or_code in self.codelists:
            return self.codelists[name_or_code]
        published = self.terminology.codelist(name_or_code)
        if published is None:
            return None
        return self.codelists.get(published.code, published)

    def codelists_of(self, variable: Variable) -> tuple[Codelist, ...]:
        """Return the codelists of a variable; those that this terminology does not carry are left out."""
        found = (self.codelist(name) for name in variable.codelists)
        return tuple(codelist for codelist in found if codelist is not None)
