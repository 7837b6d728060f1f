"""The facts about units: complete, consistent, and as CDISC writes them."""

from __future__ import annotations

import csv
import lzma
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.units import find_unit, load_activity_tests, load_analytes, load_units, unit_key

Shared = Callable[[str], Path]

ATOMIC_WEIGHTS = {  # IUPAC abridged standard atomic weights
    "H": "1.008", "C": "12.011", "N": "14.007", "O": "15.999", "S": "32.06", "P": "30.974", "I": "126.90",
    "Na": "22.990", "K": "39.098", "Cl": "35.45", "Ca": "40.078", "Mg": "24.305", "Fe": "55.845", "Cu": "63.546",
    "Zn": "65.38", "Li": "6.94", "Pb": "207.2", "Co": "58.933",
}  # fmt: skip
PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "": 0, "k": 3, "M": 6, "G": 9}
SIMPLE = {
    "g": "1", "mol": "1", "L": "1", "eq": "1", "Eq": "1", "U": "1", "IU": "1", "kat": "60000000", "m": "1", "s": "1",
    "Pa": "1", "Bq": "1", "Ci": "37000000000", "Gy": "1", "V": "1", "cal": "1", "Osm": "1", "copies": "1",
    "m2": "1", "min": "60",
}  # fmt: skip
PER_DAY = {"day": "1", "h": "24", "min": "1440", "s": "86400"}
NOT_COMPOSED = {"DAYS", "HOURS", "WEEKS", "YEARS", "MONTHS", "LB", "grain", "oz", "tonne", "in", "ft", "yd", "in2"}


@pytest.mark.parametrize(
    ("spelling", "unit"),
    [
        ("10^9/L", "10^9/L"),
        ("K/uL", "10^9/L"),
        ("10^3/uL", "10^9/L"),
        ("x10^9/L", "10^9/L"),
        ("10*9/L", "10^9/L"),
        ("10E9/L", "10^9/L"),
        ("10⁹/L", "10^9/L"),
        ("×10⁹ / L", "10^9/L"),
        ("G/L", "10^9/L"),
        ("GI/L", "10^9/L"),
        ("THOU/uL", "10^9/L"),
        ("M/uL", "10^12/L"),
        ("g/L", "g/L"),
        ("g/l", "g/L"),
        ("g/dL", "g/dL"),
        ("G/DL", "g/dL"),
        ("MG/DL", "mg/dL"),
        ("mg%", "mg/dL"),
        ("µmol/L", "umol/L"),
        ("μmol/L", "umol/L"),
        ("ｍｇ／ｄＬ", "mg/dL"),
        ("㎎/㎗", "mg/dL"),
        ("ng/mL", "ug/L"),
        ("uIU/mL", "mIU/L"),
        ("sec", "s"),
        ("g/24h", "g/day"),
        ("IN", "in"),
        ("BEATS/MIN", "beats/min"),
        ("℃", "C"),
        ("％", "%"),
        ("", ""),
        (" ", ""),
        ("NO UNITS", ""),
    ],
)
def test_spellings_of_laboratories(spelling: str, unit: str) -> None:
    """Laboratories' spellings lead to the unit as CDISC writes it."""
    assert find_unit(spelling) == unit


@pytest.mark.parametrize("spelling", ["furlong", "MM", "M", "Mg/dL", "mg/dL?", "x", "10^/L"])
def test_what_is_not_known_or_has_two_readings(spelling: str) -> None:
    """Nothing is guessed: MM may be mm or mM, a capital M in mixed case may mean mega."""
    assert find_unit(spelling) is None


def test_case_has_a_meaning() -> None:
    """Grams per litre are not giga per litre; U/L is not IU/L."""
    assert find_unit("G/L") != find_unit("g/L")
    assert find_unit("U/L") != find_unit("IU/L")


def test_a_study_may_add_spellings() -> None:
    """A study's own spellings go first."""
    assert find_unit("千/uL") is None
    assert find_unit("千/uL", synonyms={"千/uL": "10^9/L"}) == "10^9/L"


def test_no_two_readings_of_one_spelling() -> None:
    """Spellings that differ only in what does not matter lead to one unit, and every one leads to a unit."""
    path = Path(__file__).parents[2] / "specs" / "units" / "synonyms.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = load_units()
    readings: dict[str, set[str]] = {unit_key(name): {name} for name in known}
    for row in rows:
        assert row["unit"] in known or row["unit"] == "", row
        readings.setdefault(unit_key(row["spelling"]), set()).add(row["unit"])
    assert {key: units for key, units in readings.items() if len(units) > 1} == {}


def test_every_unit_finds_itself() -> None:
    """A submission value is its own spelling."""
    assert {name: find_unit(name) for name in load_units()} == {name: name for name in load_units()}


