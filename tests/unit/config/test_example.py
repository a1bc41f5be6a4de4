from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import auditd.audit.checks
import auditd.servicestage.credentials
from auditd.audit.finding import Severity
from auditd.audit.plugin import load_plugins
from auditd.config.alerting import Route
from auditd.config.discovery import FileDiscovery, IamDiscovery
from auditd.config.example import example_text
from auditd.config.load import load
from auditd.config.project_file import ProjectFiles
from auditd.config.project_terms import ProjectEntry
from auditd.config.record import form_of
from auditd.config.settings import (
    Catalog,
    ExceptionSettings,
    GlobalSettings,
    Settings,
    StorageSettings,
)

ROOT = Path(__file__).parents[3]
CATALOG = Catalog(
    checks=load_plugins(auditd.audit.checks, "none"),
    credentials=load_plugins(auditd.servicestage.credentials, "none"),
    known_regions=frozenset({"cn-north-4"}),
)


def load_beside(directory: Path, text: str, *files: str) -> Settings:
    """Load a text from a directory with these files, as far as it refers to any."""
    for file in files:
        (directory / file).parent.mkdir(exist_ok=True)
        (directory / file).write_text("content\n")
    path = directory / "servicestage-auditd.yaml"
    path.write_text(text)
    return load(path, CATALOG, {}, on_secret=lambda _: None, monotonic=lambda: 0.0)


@pytest.fixture
def example(tmp_path: Path) -> Settings:
    """The example as it is shipped, with the files that it refers to."""
    shutil.copytree(ROOT / "config/projects.d", tmp_path / "projects.d")
    secrets = ("access_key", "secret_key", "password", "token", "webhook")
    certificates = ("tls/ca.pem", "tls/client.pem", "tls/client.key")
    names = (*(f"secrets/{name}" for name in secrets), *certificates)
    return load_beside(tmp_path, example_text(), *names)


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


def test_it_shows_every_key_of_the_sections_that_have_one_form(example: Settings) -> None:
    definitions: dict[str, Any] = {}
    for section in (GlobalSettings, StorageSettings, ProjectEntry, ExceptionSettings, Route):
        form_of(section).schema(definitions)
    keys = {key for definition in definitions.values() for key in definition["properties"]}
    shown = set(re.findall(r"\w+", example_text()))
    assert keys - shown == set()


def test_the_configuration_that_was_promised_loads_without_a_warning(tmp_path: Path) -> None:
    promised = (Path(__file__).parent / "contract.yaml").read_text("utf-8")
    text = promised.replace("/run/secrets/", "secrets/")
    secrets = [f"secrets/{name}" for name in ("ak", "sk", "password", "token", "webhook")]
    settings = load_beside(tmp_path, text, *secrets)
    assert settings.warnings == ()
    assert [credential.name for credential in settings.credentials] == [
        "prod",
        "console",
        "fixed",
        "ambient",
    ]
    assert settings.projects[0].labels == (("team", "payments"),)
    assert [type(discovery) for discovery in settings.discovery] == [IamDiscovery, FileDiscovery]
    assert settings.checks["overdue"].severity is Severity.CRITICAL
    assert settings.exceptions[0].owner == "platform@acme.example"
    assert settings.alerting
    assert [hook.type for hook in settings.alerting.hooks] == ["webhook", "alertmanager", "exec"]
    assert settings.storage.retention == timedelta(days=400)
