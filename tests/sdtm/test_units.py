"""Results and limits in standard units, and where a result lies in its range."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtm.units import (
    Factor,
    Standardised,
    check_standard_units,
    compute_conversions,
    compute_converted,
    compute_range_indicator,
    compute_standard,
    find_factor,
    parse_results,
)

Shared = Callable[[str], Path]

STANDARD = {
    "CREAT": "umol/L", "HGB": "g/L", "ALB": "g/L", "BILI": "umol/L", "GLUC": "mmol/L", "WBC": "10^9/L", "K": "mmol/L",
    "MG": "mmol/L", "HCT": "L/L", "INR": "", "PH": "", "TSH": "mIU/L", "ALT": "U/L", "TEMP": "C", "WEIGHT": "kg",
    "HEIGHT": "cm", "PROT": "g/L", "T4FR": "pmol/L", "UREAN": "mmol/L", "PT": "s", "COLOR": "", "APTT": "s",
}  # fmt: skip


def text(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def standardise(test: str, unit: str, *values: str, **options: Any) -> Standardised:
    rows = len(values)
    return compute_standard(
        text(*values), test=text(*[test] * rows), unit=text(*[unit] * rows), standard=STANDARD, **options
    )


@pytest.mark.parametrize(
    ("test", "collected", "unit", "standard", "standard_unit"),
    [
        ("CREAT", "0.9", "mg/dL", "79.6", "umol/L"),
        ("HGB", "13.5", "g/dL", "135", "g/L"),
        ("ALB", "4.0", "g/dL", "40", "g/L"),
        ("BILI", "0.2", "mg/dL", "3.42", "umol/L"),
        ("GLUC", "185", "mg/dL", "10.27", "mmol/L"),
        ("GLUC", "186", "mg/dL", "10.32", "mmol/L"),
        ("WBC", "5.41", "K/uL", "5.41", "10^9/L"),
        ("WBC", "5410", "/uL", "5.41", "10^9/L"),
        ("HCT", "41.2", "%", "0.412", "L/L"),
        ("TSH", "2.5", "uIU/mL", "2.5", "mIU/L"),
        ("TSH", "2.5", "mU/L", "2.5", "mIU/L"),
        ("ALT", "31", "IU/L", "31", "U/L"),
        ("ALT", "0.5", "ukat/L", "30", "U/L"),
        ("K", "4.1", "mEq/L", "4.1", "mmol/L"),
        ("MG", "1.6", "mEq/L", "0.8", "mmol/L"),
        ("MG", "2.0", "mg/dL", "0.823", "mmol/L"),
        ("UREAN", "14", "mg/dL", "5", "mmol/L"),
        ("T4FR", "1.2", "ng/dL", "15.4", "pmol/L"),
        ("PT", "11.2", "sec", "11.2", "s"),
        ("TEMP", "98.6", "F", "37", "C"),
        ("TEMP", "97.1", "F", "36.17", "C"),
        ("TEMP", "310.15", "K", "37", "C"),
        ("WEIGHT", "150", "LB", "68.04", "kg"),
        ("CREAT", "0", "mg/dL", "0", "umol/L"),
    ],
)
def test_conversions(test: str, collected: str, unit: str, standard: str, standard_unit: str) -> None:
    """Known results in conventional units and what they are in standard units."""
    found = standardise(test, unit, collected)
    assert (found.text[0], found.number[0], found.unit[0]) == (standard, float(standard), standard_unit)
    assert not found.refused[0]


def test_factor_one_keeps_the_text_as_collected() -> None:
    """Without a change of scale the collected text stays, zeros included; the number is its value."""
    found = standardise("ALB", "g/L", "41.0", " 5.20 ", "041")
    assert found.text.tolist() == ["41.0", "5.20", "041"]
    assert found.number.tolist() == [41.0, 5.2, 41.0]


def test_values_with_an_operator() -> None:
    """The number of ``<0.2`` is converted and its operator kept; it is no number for the analysis."""
    found = standardise("BILI", "mg/dL", "<0.2", "> 10", "<=0.2", "≥10")
    assert found.text.tolist() == ["<3.42", ">171", "<=3.42", ">=171"]
    assert found.number.isna().all()
    assert found.unit.tolist() == ["umol/L"] * 4
    assert standardise("K", "mmol/L", "< 2.0").text.tolist() == ["<2.0"]


@pytest.mark.parametrize("value", ["POSITIVE", "QNS", "----", "阴性", "±", "1+", "+", "5-10", "1:40", "NEGATIVE 5"])
def test_text_results_are_carried(value: str) -> None:
    """A result in words is carried as it is, without a unit and without a complaint about one."""
    for unit in ("mg/dL", "", "furlong"):
        found = standardise("CREAT", unit, value)
        assert (found.text[0], found.unit[0], found.refused[0]) == (value, "", False)
        assert np.isnan(found.number[0])


@pytest.mark.parametrize(
    "value",
    ["1,000", "5,2", "1e3", "1.2E+03", "１２", "5.", "1.2.3", "1 000", "<", "<1,0", "5.2 H", "5.2*", "＜4.0", "−1"],
)
def test_numbers_with_two_readings_are_refused(value: str) -> None:
    """A number that can be read in two ways is not read; it stays as collected and is reported."""
    found = standardise("K", "mmol/L", value)
    assert (found.text[0], found.unit[0], found.reason[0]) == (value, "mmol/L", "not a plain number")
    assert np.isnan(found.number[0])


def test_an_endless_number_is_refused() -> None:
    """A number that no instrument gives is refused rather than computed with."""
    assert standardise("K", "mEq/L", "1" * 400).refused[0]


@pytest.mark.parametrize(
    ("test", "unit", "reason"),
    [
        ("GLUC", "", "no unit is given, mmol/L is expected"),
        ("GLUC", "NO UNITS", "no unit is given, mmol/L is expected"),
        ("GLUC", "furlong", "the unit 'furlong' is not known"),
        ("GLUC", "10^9/L", "no factor leads from 10^9/L to mmol/L for GLUC"),
        ("ALB", "umol/L", "no factor leads from umol/L to g/L for ALB"),
        ("ALB", "G/L", "no factor leads from G/L to g/L for ALB"),
        ("WBC", "%", "no factor leads from % to 10^9/L for WBC"),
        ("GLUC", "IU/L", "no factor leads from IU/L to mmol/L for GLUC"),
        ("INR", "mg/dL", "the unit 'mg/dL' is given, none is expected"),
        ("XYZ", "mg/dL", "no standard unit is declared for XYZ"),
    ],
)
def test_what_cannot_be_converted(test: str, unit: str, reason: str) -> None:
    """A blank or unknown unit neither voids the result nor gets the standard label; there is no number."""
    found = standardise(test, unit, "95")
    assert (found.text[0], found.unit[0], found.reason[0]) == ("95", unit, reason)
    assert found.refused[0]
    assert np.isnan(found.number[0])


@pytest.mark.parametrize(("test", "unit"), [("INR", ""), ("INR", "NO UNITS"), ("INR", "ratio"), ("PH", "pH")])
def test_tests_without_a_unit(test: str, unit: str) -> None:
    """A test without a unit needs none: its result is taken over."""
    found = standardise(test, unit, "1.05")
    assert (found.text[0], found.number[0], found.unit[0], found.refused[0]) == ("1.05", 1.05, "", False)


def test_a_ratio_is_unitless_on_either_side() -> None:
    """A standard unit RATIO takes a result without a unit."""
    found = compute_standard(text("0.4"), test=text("X"), unit=text(""), standard={"X": "RATIO"})
    assert (found.number[0], found.unit[0]) == (0.4, "RATIO")


def test_missing_results() -> None:
    """A missing result has no text, no number, no unit and no complaint, whatever its unit."""
    found = compute_standard(
        text("", None, " "), test=text("GLUC", "GLUC", "XYZ"), unit=text("", "mg/dL", ""), standard=STANDARD
    )
    assert found.text.tolist() == found.unit.tolist() == found.reason.tolist() == ["", "", ""]
    assert found.number.isna().all()
    assert not found.refused.any()


def test_decimals_of_the_study() -> None:
    """A study may state the decimals of converted results; halves are rounded up."""
    decimals = {"WEIGHT": 2, "HEIGHT": 0, "CREAT": 0}
    assert standardise("WEIGHT", "LB", "119.0", decimals=decimals).text[0] == "53.98"
    assert standardise("HEIGHT", "in", "70", decimals=decimals).text[0] == "178"
    assert standardise("CREAT", "mg/dL", "0.9", decimals=decimals).text[0] == "80"
    assert standardise("HEIGHT", "mm", "1755", decimals=decimals).text[0] == "176"
    assert standardise("HEIGHT", "cm", "175.5", decimals=decimals).text[0] == "175.5"


def test_factors_of_the_study() -> None:
    """A factor that the study states goes before ours, also for a unit that we do not know or that is blank."""
    declared = {
        ("CREAT", "mg/dL", "umol/L"): Factor(Fraction("88.4")),
        ("CREAT", "lab unit", "umol/L"): Factor(Fraction(2)),
        ("GLUC", "", "mmol/L"): Factor(Fraction(1)),
    }
    assert standardise("CREAT", "MG/DL", "10.00", declared=declared).text[0] == "884"
    assert standardise("CREAT", "lab unit", "10", declared=declared).text[0] == "20"
    assert standardise("CREAT", "other unit", "10", declared=declared).refused[0]
    assert standardise("GLUC", "", "5.1", declared=declared).unit[0] == "mmol/L"


def test_spellings_of_the_study() -> None:
    """A study may name its laboratories' spellings."""
    assert standardise("WBC", "千/uL", "5.4", synonyms={"千/uL": "10^9/L"}).text[0] == "5.4"


