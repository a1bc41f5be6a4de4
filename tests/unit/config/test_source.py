from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from auditd.config.file_set import FILE_LIMIT_BYTES
from auditd.config.problem import Problems
from auditd.config.source import Source
from tests.unit.config.plain import plain


class Files:
    """A directory of configuration files and what was read of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems = Problems()
        self.source = Source({}, self.problems)

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.directory / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.with_suffix(".yaml").write_text(text)

    def read(self, name: str = "main.yaml") -> Any:
        return plain(self.source.read(self.directory / name))

    @property
    def messages(self) -> list[str]:
        text = str(self.problems.error()).replace(f"{self.directory}/", "")
        return text.splitlines()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_lists_are_joined_in_name_order_and_sections_united(files: Files) -> None:
    files.write(
        main="include: ['conf/*.yaml']\nprojects: [main]\nglobal: {a: 1}\n",
        conf__b="projects: [b]\nchecks: {x: {}}\n",
        conf__a="projects: [a]\nglobal: {b: 2}\nchecks: {y: {}}\n",
    )
    assert files.read() == {
        "projects": ["main", "a", "b"],
        "global": {"a": "1", "b": "2"},
        "checks": {"x": {}, "y": {}},
    }
    assert files.messages == []
    assert [path.name for path in files.source.files] == ["main.yaml", "a.yaml", "b.yaml"]


def test_a_joined_item_keeps_its_own_file_and_position(files: Files) -> None:
    files.write(main="include: [conf/*.yaml]\nprojects: [x]\n", conf__a="\nprojects: [y]\n")
    root = files.source.read(files.directory / "main.yaml")
    assert root is not None
    item = root.value["projects"].value[1]
    assert (Path(item.place.file).name, item.place.line, item.path) == ("a.yaml", 2, "projects[0]")


def test_an_included_file_includes_relative_to_itself(files: Files) -> None:
    files.write(
        main="include: [conf/a.yaml]\n", conf__a="include: [b.yaml]\n", conf__b="projects: [b]\n"
    )
    assert files.read() == {"projects": ["b"]}


def test_a_file_is_read_once_whoever_includes_it(files: Files) -> None:
    files.write(
        main="include: ['*.yaml', 'other.yaml']\nprojects: [main]\n",
        other="include: [main.yaml]\nprojects: [other]\n",
    )
    assert files.read() == {"projects": ["main", "other"]}
    assert files.messages == []


def test_a_glob_without_files_adds_nothing_and_a_missing_file_is_told(files: Files) -> None:
    files.write(main="include: ['conf/*.yaml', 'absent.yaml']\nglobal: {}\n")
    assert files.read() == {"global": {}}
    assert files.messages == ["main.yaml:1:26: include[1]: there is no such file"]


def test_what_is_set_twice_names_both_places(files: Files) -> None:
    files.write(
        main="include: [b.yaml]\nchecks: {stale: {a: 1}}\nstorage: {url: x}\nglobal: {a: 1}\n",
        b="checks: {stale: {max_age: 2d}}\nstorage: {url: y}\nglobal: [1]\n",
    )
    files.read()
    assert files.messages == [
        "b.yaml:1:10: checks.stale: this key is already set at main.yaml:2:10",
        "b.yaml:2:11: storage.url: this key is already set at main.yaml:3:11",
        "b.yaml:3:1: global: this key is already set at main.yaml:4:1",
    ]


def test_an_empty_section_gives_way_to_a_full_one(files: Files) -> None:
    files.write(
        main="include: [b.yaml]\nprojects:\nchecks: {a: {}}\n", b="projects: [b]\nchecks:\n"
    )
    assert files.read() == {"projects": ["b"], "checks": {"a": {}}}
    assert files.messages == []


def test_a_file_that_cannot_be_read_is_named(files: Files) -> None:
    assert files.read("absent.yaml") is None
    assert files.read("") is None
    os.mkfifo(files.directory / "pipe.yaml")
    assert files.read("pipe.yaml") is None
    assert files.messages == [
        f"{files.directory}: cannot be read: it is not a regular file",
        "absent.yaml: cannot be read: No such file or directory",
        "pipe.yaml: cannot be read: it is not a regular file",
    ]


def test_a_file_without_end_is_refused(files: Files) -> None:
    with (files.directory / "main.yaml").open("wb") as file:
        file.truncate(FILE_LIMIT_BYTES + 1)
    assert files.read() is None
    assert files.messages == ["main.yaml: cannot be read: larger than 16 MiB"]


def test_a_byte_order_mark_is_no_content(files: Files) -> None:
    (files.directory / "main.yaml").write_bytes(b"\xef\xbb\xbfglobal: {}\n")
    assert files.read() == {"global": {}}


def test_a_null_character_is_in_no_file_name(files: Files) -> None:
    files.write(main='include: ["a\\0/*", "b\\0"]\nglobal: {}\n')
    assert files.read() == {"global": {}}
    assert files.messages == ["main.yaml:1:20: include[1]: there is no such file"]
