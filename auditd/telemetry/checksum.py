"""The CRC-32 of two texts one after the other, from the CRC-32 of each."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

_POLYNOMIAL = 0xEDB88320
_HIGHEST = 1 << 31  # the polynomial 1: the highest bit stands for x**0

_Table: TypeAlias = tuple[tuple[int, ...], ...]
"""What each value of each of the four bytes becomes, lowest byte first."""


def crc32_combine(first: int, second: int, second_size: int) -> int:
    """The CRC-32 of the whole, in some microseconds.

    For where isal is not installed: Python's zlib keeps this function of the C library to itself.

    Args:
        first: the CRC-32 of what comes first.
        second: of what follows.
        second_size: bytes that follow, at least 0.

    Source: zlib 1.2.13, crc32.c, crc32_combine64() and x2nmodp(): what comes first counts as
    multiplied by x to the number of bits that follow.
    """
    exponent = 0
    while second_size:
        if second_size & 1:
            a, b, c, d = _shift(exponent)
            first = a[first & 255] ^ b[first >> 8 & 255] ^ c[first >> 16 & 255] ^ d[first >> 24]
        second_size >>= 1
        exponent += 1
    return first ^ second


@cache
def _shift(exponent: int) -> _Table:
    """Multiplies by x to the number of bits in 2**exponent bytes."""
    power = _power(exponent)
    bits = [_product(1 << bit, power) for bit in range(32)]
    return tuple(_sums(bits[start : start + 8]) for start in range(0, 32, 8))


def _sums(bits: list[int]) -> tuple[int, ...]:
    """For each byte the sum of what its bits become."""
    sums = [0]
    for bit in bits:
        sums += [bit ^ known for known in sums]
    return tuple(sums)


@cache
def _power(exponent: int) -> int:
    """Give x to the number of bits in 2**exponent bytes, modulo the polynomial."""
    if exponent == 0:
        return _HIGHEST >> 8
    return _product(_power(exponent - 1), _power(exponent - 1))


def _product(left: int, right: int) -> int:
    """The product of two polynomials modulo the polynomial."""
    product = 0
    while left:
        if left & _HIGHEST:
            product ^= right
        left = left << 1 & 0xFFFFFFFF
        right = right >> 1 ^ (_POLYNOMIAL if right & 1 else 0)
    return product
