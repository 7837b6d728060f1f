"""IEEE to IBM numbers and back, against exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmill.xpt_numbers import (
    LIMIT,
    SMALLEST,
    convert_ibm_to_ieee,
    convert_ieee_to_ibm,
    find_inexact,
    find_out_of_range,
)

HELD = st.floats(SMALLEST, math.nextafter(LIMIT, 0)) | st.floats(-math.nextafter(LIMIT, 0), -SMALLEST) | st.just(0.0)


def stored_bytes(*values: float) -> list[str]:
    return [f"{number:016X}" for number in convert_ieee_to_ibm(np.array(values)).tolist()]


def read_bytes(*stored: str) -> list[float]:
    rows = np.array([list(bytes.fromhex(text)) for text in stored], dtype=np.uint8)
    return convert_ibm_to_ieee(rows)[0].tolist()


def exact_value(number: int) -> Fraction:
    """What the eight bytes mean: sign, sixteen to the exponent in excess of 64, fraction of 56 bits."""
    sign = -1 if number >> 63 else 1
    return sign * Fraction(number & ((1 << 56) - 1), 1 << 56) * Fraction(16) ** ((number >> 56 & 127) - 64)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (0.0, "0000000000000000"),
        (1.0, "4110000000000000"),
        (-1.0, "C110000000000000"),
        (100.0, "4264000000000000"),
        (-118.625, "C276A00000000000"),
        (0.1, "401999999999999A"),
        (SMALLEST, "0010000000000000"),
        (math.nextafter(LIMIT, 0), "7FFFFFFFFFFFFFF8"),
        (math.nan, "2E00000000000000"),
    ],
)
def test_known_numbers(value: float, stored: str) -> None:
    """Numbers whose IBM bytes are known from the literature and by hand."""
    assert stored_bytes(value) == [stored]
    assert read_bytes(stored) == [pytest.approx(value, rel=0, abs=0, nan_ok=True)]


@given(st.lists(HELD, min_size=1, max_size=50))
def test_writing_is_exact(values: list[float]) -> None:
    """Every number within the format's range keeps its exact value, and comes back as it was."""
    numbers = convert_ieee_to_ibm(np.array(values))
    assert [exact_value(number) for number in numbers.tolist()] == [Fraction(value) for value in values]
    stored = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
    assert convert_ibm_to_ieee(stored)[0].tolist() == values


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50))
def test_reading_cuts_what_a_double_cannot_keep(numbers: list[int]) -> None:
    """Any eight bytes: the exact value with its bits beyond the 53rd cut, toward zero, and never rounded."""
    stored = np.array(numbers, dtype=">u8").view(np.uint8).reshape(-1, 8)
    for number, value in zip(numbers, convert_ibm_to_ieee(stored)[0].tolist(), strict=True):
        exact = exact_value(number)
        if exact == 0:
            assert math.isnan(value) or value == 0
        else:
            assert (
                abs(Fraction(value))
                <= abs(exact)
                < abs(Fraction(math.nextafter(value, math.copysign(math.inf, value))))
            )
            assert math.copysign(1, value) == (-1 if exact < 0 else 1)


@given(st.floats(allow_nan=False))
def test_what_is_out_of_range(value: float) -> None:
    """Infinite or outside 2**-260 to 2**252: found beforehand and refused; everything else is converted."""
    column = np.array([value])
    outside = value != 0 and not SMALLEST <= abs(value) < LIMIT
    assert bool(find_out_of_range(column)[0]) == (outside and not math.isinf(value))
    if outside:
        with pytest.raises(ValueError, match="no IBM form"):
            convert_ieee_to_ibm(column)
    else:
        convert_ieee_to_ibm(column)


@given(st.lists(HELD, min_size=1, max_size=20), st.integers(3, 8))
def test_short_numbers(values: list[float], length: int) -> None:
    """In 3 to 7 bytes a number is either found inexact or comes back as it was."""
    column = np.array(values)
    stored = convert_ieee_to_ibm(column).astype(">u8").view(np.uint8).reshape(-1, 8)[:, :length]
    assert (find_inexact(column, length=length) == (convert_ibm_to_ieee(stored)[0] != column)).all()


def test_the_last_of_56_bits_is_cut() -> None:
    """A fraction of 56 ones: the three last do not fit a double."""
    assert read_bytes("41FFFFFFFFFFFFFF") == [math.nextafter(16.0, 0)]
    assert read_bytes("C1FFFFFFFFFFFFFF") == [-math.nextafter(16.0, 0)]


def test_zeros_have_no_sign() -> None:
    """Minus zero, written or read, and a zero fraction under any exponent are 0.0."""
    assert stored_bytes(-0.0) == ["0000000000000000"]
    zeros = read_bytes("8000000000000000", "4000000000000000", "0000000000000000")
    assert [math.copysign(1, zero) for zero in zeros] == [1, 1, 1]


def test_not_normalised_numbers_are_read() -> None:
    """Old programs store leading zeros in the fraction: 0x42010000... is one."""
    assert read_bytes("4201000000000000") == [1.0]


def test_special_missing_values() -> None:
    """The letter stands in the first byte; the plain missing value is no special one."""
    stored = convert_ieee_to_ibm(
        np.array([np.nan, np.nan, 1, np.nan]), letters=np.frombuffer(b"\0A\0_", dtype=np.uint8)
    )
    values, special = convert_ibm_to_ieee(stored.astype(">u8").view(np.uint8).reshape(-1, 8))
    assert np.isnan(values).tolist() == [True, True, False, True]
    assert special == {1: ord("A"), 3: ord("_")}
