from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditd.config.secret import (
    SECRET_LIMIT_BYTES,
    FileSecret,
    InlineSecret,
    SecretFileError,
    parts_of,
)


class Clock:
    """A monotonic clock that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Watched:
    """A secret file, its clock and what the redactor was told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.told: list[str] = []
        self.secret = FileSecret(path, monotonic=self.clock, on_value=self.told.append)

    def write(self, content: str) -> None:
        """Replace the file as Kubernetes and careful people do."""
        new = self.path.with_suffix(".new")
        new.write_text(content)
        new.rename(self.path)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    watched = Watched(tmp_path / "token")
    watched.write("first\n")
    return watched


def test_a_secret_is_not_shown(watched: Watched) -> None:
    assert watched.secret.reveal() == "first"
    assert repr(watched.secret) == str(watched.secret) == "***"
    inline = InlineSecret("hunter2")
    assert inline.reveal() == "hunter2"
    assert repr(inline) == f"{inline}" == "***"


def test_the_redactor_is_told_of_each_value_once(watched: Watched) -> None:
    watched.secret.reveal()
    watched.clock.seconds = 5
    watched.secret.reveal()
    watched.write("second\n")
    watched.clock.seconds = 10
    watched.secret.reveal()
    assert watched.told == ["first", "second"]


def test_a_replaced_file_is_read_after_a_second_and_not_before(watched: Watched) -> None:
    watched.secret.reveal()
    watched.write("second")
    watched.clock.seconds = 0.999
    assert watched.secret.reveal() == "first"
    watched.clock.seconds = 1.0
    assert watched.secret.reveal() == "second"


def test_a_change_in_place_is_seen_by_its_size(watched: Watched) -> None:
    watched.secret.reveal()
    times = watched.path.stat()
    watched.path.write_text("longer than first")
    os.utime(watched.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    watched.clock.seconds = 1
    assert watched.secret.reveal() == "longer than first"


@pytest.mark.parametrize(
    ("content", "value"),
    [("a\n", "a"), ("a", "a"), ("a\n\n", "a\n"), ("a\r\n", "a"), (" a \n", " a "), ("é", "é")],
)
def test_one_newline_at_the_end_is_not_the_secret(
    watched: Watched, content: str, value: str
) -> None:
    watched.path.write_bytes(content.encode())
    assert watched.secret.reveal() == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; write the secret into it"),
        (b"\n", "is empty; write the secret into it"),
        (b"\xffhunter2", "is not UTF-8 text; is it the right file?"),
        (b"x" * (SECRET_LIMIT_BYTES + 1), "is larger than 64 KiB; is it the right file?"),
    ],
)
def test_a_file_without_a_secret_is_named_with_the_remedy(
    watched: Watched, content: bytes, message: str
) -> None:
    watched.path.write_bytes(content)
    with pytest.raises(SecretFileError) as caught:
        watched.secret.reveal()
    assert str(caught.value) == f"the secret file {watched.path} {message}"
    assert "hunter2" not in repr(caught.value.__cause__)


def test_a_directory_is_no_secret(tmp_path: Path) -> None:
    secret = FileSecret(tmp_path, monotonic=Clock(), on_value=lambda _: None)
    with pytest.raises(OSError, match="is not a regular file"):
        secret.reveal()


def test_a_file_that_went_away_is_an_error_until_it_is_back(watched: Watched) -> None:
    watched.secret.reveal()
    watched.path.unlink()
    watched.clock.seconds = 1
    for _ in range(2):
        with pytest.raises(OSError, match="cannot be read: No such file or directory"):
            watched.secret.reveal()
    watched.write("back")
    assert watched.secret.reveal() == "back"


def test_once_somebody_looks_after_a_file_its_secret_is_revealed_without_touching_it(
    watched: Watched,
) -> None:
    watched.secret.look()
    watched.write("second")
    watched.clock.seconds = 60
    assert watched.secret.reveal() == "first"
    watched.secret.look()
    assert watched.secret.reveal() == "second"
    watched.path.unlink()
    assert watched.secret.reveal() == "second"
    watched.secret.look()
    for _ in range(2):
        with pytest.raises(SecretFileError, match="cannot be read: No such file"):
            watched.secret.reveal()
    watched.write("third")
    watched.secret.look()
    assert watched.secret.reveal() == "third"
    assert watched.told == ["first", "second", "third"]


def test_secrets_are_equal_when_they_are_written_alike(tmp_path: Path) -> None:
    def secret(name: str) -> FileSecret:
        return FileSecret(tmp_path / name, monotonic=Clock(), on_value=lambda _: None)

    assert secret("a") == secret("a")
    assert secret("a") != secret("b")
    assert InlineSecret("x") == InlineSecret("x")
    assert InlineSecret("x") != InlineSecret("y")
    assert len({secret("a"), secret("a"), InlineSecret("x"), InlineSecret("x")}) == 2


@pytest.mark.parametrize(
    ("value", "passwords"),
    [
        ("hunter2", []),
        ("sqlite:////var/state.db", []),
        ("postgresql://me:p%40ss@db/x", ["p%40ss", "p@ss"]),
        ("postgresql://me@db/x?password=hunter2", ["hunter2"]),
        ("https://[hooks", []),
    ],
)
def test_the_password_in_an_address_is_a_secret_too(value: str, passwords: list[str]) -> None:
    assert [*parts_of(value)] == [value, *passwords]
