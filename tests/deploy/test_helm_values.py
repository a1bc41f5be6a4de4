from __future__ import annotations

import asyncio
import re
import sys
from textwrap import dedent
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from auditd.config.load import SECTIONS
from tests.deploy import chart
from tests.deploy.chart import CHART, template
from tests.deploy.manifests import check_all, one, run, tool

pytestmark = pytest.mark.timeout(60)  # programs start slowly on a busy machine


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"storge": {}}, "additional properties 'storge' not allowed"),
        ({"storage": {"type": "mysql"}}, "at '/storage/type'"),
        ({"storage": {"sqlite": {"sise": "1Gi"}}}, "additional properties 'sise' not allowed"),
        ({"config": {"globl": {}}}, "invalid propertyName 'globl'"),
        ({"config": {"storage": {"url": "x"}}}, "additional properties 'url' not allowed"),
        ({"extraFiles": {"auditd.yaml": ""}}, "invalid propertyName 'auditd.yaml'"),
        ({"resources": {"limit": {}}}, "additional properties 'limit' not allowed"),
        ({"replicas": 0}, "at '/replicas'"),
        ({"replicas": 2}, "replicas: 2 share their state on a server only; set storage.type to"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "at '/podDisruptionBudget"),
        ({"image": {"digest": "latest"}}, "at '/image/digest'"),
        ({"serviceMonitor": {"interval": "30"}}, "at '/serviceMonitor/interval'"),
        (
            {"storage": {"type": "postgresql"}, "existingSecret": ""},
            "storage.postgresql.existingSecret: name the Secret",
        ),
    ],
)
def test_a_value_that_is_wrong_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(said)):
        template(values=values)


def test_the_schema_knows_no_value_that_is_not_there() -> None:
    def compare(values: Any, schema: Any, helms_own: set[str]) -> None:
        if "description" in schema:
            return
        assert schema["additionalProperties"] is False
        assert values.keys() == schema["properties"].keys() - helms_own
        for key, value in values.items():
            compare(value, schema["properties"][key], set())

    compare(chart.values(), chart.schema(), {"global"})


def test_the_schema_knows_the_sections_of_the_configuration() -> None:
    assert chart.schema()["properties"]["config"]["propertyNames"]["enum"] == list(SECTIONS)


def test_the_readme_has_every_value() -> None:
    readme = chart.README.read_text()
    assert readme == chart.with_table(readme), "run: python -m tests.deploy.chart"
    assert readme.count("\n| `") == len(list(chart.leaves(chart.values(), chart.schema())))


def test_the_readmes_values_are_accepted() -> None:
    blocks = chart.README.read_text().split("```yaml\n")[1:]
    assert len(blocks) == 3
    for block in blocks:
        values = yaml.safe_load(dedent(block.split("```")[0]))
        check_all(template(values=values))


def test_notes_say_what_to_do_next() -> None:
    def notes(*flags: str) -> str:
        install = (tool("bin", "helm"), "install", "r", CHART, "--dry-run=client")
        return run(*install, *flags).split("\nNOTES:\n")[1]

    assert "secret_key --from-file=storage_url\n" in notes("--set=storage.type=postgresql")
    assert "status deployment/r-servicestage" in notes("--set=storage.type=postgresql")
    said = notes("--set=web.externalUrl=/auditd,web.existingSecret=w,service.port=80")
    assert "http://127.0.0.1:9877/auditd/ :" in said
    assert "r-servicestage-auditd 9877:80\n" in said
    assert "Whoever can reach" not in said


@pytest.mark.parametrize("status", [200, 503])
async def test_helm_test_asks_whether_it_is_ready(status: int) -> None:
    (container,) = one(template(), "Pod")["spec"]["containers"]
    program, url = container["args"]
    assert url == "http://r-servicestage-auditd:9878/-/ready"

    async def ready(_request: web.Request) -> web.Response:
        return web.Response(status=status, text="1 of 2 projects were not tried yet\n")

    app = web.Application()
    app.add_routes([web.get("/-/ready", ready)])
    async with TestServer(app) as server:
        asked = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            str(server.make_url("/-/ready")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asked.communicate()
    assert "1 of 2 projects" in said.decode()
    assert asked.returncode == (0 if status == 200 else 1)