def test_result_and_limits_take_one_factor() -> None:
    """A glucose of 100 mg/dL in 70 to 110 is normal before and after: the limits take the result's factor."""
    test, unit = text("GLUC", "CREAT"), text("mg/dL", "umol/L")
    conversions = compute_conversions(test, unit=unit, standard=STANDARD)
    result, low, high = (
        compute_converted(values, conversions=conversions)
        for values in (text("100", "80"), text("70", "62"), text("110", "106"))
    )
    assert result.text.tolist() == ["5.551", "80"]
    assert low.text.tolist() == ["3.89", "62"]
    assert high.text.tolist() == ["6.106", "106"]
    assert conversions.factor().tolist() == pytest.approx([0.0555075, 1.0], rel=1e-5)
    assert conversions.offset().tolist() == [0.0, 0.0]
    assert conversions.reason().tolist() == ["", ""]
    assert compute_range_indicator(result.number, low=low.number, high=high.number).tolist() == ["NORMAL", "NORMAL"]


def test_index_and_types() -> None:
    """The result lies on the rows of the input, text as str, numbers as float64."""
    index = [5, 3, 9]
    found = compute_standard(
        pd.Series(["1", "x", "2"], index=index, dtype="str"),
        test=pd.Series(["K", "K", "XYZ"], index=index, dtype="str"),
        unit=pd.Series(["mmol/L"] * 3, index=index, dtype="str"),
        standard=STANDARD,
    )
    assert found.text.to_dict() == {5: "1", 3: "x", 9: "2"}
    assert found.refused.to_dict() == {5: False, 3: False, 9: True}
    assert [str(column.dtype) for column in (found.text, found.number, found.refused)] == ["str", "float64", "bool"]
    nothing = compute_standard(text(), test=text(), unit=text(), standard=STANDARD)
    assert nothing.text.empty
    assert nothing.number.dtype == "float64"


