from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from auditd.config.discovery import FileDiscovery
from auditd.config.problem import ConfigError
from auditd.config.project_file import ProjectFiles
from auditd.config.project_terms import ProjectTerms

TERMS = ProjectTerms(
    poll_interval=timedelta(minutes=5),
    poll_timeout=timedelta(seconds=30),
    credentials=("prod",),
    known_regions=frozenset({"cn-north-4"}),
)


def entry(name: str, number: int, credential: str = "prod") -> str:
    return (
        f"- {{name: {name}, project_id: {number:032x}a, region: cn-north-4,"
        f" credential: {credential}}}\n"
    )


def project_files(*patterns: Path) -> ProjectFiles:
    discovery = FileDiscovery(tuple(map(str, patterns)), timedelta(seconds=10))
    return ProjectFiles(discovery, terms=TERMS, environ={"CREDENTIAL": "prod"})


async def names(files: ProjectFiles) -> list[str]:
    return [project.name for project in await files.projects()]


def test_a_source_is_named_after_its_first_pattern(tmp_path: Path) -> None:
    files = project_files(tmp_path / "*.yaml", tmp_path / "more.yaml")
    assert files.name == f"file{tmp_path}/*.yaml"
    assert files.refresh_interval == timedelta(seconds=10)


async def test_files_are_lists_or_have_the_key_projects(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(entry("b", 1))
    (tmp_path / "a.yaml").write_text("projects:\n" + entry("a", 2, "'${CREDENTIAL}'"))
    (tmp_path / "c.yaml").write_text("[]")
    files = project_files(tmp_path / "*.yaml")
    projects = await files.projects()
    assert [project.name for project in projects] == ["a", "b"]
    assert projects[0].poll_interval == timedelta(minutes=5)


async def test_what_is_on_disk_now_is_read_each_time(tmp_path: Path) -> None:
    files = project_files(tmp_path / "*.yaml")
    assert await names(files) == []
    (tmp_path / "a.yaml").write_text(entry("a", 1))
    assert await names(files) == ["a"]
    (tmp_path / "a.yaml").unlink()
    assert await names(files) == []


async def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read: No such file"):
        await project_files(tmp_path / "absent.yaml").projects()


async def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match=r"pipe\.yaml: cannot be read: it is not a regular file"):
        await project_files(tmp_path / "*.yaml").projects()


async def test_all_problems_of_all_files_are_told_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(entry("same", 1) + entry("x", 2, "prdo"))
    (tmp_path / "b.yaml").write_text("\n" + entry("same", 3))
    (tmp_path / "c.yaml").write_text("projects: {}\n")
    (tmp_path / "d.yaml").write_text("")
    (tmp_path / "e.yaml").write_text("- name: [\n")
    with pytest.raises(ConfigError) as caught:
        await project_files(tmp_path / "*.yaml").projects()
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        "a.yaml:2:92: projects[1].credential: no credential has this name; did you mean 'prod'?",
        "b.yaml:2:10: projects[0].name: this name is already used at a.yaml:1:10",
        "c.yaml:1:11: expected a list of projects, found a mapping",
        "d.yaml:1:1: the file is empty; write [] for no projects",
        "e.yaml:2:1: a value is expected here: check brackets, braces and commas",
    ]
