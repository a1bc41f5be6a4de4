from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from auditd.alerting.route import build_tree
from auditd.audit.finding import Severity
from auditd.config.discovery import FileDiscovery, IamDiscovery
from auditd.config.example import example_text
from auditd.config.project_file import ProjectFiles
from auditd.config.schema import json_schema
from auditd.config.settings import Settings
from tests.unit.config.shipped import CATALOG, load_beside

ROOT = Path(__file__).parents[3]


@pytest.fixture
def example(tmp_path: Path) -> Settings:
    """The example as it is shipped, with the files that it refers to."""
    shutil.copytree(ROOT / "config/projects.d", tmp_path / "projects.d")
    files = re.findall(r"(?:secrets|tls)/[\w.]+", example_text())
    return load_beside(tmp_path, example_text(), *files)


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


def test_it_shows_every_kind_of_hook(example: Settings) -> None:
    assert example.alerting
    assert {hook.type for hook in example.alerting.hooks} == set(CATALOG.hooks)


def test_it_shows_every_key_or_its_form_as_a_file() -> None:
    schema = json_schema(CATALOG)
    mappings = (schema, schema["properties"]["alerting"], *schema["$defs"].values())
    keys = {key.removesuffix("_file") for mapping in mappings for key in mapping["properties"]}
    shown = {word.removesuffix("_file") for word in re.findall(r"\w+", example_text())}
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
    assert build_tree(settings.alerting.route).assign({"severity": "critical", "team": "payments"})
    assert settings.storage.retention == timedelta(days=400)