def test_ratios_to_creatinine() -> None:
    """An albumin to creatinine ratio changes by the creatinine below the line: 30 mg/g are 3.39 mg/mmol."""
    factor = find_factor(test="ALBCREAT", unit="mg/g", to="mg/mmol")
    assert factor is not None
    assert float(30 * factor.factor) == pytest.approx(3.39, abs=0.005)
    assert find_factor(test="ALB", unit="mg/g", to="mg/mmol") is None


@pytest.mark.parametrize(
    ("test", "unit", "to", "factor"),
    [
        ("CHOL", "mg/dL", "mmol/L", 0.02586),
        ("TRIG", "mg/dL", "mmol/L", 0.01129),
        ("PHOS", "mg/dL", "mmol/L", 0.3229),
        ("URATE", "mg/dL", "umol/L", 59.48),
        ("IRON", "ug/dL", "umol/L", 0.1791),
        ("CORTISOL", "ug/dL", "nmol/L", 27.59),
        ("TESTOS", "ng/dL", "nmol/L", 0.03467),
        ("T3FR", "pg/mL", "pmol/L", 1.536),
        ("CA", "mEq/L", "mg/dL", 2.0039),
        ("HGB", "g/dL", "mmol/L", 0.6206),
        ("GLUC", "g/day", "mmol/day", 5.551),
        ("HR", "/min", "beats/min", 1),
        ("CREATCLR", "mL/s", "mL/min", 60),
        ("SYSBP", "kPa", "mmHg", 7.5006),
    ],
)
def test_published_factors(test: str, unit: str, to: str, factor: float) -> None:
    """Factors as the usual conversion tables print them."""
    found = find_factor(test=test, unit=unit, to=to)
    assert found is not None
    assert float(found.factor) == pytest.approx(factor, rel=6e-4)


