"""
Convert collected results and reference limits to standard units, by test, and place results in their range.

The factor of a (test, unit) pair follows from what the units measure (``specs.units``): within one dimension from the
units alone; between mass, amount of substance and equivalents by the test's molar mass and valence; between U and IU
where the test counts them alike. A result and its limits take one and the same ``Conversions``, so that a limit is
never scaled by another factor than the result.

Nothing is guessed. A unit that is blank where one is expected, that is not known, or from which no factor leads to
the standard unit leaves the value as collected, with the unit it came with, without a number, and with a reason.

Numbers. ``12``, ``0.90``, ``-1.5``, ``.5`` and the same after ``<``, ``<=``, ``>``, ``>=`` (also written as one sign)
are numbers. A thousands separator, a decimal comma, an exponent, full-width digits or a flag after the number
(``5.2 H``) are refused: each can be read in two ways. Every other text (``POSITIVE``, ``1+``, ``5-10``) is a text
result, carried as it is and without a unit.

Rounding. A conversion by the factor 1 keeps the text as collected. Otherwise the result has one significant digit
more than was collected, and at least three: collected values that differ then still differ, and 0.9 mg/dL of
creatinine is 79.6 umol/L. Where the conversion has an offset (temperature) it has one decimal more than collected.
A study may state the decimals of a test instead. Halves are rounded away from zero; trailing zeros are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from specs.units import Unit, find_unit, load_activity_tests, load_analytes, load_units

_RESULT = re.compile(r"(?P<operator><=|>=|[<>≤≥])?\s*(?P<number>-?(?:[0-9]{1,30}(?:\.[0-9]{1,30})?|\.[0-9]{1,30}))")
_MALFORMED = re.compile(
    r"[<>≤≥＜＞].*"  # an operator without a plain number after it
    r"|[-−]?[\d.,\s]*\d[\d.,\s]*(?:[eE][-+]?\d+)?"  # separators, exponents, digits of other scripts
    r"|[-−]?[0-9.]*[0-9]\s*(?:H|L|HH|LL|\*|↑|↓)"  # the laboratory's flag in the result
)
_OPERATORS = {"≤": "<=", "≥": ">="}
_UNITLESS = ("", "RATIO")
_MAX_DIGITS = 15  # what a float holds exactly

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Factor:
    """A conversion: converted = collected x factor + offset (exact fractions)."""

    factor: Fraction
    offset: Fraction = Fraction(0)


IDENTITY = Factor(Fraction(1))
Declared = Mapping[tuple[str, str, str], Factor]


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    What happens to one distinct (test, unit): a factor to *unit*, or a reason why there is none.

    ``collected`` is the unit as collected; ``decimals`` those of the converted value, where the study states them.
    """

    factor: Factor | None
    unit: str
    collected: str
    reason: str = ""
    decimals: int | None = None


@dataclass(frozen=True)
class Conversions:
    """The conversion of every row: ``distinct`` ones and each row's code into them, on the rows' ``index``."""

    distinct: tuple[Conversion, ...]
    codes: npt.NDArray[np.int64]
    index: pd.Index[Any]

    def factor(self) -> pd.Series:
        """Return each row's factor (float64, NaN where there is no conversion)."""
        return self._floats([np.nan if one.factor is None else float(one.factor.factor) for one in self.distinct])

    def offset(self) -> pd.Series:
        """Return each row's offset (float64, NaN where there is no conversion)."""
        return self._floats([np.nan if one.factor is None else float(one.factor.offset) for one in self.distinct])

    def reason(self) -> pd.Series:
        """Return each row's reason for having no conversion (str, empty where there is one)."""
        return _take([one.reason for one in self.distinct], self.codes, self.index)

    def _floats(self, distinct: list[float]) -> pd.Series:
        return pd.Series(np.array(distinct, dtype="float64")[self.codes], index=self.index, dtype="float64")


@dataclass(frozen=True)
class Standardised:
    """
    Values in standard units, on the rows of the input.

    ``text`` (--STRESC): number converted and rounded, operator kept, text results as they are.
    ``number`` (--STRESN): the same as float64, NaN for text results, values with an operator and refused values.
    ``unit`` (--STRESU): the standard unit; as collected where refused; empty for text results and missing values.
    ``refused``, ``reason``: what was not converted, and why. ``operator``, ``exact``: the operator and the converted
    number before rounding, for comparisons (``compute_range_indicator``).
    """

    text: pd.Series
    number: pd.Series
    unit: pd.Series
    refused: pd.Series
    reason: pd.Series
    operator: pd.Series
    exact: pd.Series


