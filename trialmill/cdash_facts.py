"""The conventions of collected data as facts (``trialmill/cdash/*.csv``): CDASH names, EDC columns, form names."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "cdash"
PREFIX = "--"


@dataclass(frozen=True)
class NamedColumn:
    """
    A column's name taken apart.

    ``stem``: the CDASH name, in capitals, without what an EDC puts before and behind it. ``part``: what that says of
    the column (item, code, entered, interpreted, unit, piece), empty for a plain name.
    """

    stem: str
    part: str = ""


@cache
def read_facts(name: str) -> tuple[dict[str, str], ...]:
    """Read one of the tables of conventions, by the name of its file without the ending."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def name_column(column: str) -> NamedColumn:
    """Take a column's name apart by the affixes that EDCs are known for (``affixes.csv``)."""
    stem, part = column.strip(), ""
    for fact in read_facts("affixes"):
        affix = fact["affix"].upper()
        if fact["place"] == "prefix" and stem.upper().startswith(affix) and len(stem) > len(affix):
            stem, part = stem[len(affix) :], fact["part"]
        elif fact["place"] == "suffix" and stem.upper().endswith(affix) and len(stem) > len(affix):
            return NamedColumn(stem[: -len(affix)].upper(), fact["part"])
    return NamedColumn(stem.upper(), part)


@cache
def _system() -> dict[str, tuple[str, str]]:
    return {fact["column"]: (fact["role"], fact["reason"]) for fact in read_facts("system")}


def find_role(column: str) -> tuple[str, str]:
    """Return the role of a column that an EDC adds (subject, site, visit, record ...) and why it is not submitted."""
    return _system().get(column.strip().casefold(), ("", ""))


def find_form_domains(text: str) -> tuple[str, ...]:
    """Return the domains that the words of a form's or file's name speak of, the longest words first."""
    folded = " ".join(text.replace("_", " ").casefold().split())
    facts = sorted(read_facts("forms"), key=lambda fact: -len(fact["words"]))
    return tuple(dict.fromkeys(fact["domain"] for fact in facts if fact["words"] in folded))


def find_targets(stem: str, *, prefix: str) -> tuple[tuple[str, str, str], ...]:
    """
    Return what a collected name stands for in a domain: the SDTM variables, how they are filled, and the convention.

    *prefix* is the domain's, AE of AETERM. How: date, time, value, ongoing, performed, or prompt (no variable). A
    dictionary's column beside a term (``AETERM_PT``) stands for the coded variables.
    """
    coded = [fact for fact in read_facts("coding") if stem.endswith(fact["suffix"])]
    longest = max((len(fact["suffix"]) for fact in coded), default=0)
    found = [
        (_name(fact["target"], prefix), "value", f"coding of {stem.removesuffix(fact['suffix'])}")
        for fact in coded
        if len(fact["suffix"]) == longest
    ]
    for fact in read_facts("variables"):
        if stem == _name(fact["name"], prefix):
            found.append((_name(fact["target"], prefix), fact["use"], fact["note"]))
    return tuple(found)


def _name(pattern: str, prefix: str) -> str:
    return pattern.replace(PREFIX, prefix)


def find_test(stem: str, *, domain: str) -> tuple[str, str]:
    """Return the test that a column of measurements is named after, and the unit in its name (``tests.csv``)."""
    names = (stem, stem.removeprefix(domain))
    for fact in read_facts("tests"):
        if fact["domain"] == domain and fact["name"] in names:
            return fact["testcd"], fact["unit"]
    return "", ""


def find_labelled(label: str, *, prefix: str) -> str:
    """Return the variable that the words of a column's label speak of (``labels.csv``), empty for none."""
    folded = f" {label.casefold()} "
    return next((_name(fact["target"], prefix) for fact in read_facts("labels") if f" {fact['words']}" in folded), "")