@pytest.mark.parametrize(
    ("test", "unit", "to"),
    [
        ("HR", "beats/min", "breaths/min"),
        ("XYZ", "mg/dL", "mmol/L"),
        ("PROT", "mg/dL", "mmol/L"),
        ("VITD", "IU/L", "U/L"),
        ("DDIMER", "ug/L FEU", "ug/L"),
        ("AGE", "YEARS", "DAYS"),
        ("K", "furlong", "mmol/L"),
        ("K", "", "mmol/L"),
    ],
)
def test_no_factor(test: str, unit: str, to: str) -> None:
    """Where no fact connects two units there is no factor."""
    assert find_factor(test=test, unit=unit, to=to) is None


def test_standard_units_are_checked() -> None:
    """A specification's standard units must be known and written as CDISC writes them."""
    assert check_standard_units({"A": "mmol/L", "B": "ng/mL", "C": "furlong", "D": "", "E": "10^9/L"}) == {
        "B": "CDISC writes 'ng/mL' as 'ug/L'",
        "C": "'furlong' is not a known unit",
    }


@pytest.mark.parametrize(
    ("result", "low", "high", "indicator"),
    [
        ("5", "4", "6", "NORMAL"),
        ("4", "4", "6", "NORMAL"),
        ("6.0", "4", "6", "NORMAL"),
        ("3.9", "4", "6", "LOW"),
        ("6.1", "4", "6", "HIGH"),
        ("3.9", "4", "", "LOW"),
        ("5", "4", "", ""),
        ("6.1", "", "6", "HIGH"),
        ("5", "", "6", ""),
        ("5", "", "", ""),
        ("", "4", "6", ""),
        ("QNS", "4", "6", ""),
        ("<0.2", "0.3", "1.2", "LOW"),
        ("<0.3", "0.3", "1.2", "LOW"),
        ("<=0.3", "0.3", "1.2", ""),
        ("<0.2", "0.1", "1.2", ""),
        ("<4.0", "0", "21", "NORMAL"),
        ("<40", "0", "21", ""),
        ("<4.0", "-2", "21", ""),
        (">1000", "100", "500", "HIGH"),
        (">500", "100", "500", "HIGH"),
        (">=500", "100", "500", ""),
        (">400", "100", "500", ""),
        ("5", "6", "4", ""),
        ("5", "阴性", "6", ""),
        ("0.30000000000000004", "0.1", "0.3", "NORMAL"),
    ],
)
def test_range_indicator(result: str, low: str, high: str, indicator: str) -> None:
    """LOW, NORMAL, HIGH, or nothing where one limit is missing or an operator leaves it open."""
    assert compute_range_indicator(text(result), low=text(low), high=text(high)).tolist() == [indicator]


