from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

import auditd.audit.checks
import auditd.servicestage.credentials
from auditd.audit.plugin import load_plugins
from auditd.config.example import example_text
from auditd.config.load import load
from auditd.config.project_file import ProjectFiles
from auditd.config.settings import Catalog, Settings

ROOT = Path(__file__).parents[3]
FILES = ("access_key", "secret_key", "password", "token", "webhook")


@pytest.fixture
def example(tmp_path: Path) -> Settings:
    """The example as it is shipped, with the files that it refers to."""
    for name in (
        *(f"secrets/{name}" for name in FILES),
        "tls/ca.pem",
        "tls/client.pem",
        "tls/client.key",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("content\n")
    shutil.copytree(ROOT / "config/projects.d", tmp_path / "projects.d")
    path = tmp_path / "servicestage-auditd.yaml"
    path.write_text(example_text())
    catalog = Catalog(
        checks=load_plugins(auditd.audit.checks, "none"),
        credentials=load_plugins(auditd.servicestage.credentials, "none"),
        known_regions=frozenset({"cn-north-4"}),
    )
    return load(path, catalog, {}, on_secret=lambda _: None, monotonic=lambda: 0.0)


def test_it_loads_without_a_warning(example: Settings) -> None:
    assert example.warnings == ()
    assert [credential.type for credential in example.credentials] == [
        "aksk",
        "iam_password",
        "token",
        "sdk_chain",
    ]
    assert example.projects[0].poll_interval == timedelta(minutes=1)


async def test_its_project_file_loads_too(example: Settings) -> None:
    source = ProjectFiles(example.discovery[1], terms=example.project_terms, environ={})  # type: ignore[arg-type] # the second is of type file
    assert [project.name for project in await source.projects()] == ["checkout"]


def test_the_one_in_the_top_directory_is_the_same_file() -> None:
    link = ROOT / "config/servicestage-auditd.yaml"
    assert not link.readlink().is_absolute()
    assert link.read_text("utf-8") == example_text()
