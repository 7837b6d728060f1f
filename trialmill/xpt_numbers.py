"""
IEEE doubles to the IBM hexadecimal floating point of SAS transport files, and back, whole columns at a time.

An IBM number is a sign bit, seven bits of exponent (of sixteen, in excess of 64) and 56 bits of fraction with the
radix point before them. Its fraction holds every bit of a double, so writing is exact wherever the exponent fits;
reading loses up to three bits, which are cut as ReadStat cuts them, not rounded. A missing value has a fraction of
zero and a letter in the first byte: ``.`` for the plain one, ``A`` to ``Z`` and ``_`` for the special ones.
Source of the layout: SAS technical paper TS-140, "Record layout of a SAS version 5 or 6 data set in SAS transport
(XPORT) format".
"""

from __future__ import annotations

import string
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

SMALLEST = 2.0**-260
"""The smallest magnitude but zero that a normalised IBM number holds."""
LIMIT = 2.0**252
"""The first magnitude that is too large."""
MISSING = ord(".")
SPECIAL_LETTERS = frozenset(("_" + string.ascii_uppercase).encode())

_FRACTION = np.uint64((1 << 56) - 1)
# the fraction's top three bits say how many low bits a double cannot keep
_KEPT = np.array([(1 << 56) - (1 << top.bit_length()) for top in range(8)], dtype=np.uint64)
_SCALE = np.array([(1 - 2 * (top >> 7)) * 2.0 ** (4 * (top & 127) - 312) for top in range(256)])
_IS_SPECIAL = np.isin(np.arange(256), sorted(SPECIAL_LETTERS))
_IS_MISSING = _IS_SPECIAL | (np.arange(256) == MISSING)


def find_out_of_range(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask of the finite numbers whose magnitude the format cannot hold (0.0 and NaN are held)."""
    size = np.abs(values)
    return ((size < SMALLEST) & (size > 0)) | ((size >= LIMIT) & (size < np.inf))


def find_inexact(values: NDArray[np.float64], *, length: int) -> NDArray[np.bool_]:
    """Return a mask of the numbers that lose bits when only the first *length* (2 to 8) bytes are kept."""
    held = ~(find_out_of_range(values) | ~np.isfinite(values))
    lost = np.zeros(len(values), dtype=bool)
    lost[held] = convert_ieee_to_ibm(values[held]) & np.uint64((1 << 8 * (8 - length)) - 1) != 0
    return lost


def convert_ieee_to_ibm(
    values: NDArray[np.float64], *, letters: NDArray[np.uint8] | None = None
) -> NDArray[np.uint64]:
    """
    Convert doubles to IBM numbers, exactly.

    In: a column of doubles, NaN missing; ``letters``: for each row the letter of its missing value, 0 for the plain
    one. Out: the eight bytes of each number as one unsigned integer, the first byte the most significant (store it
    big-endian). -0.0 comes out as 0.0. Raises ValueError for what ``find_out_of_range`` finds and for infinities:
    they are for a check to report first.
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    if (np.isinf(values) | find_out_of_range(values)).any():
        raise ValueError("an infinite number or a magnitude outside 2**-260 to 2**252 has no IBM form")
    bits = values.view(np.uint64)
    exponent = ((bits >> np.uint64(52)) & np.uint64(0x7FF)) + np.uint64(1)  # in excess of 1024, a multiple of four
    fraction = (bits & np.uint64((1 << 52) - 1)) | np.uint64(1 << 52)
    converted: NDArray[np.uint64] = (fraction << (exponent & np.uint64(3))) | (
        (exponent >> np.uint64(2)) - np.uint64(191)
    ) << np.uint64(56)
    converted |= bits & np.uint64(1 << 63)
    converted[values == 0] = 0
    missing = np.isnan(values)
    if missing.any():
        first = np.uint8(MISSING) if letters is None else np.where(letters, letters, np.uint8(MISSING))[missing]
        converted[missing] = np.asarray(first, dtype=np.uint64) << np.uint64(56)
    return converted


def convert_ibm_to_ieee(stored: NDArray[np.uint8]) -> tuple[NDArray[np.float64], Mapping[int, int]]:
    """
    Convert IBM numbers to doubles.

    In: an array of rows by 2 to 8 bytes. Out: the doubles, every missing value NaN, bits beyond the 53rd cut, a
    fraction of zero 0.0; and the special missing values among them as row to letter (the code of ``A``-``Z``, ``_``).
    """
    rows, length = stored.shape
    whole = np.zeros((rows, 8), dtype=np.uint8)
    whole[:, :length] = stored
    bits = whole.view(">u8").ravel().astype(np.uint64)
    first = whole[:, 0]
    fraction = bits & _FRACTION
    empty = np.flatnonzero((fraction == 0) & _IS_MISSING[first])
    fraction &= _KEPT[(fraction >> np.uint64(53)).astype(np.intp)]
    values = fraction.astype(np.float64) * _SCALE[first] + 0.0  # the sum turns -0.0 into 0.0
    values[empty] = np.nan
    special = empty[_IS_SPECIAL[first[empty]]]
    return values, dict(zip(special.tolist(), first[special].tolist(), strict=True))