@pytest.mark.parametrize(
    ("result", "low", "high", "indicator"),
    [
        ("5", "4", "", "NORMAL"),
        ("5", "", "6", "NORMAL"),
        ("7", "", "6", "HIGH"),
        ("<5", "", "6", "NORMAL"),
        ("5", "", "", ""),
    ],
)
def test_one_sided_ranges(result: str, low: str, high: str, indicator: str) -> None:
    """Where the range is declared to have one limit, the other side is open."""
    found = compute_range_indicator(text(result), low=text(low), high=text(high), one_sided=pd.Series([True]))
    assert found.tolist() == [indicator]


def test_range_indicator_of_unrounded_values() -> None:
    """0.9000 at a limit of 0.9 stays normal after a conversion that rounds the two differently."""
    conversions = compute_conversions(text("CREAT"), unit=text("mg/dL"), standard=STANDARD)
    result, low, high = (
        compute_converted(text(value), conversions=conversions) for value in ("0.9000", "0.9", "1.3")
    )
    assert (result.number[0], low.number[0]) == (79.562, 79.6)
    found = compute_range_indicator(result.exact, low=low.exact, high=high.exact, operator=result.operator)
    assert found.tolist() == ["NORMAL"]


def test_parse_results() -> None:
    """Operator and number of a result; no number where it is words."""
    operator, number = parse_results(text("<0.2", "≥ 5", "1.5", "QNS", ""))
    assert operator.tolist() == ["<", ">=", "", "", ""]
    assert number.isna().tolist() == [False, False, False, True, True]
    assert number.tolist()[:3] == [0.2, 5.0, 1.5]


NUMBERS = st.decimals(min_value="0.001", max_value="9999", places=3, allow_nan=False).map(
    lambda n: f"{n.normalize():f}"
)
PAIRS = st.sampled_from(
    [("GLUC", "mg/dL", "mmol/L"), ("CREAT", "mg/dL", "umol/L"), ("HGB", "g/dL", "mmol/L"), ("TEMP", "F", "C"),
     ("WEIGHT", "LB", "kg"), ("ALT", "ukat/L", "U/L"), ("CA", "mEq/L", "mg/dL"), ("HCT", "%", "L/L")]
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(NUMBERS, PAIRS)
def test_there_and_back(number: str, pair: tuple[str, str, str]) -> None:
    """Converted and converted back, a result is the collected one within the rounding; the factors are inverse."""
    test, unit, to = pair
    there, back = find_factor(test=test, unit=unit, to=to), find_factor(test=test, unit=to, to=unit)
    assert there is not None
    assert back is not None
    assert (Fraction(number) * there.factor + there.offset) * back.factor + back.offset == Fraction(number)
    converted = compute_standard(text(number), test=text(test), unit=text(unit), standard={test: to}).number[0]
    returned = converted * float(back.factor) + float(back.offset)
    assert returned == pytest.approx(float(number), rel=0.006, abs=0.1 if test == "TEMP" else 0)


@settings(max_examples=50, deadline=None)
@given(NUMBERS, NUMBERS, PAIRS)
def test_conversion_keeps_values_apart(one: str, other: str, pair: tuple[str, str, str]) -> None:
    """Of two results with equally many digits the greater one stays the greater after the conversion."""
    test, unit, to = pair
    digits = max(len(number.replace(".", "").lstrip("0")) for number in (one, other))
    one, other = (_pad(number, digits) for number in (one, other))
    found = compute_standard(text(one, other), test=text(test, test), unit=text(unit, unit), standard={test: to})
    assert np.sign(float(one) - float(other)) == np.sign(found.number[0] - found.number[1])


def _pad(number: str, digits: int) -> str:
    significant = len(number.replace(".", "").lstrip("0"))
    return (
        (number if "." in number else f"{number}.") + "0" * (digits - significant) if digits > significant else number
    )


@settings(max_examples=50, deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS, PAIRS, st.sampled_from(["", "<", ">"]))
def test_conversion_keeps_the_indicator(one: str, low: str, high: str, pair: tuple[str, str, str], sign: str) -> None:
    """The range indicator is the same before and after all three are converted by the one factor."""
    test, unit, to = pair
    conversions = compute_conversions(text(test), unit=text(unit), standard={test: to})
    result, lower, upper = (
        compute_converted(text(value), conversions=conversions) for value in (sign + one, low, high)
    )
    assert (
        compute_range_indicator(text(sign + one), low=text(low), high=text(high)).tolist()
        == compute_range_indicator(result.exact, low=lower.exact, high=upper.exact, operator=result.operator).tolist()
    )


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=10), st.sampled_from(["mg/dL", "", "x"]))
def test_any_text_is_carried_or_reported(value: str, unit: str) -> None:
    """Whatever a laboratory sends: it becomes a number in the standard unit, or it stays as it is."""
    found = standardise("CREAT", unit, value)
    if not np.isnan(found.number[0]):
        assert found.unit[0] == "umol/L"
    elif not parse_results(text(value))[0][0]:
        assert found.text[0] == value.strip()


