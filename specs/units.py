"""
Units of measurement as facts: what each unit measures, its factor, how laboratories spell it, and which molar masses.

The facts are four tables in ``specs/units/``, all numbers decimal text, so that nothing is lost on the way:

``units.csv``         unit (submission value of CDISC codelist UNIT, C71620), dimension, factor and offset to the base
                      of the dimension: base = value x factor + offset. Bases: g, mol, Eq, U (umol/min), IU, L, m, m2,
                      s, day (in rates), Pa, a ninth of a degree Celsius (so that C, F and K have finite factors).
``synonyms.csv``      spelling, unit; an empty unit means that the value has none (``NO UNITS``).
``molar_masses.csv``  test (LBTESTCD), formula, molar mass in g/mol, valence, molar mass of what a ratio is related
                      to, and the source in words.
``activities.csv``    tests for which U and IU are the same amount.

A dimension is ``numerator/denominator``, for example ``mass/volume``; what may be bridged between two dimensions is
decided in ``sdtm.units``.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

_FACTS = Path(__file__).resolve().parent / "units"
_SUPERSCRIPTS = re.compile("10([⁰¹²³⁴-⁹]+)")
_POWER_OF_TEN = re.compile(r"\A[xX×*·]?10(?:\^|\*{1,2}|[eE]\+?)0*(\d+)")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: its CDISC submission value, its dimension, and base = value x factor + offset (exact)."""

    name: str
    dimension: str
    factor: Fraction
    offset: Fraction


@dataclass(frozen=True, slots=True)
class Analyte:
    """
    What conversions of one test need; None where nothing is known or agreed.

    ``molar_mass`` in g/mol; ``valence`` in Eq/mol; ``per_molar_mass`` in g/mol, of what a ratio is related to.
    """

    test: str
    molar_mass: Fraction | None
    valence: Fraction | None
    per_molar_mass: Fraction | None
    source: str


@cache
def load_units() -> Mapping[str, Unit]:
    """Return every unit by its submission value."""
    return {
        row["unit"]: Unit(row["unit"], row["dimension"], Fraction(row["factor"]), Fraction(row["offset"]))
        for row in _read("units.csv")
    }


@cache
def load_analytes() -> Mapping[str, Analyte]:
    """Return the molar masses and valences by test code."""
    return {
        row["test"]: Analyte(
            row["test"],
            _fraction(row["molar_mass"]),
            _fraction(row["valence"]),
            _fraction(row["per_molar_mass"]),
            row["source"],
        )
        for row in _read("molar_masses.csv")
    }


@cache
def load_activity_tests() -> frozenset[str]:
    """Return the test codes for which U and IU are the same amount."""
    return frozenset(row["test"] for row in _read("activities.csv"))


def find_unit(text: str, *, synonyms: Mapping[str, str] | None = None) -> str | None:
    """
    Return the CDISC submission value of a unit as a laboratory spells it, "" for "no unit", None when unknown.

    *synonyms* are a study's own spellings and go first. Spaces, full-width characters, either mu and the ways to
    write a power of ten do not matter. Case does (``G/L`` is 10^9/L, ``g/L`` grams), except for a text that is wholly
    upper or wholly lower case, has more than one character and can be read in one way only (``MG/DL``).
    """
    stripped = text.strip()
    if not stripped:
        return ""
    if synonyms and stripped in synonyms:
        return synonyms[stripped].strip()
    key = unit_key(stripped)
    exact = _spellings().get(key)
    if exact is not None or len(key) == 1 or not (key.isupper() or key.islower()):
        return exact
    readings = _spellings_without_case().get(key.lower(), frozenset())
    return next(iter(readings)) if len(readings) == 1 else None


def unit_key(text: str) -> str:
    """Write a unit in one way: half-width, without spaces, u for mu, ``10^9`` for every way to write it."""
    plain = _SUPERSCRIPTS.sub(lambda match: "10^" + unicodedata.normalize("NFKC", match[1]), text)
    plain = unicodedata.normalize("NFKC", plain).replace("\u03bc", "u")
    plain = "".join(plain.split())
    return _POWER_OF_TEN.sub(r"10^\1", plain)


@cache
def _spellings() -> Mapping[str, str]:
    known = {unit_key(row["spelling"]): row["unit"] for row in _read("synonyms.csv")}
    return known | {unit_key(name): name for name in load_units()}


@cache
def _spellings_without_case() -> Mapping[str, frozenset[str]]:
    readings: dict[str, frozenset[str]] = {}
    for key, unit in _spellings().items():
        readings[key.lower()] = readings.get(key.lower(), frozenset()) | {unit}
    return readings


def _fraction(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def _read(name: str) -> Iterator[dict[str, str]]:
    with (_FACTS / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