def find_factor(
    *, test: str, unit: str, to: str, declared: Declared | None = None, synonyms: Mapping[str, str] | None = None
) -> Factor | None:
    """
    Return the conversion of *test* from *unit* to *to*, None where there is none.

    *unit* and *to* in any known spelling. *declared* are factors that the study states, by (test, unit, to), and go
    first; *synonyms* are the study's own spellings of units.
    """
    return _decide(test, unit, to, declared or {}, synonyms or {}).factor


def check_standard_units(standard: Mapping[str, str]) -> dict[str, str]:
    """Return a reason for every test whose standard unit is unknown or is not the CDISC submission value."""
    reasons = {}
    for test, text in standard.items():
        unit = find_unit(text)
        if unit is None:
            reasons[test] = f"{text!r} is not a known unit"
        elif unit != text:
            reasons[test] = f"CDISC writes {text!r} as {unit!r}"
    return reasons


def compute_conversions(
    test: pd.Series,
    *,
    unit: pd.Series,
    standard: Mapping[str, str],
    decimals: Mapping[str, int] | None = None,
    declared: Declared | None = None,
    synonyms: Mapping[str, str] | None = None,
) -> Conversions:
    """
    Decide the conversion of every row from its *test* (code) and *unit* (as collected).

    *standard* gives the standard unit by test ("" for a test without a unit); *decimals* the decimals of converted
    results by test. The outcome is applied to the results and to both limits alike (``compute_converted``).
    """
    test_codes, tests = pd.factorize(test.astype("str").fillna(""))
    unit_codes, units = pd.factorize(unit.astype("str").fillna(""))
    codes, pairs = pd.factorize(test_codes * np.int64(len(units)) + unit_codes)
    distinct = []
    for pair in pairs.tolist():
        code, text = str(tests[pair // len(units)]), str(units[pair % len(units)])
        if code in standard:
            conversion = _decide(code, text, standard[code], declared or {}, synonyms or {})
        else:
            conversion = Conversion(None, "", text.strip(), f"no standard unit is declared for {code}")
        distinct.append(replace(conversion, decimals=(decimals or {}).get(code)))
    return Conversions(tuple(distinct), codes.astype("int64"), test.index)


def compute_converted(values: pd.Series, *, conversions: Conversions) -> Standardised:
    """Convert *values* (text: results or limits), row by row as *conversions* say; see ``Standardised``."""
    value_codes, texts = pd.factorize(values.astype("str").fillna("").str.strip())
    keys = conversions.codes * np.int64(max(len(texts), 1)) + value_codes
    codes, triples = pd.factorize(keys)
    rows = [
        _convert_value(str(texts[triple % len(texts)]), conversions.distinct[triple // len(texts)])
        for triple in triples.tolist()
    ]
    text, number, unit, reason, operator, exact = zip(*rows, strict=True) if rows else ((),) * 6
    return Standardised(
        text=_take(text, codes, values.index),
        number=pd.Series(np.array(number, dtype="float64")[codes], index=values.index, dtype="float64"),
        unit=_take(unit, codes, values.index),
        refused=pd.Series(np.array([bool(one) for one in reason], dtype="bool")[codes], index=values.index),
        reason=_take(reason, codes, values.index),
        operator=_take(operator, codes, values.index),
        exact=pd.Series(np.array(exact, dtype="float64")[codes], index=values.index, dtype="float64"),
    )


def compute_standard(
    values: pd.Series,
    *,
    test: pd.Series,
    unit: pd.Series,
    standard: Mapping[str, str],
    decimals: Mapping[str, int] | None = None,
    declared: Declared | None = None,
    synonyms: Mapping[str, str] | None = None,
) -> Standardised:
    """Convert *values* of *test* in *unit* to the *standard* units: the two steps above in one, for results alone."""
    conversions = compute_conversions(
        test, unit=unit, standard=standard, decimals=decimals, declared=declared, synonyms=synonyms
    )
    return compute_converted(values, conversions=conversions)


def parse_results(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Split text results into operator (str, "" without one) and number (float64, NaN for what is no number)."""
    codes, texts = pd.factorize(values.astype("str").fillna("").str.strip())
    matches = [_RESULT.fullmatch(str(text)) for text in texts]
    operators = [_operator(match) if match else "" for match in matches]
    numbers = np.array([float(match["number"]) if match else np.nan for match in matches], dtype="float64")
    return _take(operators, codes, values.index), pd.Series(numbers[codes], index=values.index, dtype="float64")


def compute_range_indicator(
    result: pd.Series,
    *,
    low: pd.Series,
    high: pd.Series,
    operator: pd.Series | None = None,
    one_sided: pd.Series | None = None,
) -> pd.Series:
    """
    Say LOW, NORMAL, HIGH (codelist NRIND) or "" where it cannot be decided.

    All three in one unit, as text or as numbers; unrounded (collected, or ``Standardised.exact`` with its
    ``operator``), because rounding may move a result across a limit. The limits belong to the range. With one limit
    missing a result can be LOW or HIGH but not NORMAL, unless *one_sided* (bool) says that the range has only one
    limit. A result with an operator is placed where all numbers it stands for lie: ``<0.2`` is LOW under 0.3 and
    undecided under 0.1; a low limit of 0 says that nothing lies below it. Limits in the wrong order decide nothing.
    """
    if operator is None:
        operator, number = _operators_and_numbers(result)
    else:
        number = _operators_and_numbers(result)[1]
    value = number.to_numpy(dtype="float64")
    low_limit, high_limit = _limits(low, high, one_sided)
    sign = operator.to_numpy(dtype=object)
    is_upper, is_lower = np.isin(sign, ["<", "<="]), np.isin(sign, [">", ">="])
    least = np.where(is_upper, -np.inf, value)
    most = np.where(is_lower, np.inf, value)
    is_low = _less(most, low_limit) | ((sign == "<") & np.isclose(most, low_limit, rtol=1e-9, atol=0))
    is_high = _less(high_limit, least) | ((sign == ">") & np.isclose(least, high_limit, rtol=1e-9, atol=0))
    reaches_low = (~_less(least, low_limit) | (is_upper & (low_limit == 0))) & ~np.isnan(low_limit)
    reaches_high = ~_less(high_limit, most) & ~np.isnan(high_limit)
    usable = ~np.isnan(value) & ~_less(high_limit, low_limit)
    kinds = [usable & is_low, usable & is_high, usable & reaches_low & reaches_high]
    return pd.Series(np.select(kinds, ["LOW", "HIGH", "NORMAL"], ""), index=result.index, dtype="str")


def _operators_and_numbers(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series("", index=values.index, dtype="str"), values.astype("float64")
    return parse_results(values)


def _limits(low: pd.Series, high: pd.Series, one_sided: pd.Series | None) -> tuple[Floats, Floats]:
    limits = []
    for series in (low, high):
        operators, numbers = _operators_and_numbers(series)
        limits.append(numbers.where(operators == "").to_numpy(dtype="float64", copy=True))
    if one_sided is not None:
        missing = [np.isnan(limit) for limit in limits]
        open_ended = one_sided.fillna(False).to_numpy(dtype="bool") & ~(missing[0] & missing[1])
        limits[0][open_ended & missing[0]] = -np.inf
        limits[1][open_ended & missing[1]] = np.inf
    return limits[0], limits[1]


def _less(a: Floats, b: Floats) -> npt.NDArray[np.bool_]:
    """Say where *a* is less than *b* by more than the noise of a float; never where one is missing."""
    return (a < b) & ~np.isclose(a, b, rtol=1e-9, atol=0)


def _decide(test: str, text: str, to: str, declared: Declared, synonyms: Mapping[str, str]) -> Conversion:
    collected = text.strip()
    unit, target = find_unit(collected, synonyms=synonyms), find_unit(to, synonyms=synonyms)
    stated = declared.get((test, collected, to))
    if stated is None and unit:
        stated = declared.get((test, unit, to))
    if stated is not None:
        return Conversion(stated, to, collected)
    if collected == to or (unit in _UNITLESS and target in _UNITLESS):
        return Conversion(IDENTITY, to, collected)
    factor = _factor_between(test, unit, target) if unit and target else None
    if factor is not None:
        return Conversion(factor, to, collected)
    return Conversion(None, "", collected, _say_why(test, collected, unit, to, target))


def _say_why(test: str, collected: str, unit: str | None, to: str, target: str | None) -> str:
    if unit is None:
        return f"the unit {collected!r} is not known"
    if target is None:
        return f"the standard unit {to!r} is not known"
    if unit == "":
        return f"no unit is given, {to} is expected"
    if target == "":
        return f"the unit {collected!r} is given, none is expected"
    return f"no factor leads from {collected} to {to} for {test}"


def _factor_between(test: str, name: str, to: str) -> Factor | None:
    units = load_units()
    if name not in units or to not in units:
        return None
    unit, target = units[name], units[to]
    bridge = _bridge(test, unit, target)
    if bridge is None:
        return None
    return Factor(unit.factor * bridge / target.factor, (unit.offset * bridge - target.offset) / target.factor)


def _bridge(test: str, unit: Unit, target: Unit) -> Fraction | None:
    """Return how much of the target's dimension one of the unit's dimension is, for this test."""
    amount, _, per = unit.dimension.partition("/")
    target_amount, _, target_per = target.dimension.partition("/")
    analyte = load_analytes().get(test)
    mass, valence = (analyte.molar_mass, analyte.valence) if analyte else (None, None)
    alike: list[dict[str, Fraction | None]] = [
        {"substance": Fraction(1), "mass": mass and 1 / mass, "equivalent": valence and 1 / valence},
        {"count": Fraction(1), "beats": Fraction(1)},
        {"count": Fraction(1), "breaths": Fraction(1)},
    ]
    if test in load_activity_tests():
        alike.append({"activity": Fraction(1), "iu": Fraction(1)})
    related = analyte.per_molar_mass if analyte else None
    above = _ratio(alike, amount, target_amount)
    below = _ratio([{"substance": Fraction(1), "mass": related and 1 / related}], per, target_per)
    return above / below if above and below else None


def _ratio(alike: list[dict[str, Fraction | None]], kind: str, to: str) -> Fraction | None:
    if kind == to:
        return Fraction(1)
    for amounts in alike:
        one, other = amounts.get(kind), amounts.get(to)
        if one and other:
            return one / other
    return None


def _convert_value(text: str, conversion: Conversion) -> tuple[str, float, str, str, str, float]:
    """Return text, number, unit, reason, operator and unrounded number of one distinct value."""
    if not text:
        return "", np.nan, "", "", "", np.nan
    match = _RESULT.fullmatch(text)
    reason = conversion.reason
    if match is None:
        if not _MALFORMED.fullmatch(text):
            return text, np.nan, "", "", "", np.nan
        reason = "not a plain number"
    if match is None or conversion.factor is None:
        return text, np.nan, conversion.collected, reason, "", np.nan
    operator, number = _operator(match), match["number"]
    exact = Fraction(number) * conversion.factor.factor + conversion.factor.offset
    shown = number if conversion.factor == IDENTITY else _round(exact, number, conversion)
    return operator + shown, np.nan if operator else float(shown), conversion.unit, "", operator, float(exact)


def _operator(match: re.Match[str]) -> str:
    operator = match["operator"] or ""
    return _OPERATORS.get(operator, operator)


def _round(exact: Fraction, collected: str, conversion: Conversion) -> str:
    """Write *exact* with the precision that the number as *collected* warrants (module docstring), halves up."""
    places = conversion.decimals
    if places is None:
        places = _places(exact, collected, has_offset=bool(conversion.factor and conversion.factor.offset))
    scaled = abs(exact) * Fraction(10) ** places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    rounded = Decimal(whole).scaleb(-places)
    if exact < 0 and whole:
        rounded = -rounded
    return format(rounded.normalize(), "f")


def _places(exact: Fraction, collected: str, *, has_offset: bool) -> int:
    whole, _, decimals = collected.lstrip("-").partition(".")
    if has_offset:
        return len(decimals) + 1
    digits = min(len((whole + decimals).lstrip("0")), _MAX_DIGITS)
    magnitude = (Decimal(exact.numerator) / Decimal(exact.denominator)).adjusted() if exact else 0
    return max(digits + 1, 3) - 1 - magnitude


def _take(distinct: Any, codes: npt.NDArray[Any], index: pd.Index[Any]) -> pd.Series:
    values: pd.Series = pd.Series(list(distinct), dtype="str").take(codes)
    values.index = index
    return values
