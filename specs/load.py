"""Load a standard, a terminology version and a study's deltas into one ``Specs``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from specs.ct import list_versions, load_terminology
from specs.deltas import apply_deltas
from specs.findings import Fault, SpecificationError
from specs.model import Dataset, Specs, Variable

SPECS_FOLDER = Path(__file__).parent


def list_standards() -> tuple[str, ...]:
    """Return the names of the standards that are carried."""
    return tuple(sorted(path.parent.name for path in SPECS_FOLDER.glob("*/variables.csv")))


def terminology_versions(folders: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return the names of the terminology versions in *folders* and in the package, in order."""
    return tuple(sorted(list_versions(folders)))


def load_standard(version: str = "sdtmig-3.4") -> dict[str, Dataset]:
    """Load a standard's datasets by name, in the guide's order; SpecificationError where it is not carried."""
    if version not in list_standards():
        reason = f"no standard {version!r} (there is {', '.join(list_standards())})"
        raise SpecificationError([Fault("standard", 0, reason)])
    variables: dict[str, list[Variable]] = {}
    for row in _rows(version, "variables.csv"):
        variables.setdefault(row["dataset"], []).append(_variable(row))
    return {
        row["dataset"]: Dataset(
            name=row["dataset"],
            label=row["label"],
            cls=row["class"],
            structure=row["structure"],
            variables=tuple(variables[row["dataset"]]),
            keys=_several(row["keys"]),
        )
        for row in _rows(version, "datasets.csv")
    }


def load_specs(
    *, standard: str, terminology: str, study: Path | None = None, ct_folders: Sequence[Path] = ()
) -> Specs:
    """
    Load what must come out of a study.

    *standard* and *terminology* are names of carried versions (``sdtmig-3.4``, ``sdtm-2025-03-28``); *ct_folders*
    are searched for terminology before the package; *study* is the folder with the study's ``datasets.yaml`` and
    ``codelists.yaml``, either optional. Raises SpecificationError with every fault of the deltas at once.
    """
    loaded = Specs(standard, load_standard(standard), load_terminology(terminology, folders=ct_folders))
    return loaded if study is None else apply_deltas(loaded, folder=study)


def _rows(version: str, name: str) -> list[dict[str, str]]:
    with (SPECS_FOLDER / version / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _variable(row: dict[str, str]) -> Variable:
    return Variable(
        name=row["variable"],
        label=row["label"],
        type=row["type"],
        role=row["role"],
        core=row["core"],
        codelists=_several(row["codelists"]),
        order=int(row["order"]),
        described=row["described"],
        fixed=row["value"],
    )


def _several(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()
