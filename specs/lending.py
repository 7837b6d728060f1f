"""
What a dataset may take from its class: the SDTM model's variables that the guide shows in another dataset.

The guide's table of a domain is not closed. Any identifier and timing variable of the general classes may be added,
and any variable of the dataset's own class (SDTMIG 3.4, section 2.5 ff.); Findings About is a Findings class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from specs.model import Dataset, Variable

_GENERAL = ("Interventions", "Events", "Findings", "Findings About")
_EVERY_CLASS = ("Identifier", "Timing")  # roles whose variables any general class may take


def name_here(variable: Variable, *, lender: Dataset, borrower: Dataset) -> str:
    """Return the name that a lender's variable has in the borrower: AESTDTC is CESTDTC in CE, VISIT is VISIT."""
    if lender.prefix and variable.name.startswith(lender.prefix):
        return borrower.prefix + variable.name.removeprefix(lender.prefix)
    return variable.name


def find_lendable(dataset: Dataset, datasets: Mapping[str, Dataset]) -> Iterable[tuple[Dataset, Variable, str]]:
    """Give what *dataset* may borrow: the lender, its variable, and the variable's name in *dataset*."""
    if dataset.cls not in _GENERAL:
        return
    family = dataset.cls.removesuffix(" About")
    for other in datasets.values():
        if other.cls not in _GENERAL or other.name == dataset.name:
            continue
        for variable in other.variables:
            if other.cls.removesuffix(" About") == family or variable.role in _EVERY_CLASS:
                yield other, variable, name_here(variable, lender=other, borrower=dataset)


def lendable_names(dataset: Dataset, datasets: Mapping[str, Dataset]) -> frozenset[str]:
    """Return the names of the variables that *dataset* may borrow."""
    return frozenset(name for _, _, name in find_lendable(dataset, datasets))


def find_lender(name: str, dataset: Dataset, datasets: Mapping[str, Dataset]) -> tuple[Dataset, Variable] | None:
    """Find where the guide knows the variable *name*; its label is the lenders' common one, or empty."""
    found = [(other, variable) for other, variable, here in find_lendable(dataset, datasets) if here == name]
    if not found:
        return None
    other, variable = found[0]
    label, count = Counter(one.label for _, one in found).most_common(1)[0]
    return other, replace(variable, label=label if 2 * count > len(found) else "")