def test_units_are_submission_values(shared: Shared) -> None:
    """Every unit is a term of codelist UNIT, every test of codelist LBTESTCD."""
    terms = _terms(shared, "C71620")
    assert [name for name in load_units() if name not in terms] == []
    tests = _terms(shared, "C65047")
    assert [test for test in [*load_analytes(), *load_activity_tests()] if test not in tests] == []


def test_synonyms_of_the_standard_are_understood(shared: Shared) -> None:
    """Where CDISC names a short synonym of a unit we know, we read it the same way, or not at all."""
    deliberately_other = {"G/L", "M/L", "T/L"}
    wrong = {}
    with lzma.open(shared("standards/ct/SDTM_Terminology_2025-03-28.txt.xz"), "rt", encoding="utf-8") as file:
        for row in csv.reader(file, delimiter="\t"):
            if row[1] == "C71620" and row[4] in load_units():
                for synonym in (part.strip() for part in row[5].split(";")):
                    found = find_unit(synonym)
                    if synonym and found not in (None, row[4]) and synonym not in deliberately_other:
                        wrong[synonym] = (row[4], found)
    # "mL/L" and the like are terms of their own nowhere; a synonym that is itself a term stays that term
    assert {synonym: pair for synonym, pair in wrong.items() if synonym not in load_units()} == {}


@pytest.mark.parametrize("name", sorted(load_units()))
def test_factors_follow_from_the_names(name: str) -> None:
    """The factor in the table is the one that prefixes and powers of ten say, computed independently here."""
    unit = load_units()[name]
    expected = _factor_of(name)
    if expected is None:
        assert unit.factor > 0
    else:
        assert unit.factor == expected


def test_definitions_that_are_not_composed() -> None:
    """Units by definition: the pound, the inch, the conventional millimetre of mercury, degrees."""
    units = load_units()
    assert units["LB"].factor == Fraction("453.59237")
    assert units["in"].factor == Fraction("0.0254")
    assert units["in2"].factor == Fraction("0.0254") ** 2
    assert units["mmHg"].factor == Fraction("133.322387415")
    assert [(units[name].factor, units[name].offset) for name in ("C", "F", "K")] == [
        (9, 0),
        (5, -160),
        (9, Fraction("-2458.35")),
    ]


def test_molar_masses_are_the_sums_of_their_atoms() -> None:
    """Every molar mass with a formula is the sum of the standard atomic weights."""
    path = Path(__file__).parents[2] / "specs" / "units" / "molar_masses.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    differing = {
        row["test"]: row["molar_mass"]
        for row in rows
        if row["formula"] and Fraction(row["molar_mass"]) != _mass_of(row["formula"])
    }
    assert differing == {}
    assert all(row["source"] for row in rows)
    assert len({row["test"] for row in rows}) == len(rows)


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_has_an_answer(spelling: str) -> None:
    """Any text is a known unit, no unit, or not known; nothing fails."""
    found = find_unit(spelling)
    assert found is None or found == "" or found in load_units()


def _terms(shared: Shared, codelist: str) -> set[str]:
    with lzma.open(shared("standards/ct/SDTM_Terminology_2025-03-28.txt.xz"), "rt", encoding="utf-8") as file:
        return {row[4] for row in csv.reader(file, delimiter="\t") if row[1] == codelist}


def _mass_of(formula: str) -> Fraction:
    atoms = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    return sum((Fraction(ATOMIC_WEIGHTS[atom]) * int(count or 1) for atom, count in atoms), Fraction(0))


def _factor_of(name: str) -> Fraction | None:
    """Compute the factor of a unit that is composed of prefixes, simple units and rates; None for the others."""
    if name in NOT_COMPOSED or name.startswith(("%", "/")):
        return None
    above, *below = name.removesuffix(" FEU").removesuffix(" DDU").removesuffix(" Hb").split("/")
    factor = _simple(above)
    for position, part in enumerate(below):
        divisor = _simple(part)
        if part in PER_DAY and (position == len(below) - 1 or below[-1] in ("m2", "1.73 m2")):
            divisor = 1 / Fraction(PER_DAY[part])
        if part == "1.73 m2":
            divisor = Fraction(1)
        if factor is None or divisor is None:
            return None
        factor /= divisor
    return factor


def _simple(text: str) -> Fraction | None:
    power, _, rest = text.partition(" ")
    if match := re.fullmatch(r"10\^(\d+)", power):
        scale = Fraction(10) ** int(match[1])
        return scale * (_simple(rest) or 0) if rest else scale
    area = text.endswith("2")
    for prefix, exponent in PREFIXES.items():
        base = text.removeprefix(prefix)
        if text.startswith(prefix) and base in SIMPLE:
            return Fraction(SIMPLE[base]) * Fraction(10) ** (exponent * (2 if area else 1))
    return None
