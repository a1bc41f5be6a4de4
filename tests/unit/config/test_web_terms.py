from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.config.node import Node
from auditd.config.problem import Place, Problems
from auditd.config.reading import Reading
from auditd.config.record import form_of
from auditd.config.web_terms import LONGEST_PEM_BYTES, BcryptHash, PemFile, Seconds

HASH = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"


def read(value: Any, term: Any, file: str = "web.yml", *, is_number: bool = False) -> Any:
    """The value; raises AssertionError with the problem when it is none."""
    problems = Problems()
    place = Place(file, 1, 1)
    found = Reading(problems).read(Node(value, place, place, is_number=is_number), form_of(term))
    assert not problems, problems.error()
    return found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("0", 0.0),
        ("0s", 0.0),
        ("1m30s", 90.0),
        ("1h1ms", 3600.001),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("-1s", -1.0),
        ("+100ms", 0.1),
        ("1us", 1e-6),
        ("1µs", 1e-6),
        ("1ns", 1e-9),
        ("30s1m", 90.0),
    ],
)
def test_a_duration_is_what_go_reads(text: str, seconds: float) -> None:
    assert read(text, Seconds) == pytest.approx(seconds)


def test_a_number_is_nanoseconds() -> None:
    assert read("1000000000", Seconds, is_number=True) == 1.0
    assert read("0", Seconds, is_number=True) == 0.0


@pytest.mark.parametrize("text", ["", "1", "s", "1d", "1 s", "1s ", "1S", "--1s", "1e3s", "1" * 50])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(AssertionError, match="expected a duration"):
        read(text, Seconds)


@pytest.mark.parametrize("cost", ["04", "10", "14"])
@pytest.mark.parametrize("minor", "abxy")
def test_every_kind_of_bcrypt_hash_is_taken(minor: str, cost: str) -> None:
    text = HASH.replace("2y", f"2{minor}").replace("10", cost)
    assert read(text, BcryptHash) == text


@given(st.text(max_size=70) | st.text("$2y1./A", max_size=61))
def test_any_text_is_a_hash_or_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(AssertionError, match=r"expected a bcrypt hash|must be 4 to 14") as refused:
        read(text, BcryptHash)
    assert len(text) < 20 or text not in str(refused.value)


def test_a_file_is_read_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(b"pem")
    assert read("a.pem", PemFile, str(tmp_path / "web.yml")) == b"pem"
    assert read(str(tmp_path / "a.pem"), PemFile) == b"pem"
    assert read("", PemFile) is None


@pytest.mark.parametrize("name", ["no.pem", ".", "a\0b", "large.pem"])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "large.pem").write_bytes(b"x" * (LONGEST_PEM_BYTES + 1))
    with pytest.raises(AssertionError, match=r"the file .*(cannot be read|is larger)"):
        read(name, PemFile, str(tmp_path / "web.yml"))