def test_public_oncology_study(shared: Shared) -> None:
    """Every numeric laboratory result of a published study is converted to the published standard result."""
    lb, _ = pyreadstat.read_xport(
        shared("oracles/onco/sdtm/lb.xpt"), usecols=["LBTESTCD", "LBORRES", "LBORRESU", "LBSTRESN", "LBSTRESU"]
    )
    units = {"1": "fraction of 1", "fmol(Fe)": "fmol", "mU/L": "mIU/L"}  # how this study wrote them
    lb["LBTESTCD"] = lb["LBTESTCD"].replace({"BUN": "UREAN"})
    measured = lb[lb["LBSTRESN"].notna() & ~lb["LBTESTCD"].isin(["HBA1C"])]
    standard = {
        test: units.get(unit, unit) for test, unit in zip(measured["LBTESTCD"], measured["LBSTRESU"], strict=True)
    }
    found = compute_standard(
        measured["LBORRES"], test=measured["LBTESTCD"], unit=measured["LBORRESU"], standard=standard
    )
    assert found.reason[found.refused].value_counts().to_dict() == {}
    # the study used factors of four digits (17.1, 0.05551 ...), ours are exact
    assert np.allclose(found.exact, measured["LBSTRESN"], rtol=6e-4, atol=1e-9)


def test_vital_signs_of_the_published_pilot(shared: Shared) -> None:
    """Inches, pounds and Fahrenheit of the CDISC pilot become the published text, with its two decimals."""
    vs = pd.read_csv(shared("oracles/pharmaverse/sdtm/vs.csv.gz"), dtype="str", keep_default_na=False)
    vs = vs[vs["VSORRES"] != ""]
    standard = {"HEIGHT": "cm", "WEIGHT": "kg", "TEMP": "C", "SYSBP": "mmHg", "DIABP": "mmHg", "PULSE": "beats/min"}
    decimals = {"HEIGHT": 2, "WEIGHT": 2, "TEMP": 2}
    declared = {("WEIGHT", "LB", "kg"): Factor(Fraction("0.4536"))}  # what the published numbers were made with
    found = compute_standard(
        vs["VSORRES"],
        test=vs["VSTESTCD"],
        unit=vs["VSORRESU"],
        standard=standard,
        decimals=decimals,
        declared=declared,
    )
    converted = vs["VSORRESU"].isin(["IN", "LB", "F"])
    assert converted.sum() > 3000
    differing = vs.assign(ours=found.text)[converted & (found.text != vs["VSSTRESC"])]
    assert not found.refused.any()
    assert differing[["VSORRES", "VSSTRESC", "ours"]].to_numpy().tolist() == []
    assert np.allclose(found.number, vs["VSSTRESN"].astype("float64"))
