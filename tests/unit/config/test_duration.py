from __future__ import annotations

import pytest

from auditd.config.duration import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("8MiB", 8 * 1024**2), ("8MB", 8_000_000), ("500KB", 500_000), ("1GiB", 1024**3)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "8", "MiB", "8 MiB", "8mib", "-1B", "1.5MiB", 8, None, "9" * 50 + "B"]
)
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a size such as 8MiB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["0B", "0MiB", "1000GB", "1000000000GiB"])
def test_a_size_has_bounds(text: str) -> None:
    with pytest.raises(ValueError, match="at least 1B and less than 1000GB"):
        parse_size(text)
