from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from auditd.config.file_set import FileSet, digests_of
from auditd.config.load import load
from tests.unit.config.shipped import CATALOG

TEXT = """\
include: ["conf.d/*.yaml"]
credentials: [{name: a, type: token, token: abcdef}]
projects:
  - name: p
    project_id: 0123456789abcdef0123456789abcdef
    region: cn-north-4
    credential: a
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "auditd.yaml").write_text(TEXT)
    (tmp_path / "conf.d" / "one.yaml").write_text("checks: {}\n")
    return tmp_path


@pytest.fixture
def files(directory: Path) -> FileSet:
    found: list[FileSet] = []
    load(
        directory / "auditd.yaml",
        CATALOG,
        {},
        on_secret=lambda _: None,
        monotonic=lambda: 0.0,
        on_files=found.append,
    )
    return found[0]


def _swap(directory: Path) -> None:
    (directory / "new").write_text(TEXT + "\n# other\n")
    (directory / "new").replace(directory / "auditd.yaml")


@pytest.mark.parametrize(
    "change",
    [
        _swap,
        lambda it: (it / "conf.d" / "one.yaml").write_text("checks: {stale: {}}"),
        lambda it: (it / "conf.d" / "one.yaml").unlink(),
        lambda it: (it / "conf.d" / "two.yaml").write_text("checks: {}"),
        lambda it: (it / "auditd.yaml").unlink(),
    ],
)
def test_a_file_that_changes_comes_or_goes_is_noticed(
    directory: Path, files: FileSet, change: Callable[[Path], object]
) -> None:
    assert files.is_current()
    change(directory)
    assert not files.is_current()
    assert files.renewed().is_current()


def test_the_same_content_written_anew_is_no_change(directory: Path, files: FileSet) -> None:
    for file in (directory / "auditd.yaml", directory / "conf.d" / "one.yaml"):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
    (directory / "conf.d" / "notes.txt").write_text("not included")
    assert files.is_current()


def test_a_file_that_cannot_be_read_is_watched_until_it_can(directory: Path) -> None:
    missing = directory / "ca.pem"
    files = FileSet().joined([missing, Path("a\0b")])
    assert files.is_current()
    missing.write_text("here")
    assert not files.is_current()


def test_a_pipe_holds_nobody_up(directory: Path) -> None:
    os.mkfifo(directory / "pipe")
    assert digests_of([directory / "pipe"]) == {directory / "pipe": None}


def test_what_was_read_is_known_even_if_it_cannot_be_used(directory: Path) -> None:
    found: list[FileSet] = []
    (directory / "conf.d" / "one.yaml").write_text("check: {}\n")
    with pytest.raises(ValueError, match="unknown key"):
        load(
            directory / "auditd.yaml",
            CATALOG,
            {},
            on_secret=lambda _: None,
            monotonic=lambda: 0.0,
            on_files=found.append,
        )
    (directory / "conf.d" / "one.yaml").write_text("checks: {}\n")
    assert not found[0].is_current()
