from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from auditd import __version__
from tests.deploy import chart, prometheus_rule
from tests.deploy.chart import CHART, template
from tests.deploy.manifests import (
    check_all,
    check_replicas,
    daemon,
    one,
    run,
    tool,
    workload,
)
from tests.deploy.pod import Pod
from tests.e2e.program import COMMAND, running

POSTGRESQL = {"storage": {"type": "postgresql"}}
REPLICAS = {**POSTGRESQL, "replicas": 3}
ON = {"enabled": True}
EVERYTHING = {
    "networkPolicy": {**ON, "extraEgress": [{"ports": [{"protocol": "TCP", "port": 9093}]}]},
    "serviceMonitor": {
        **ON,
        "labels": {"release": "prometheus"},
        "endpoint": {"scheme": "https", "tlsConfig": {"serverName": "auditd.acme.example"}},
    },
    "prometheusRule": {**ON, "labels": {"release": "prometheus"}},
    "imagePullSecrets": [{"name": "registry"}],
    "image": {"digest": f"sha256:{'0' * 64}"},
    "extraFiles": {"projects.list": "[]\n"},
    "web": {"externalUrl": "https://acme.example/auditd/", "existingSecret": "auditd-web"},
    "logLevel": "debug",
    "extraArgs": ["--web.enable-lifecycle"],
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.acme.example:3128"}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "acme-ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/acme"}],
    "service": {"annotations": {"acme.example/owner": "platform"}},
    "serviceAccount": {"annotations": {"acme.example/owner": "platform"}},
    "podAnnotations": {"acme.example/owner": "platform"},
    "podLabels": {"team": "platform"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"operator": "Exists"}],
    "priorityClassName": "high",
}

pytestmark = pytest.mark.timeout(60)  # programs start slowly on a busy machine


@pytest.mark.parametrize("storage", [{}, POSTGRESQL, REPLICAS])
@pytest.mark.parametrize(
    "values",
    [
        {},
        EVERYTHING,
        *({key: ON} for key in EVERYTHING if "enabled" in chart.values().get(key, ())),
    ],
    ids=lambda values: "-".join(values) if len(values) < 2 else "everything",
)
def test_every_rendering_is_accepted_and_keeps_the_policies(
    values: dict[str, Any], storage: dict[str, Any]
) -> None:
    objects = template(values={**values, **storage})
    check_all(objects)
    assert {each["metadata"]["namespace"] for each in objects} == {"default"}
    kinds = {each["kind"] for each in objects}
    asked = {key[0].upper() + key[1:] for key, value in values.items() if "enabled" in value}
    assert kinds - {"ServiceAccount", "ConfigMap", "Service", "Pod"} == {
        "Deployment" if storage else "StatefulSet",
        *(["PodDisruptionBudget"] if storage is REPLICAS else []),
        *asked,
    }


def test_what_was_asked_for_is_there() -> None:
    objects = template(values=EVERYTHING)
    pod = workload(objects)["spec"]["template"]
    container = daemon(objects)
    assert container["image"] == f"servicestage-auditd@sha256:{'0' * 64}"
    assert "--web.external-url=https://acme.example/auditd/" in container["args"]
    assert "--web.enable-lifecycle" in container["args"]
    assert pod["metadata"]["labels"]["team"] == "platform"
    for key in ("nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets"):
        assert pod["spec"][key] == EVERYTHING[key]
    (endpoint,) = one(objects, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["path"] == "/auditd/metrics"
    assert endpoint["scheme"] == "https"
    assert one(objects, "ServiceMonitor")["metadata"]["labels"]["release"] == "prometheus"
    assert one(objects, "ConfigMap")["data"]["projects.list"] == "[]\n"
    rules = one(objects, "NetworkPolicy")["spec"]["egress"]
    assert [port["port"] for rule in rules for port in rule["ports"]] == [443, 53, 53, 9093]


@pytest.mark.parametrize("values", [{}, EVERYTHING, REPLICAS])
def test_the_configuration_and_the_flags_are_valid(tmp_path: Path, values: dict[str, Any]) -> None:
    objects = template(values=values)
    pod = Pod(tmp_path)
    pod.mount(objects)
    assert daemon(objects)["command"] == [COMMAND.name]
    said = run(COMMAND, *pod.arguments(objects), "--config.check")
    assert "valid: 0 projects, 1 discovery source, 1 credential" in said


def test_a_number_in_values_stays_a_number(tmp_path: Path) -> None:
    large = {"max_series": 2_000_000, "requests_per_second": 0.5}
    objects = template(values={"config": {"global": large}})
    pod = Pod(tmp_path)
    pod.mount(objects)
    run(COMMAND, *pod.arguments(objects), "--config.check")
    assert yaml.safe_load(one(objects, "ConfigMap")["data"]["auditd.yaml"])["global"] == large


def test_the_database_is_named_by_a_secret() -> None:
    named = {"type": "postgresql", "postgresql": {"existingSecret": "db", "key": "uri"}}
    for values in ({"storage": named}, {"storage": named, "existingSecret": ""}):
        objects = template(values={**values, "config": {"storage": {"retention": "30d"}}})
        check_all(objects)
        configuration = yaml.safe_load(one(objects, "ConfigMap")["data"]["auditd.yaml"])
        assert configuration["storage"] == {
            "url_file": "/run/secrets/servicestage-auditd/storage_url",
            "retention": "30d",
        }
        volumes = workload(objects)["spec"]["template"]["spec"]["volumes"]
        (projected,) = [each["projected"] for each in volumes if "projected" in each]
        assert projected["sources"][-1]["secret"] == {
            "name": "db",
            "items": [{"key": "uri", "path": "storage_url"}],
        }


def test_one_daemon_has_a_file() -> None:
    keeper = workload(template())
    assert (keeper["kind"], keeper["spec"]["replicas"]) == ("StatefulSet", 1)
    assert keeper["spec"]["podManagementPolicy"] == "Parallel"


def test_replicas_share_a_server_and_never_go_all_at_once() -> None:
    objects = template(values=REPLICAS)
    check_replicas(objects)
    assert workload(objects)["spec"]["replicas"] == 3
    alone = template(values=POSTGRESQL)
    assert workload(alone)["spec"]["replicas"] == 1
    assert "topologySpreadConstraints" not in workload(alone)["spec"]["template"]["spec"]


def test_a_spread_of_ones_own_takes_the_place_of_ours() -> None:
    own = [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]
    objects = template(values={**REPLICAS, "topologySpreadConstraints": own})
    check_all(objects)
    assert workload(objects)["spec"]["template"]["spec"]["topologySpreadConstraints"] == own


def test_without_secrets_none_are_mounted() -> None:
    objects = template(values={"existingSecret": ""})
    check_all(objects)
    assert "secrets" not in {each["name"] for each in daemon(objects)["volumeMounts"]}


def test_a_claim_that_is_there_is_used() -> None:
    objects = template(values={"storage": {"sqlite": {"existingClaim": "old"}}})
    check_all(objects)
    spec = workload(objects)["spec"]
    assert "volumeClaimTemplates" not in spec
    claim = {"name": "state", "persistentVolumeClaim": {"claimName": "old"}}
    assert claim in spec["template"]["spec"]["volumes"]


def test_helm_finds_nothing_to_say() -> None:
    said = run(tool("bin", "helm"), "lint", "--strict", CHART)
    assert "0 chart(s) failed" in said
    assert "[WARNING]" not in said


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"] == __version__


def test_rules_are_those_of_prometheus() -> None:
    objects = template(values={"prometheusRule": ON})
    assert one(objects, "PrometheusRule")["spec"]["groups"] == prometheus_rule.groups()


async def test_probes_are_answered_and_an_upgrade_reaches_the_running_daemon(
    tmp_path: Path,
) -> None:
    def values(*names: str) -> dict[str, Any]:
        projects = [
            {
                "name": name,
                "project_id": f"{number:032x}",
                "region": "cn-north-4",
                "credential": "prod",
                "endpoint": "http://127.0.0.1:1",  # nobody is there
            }
            for number, name in enumerate(names)
        ]
        config = {"projects": projects, "discovery": None}
        return {"config": config, "web": {"externalUrl": "/auditd"}, "serviceMonitor": ON}

    objects = template(values=values("web"))
    pod = Pod(tmp_path)
    pod.mount(objects)
    arguments = [*pod.arguments(objects), f"--storage.url=sqlite:///{tmp_path}/state.db"]
    async with running(*arguments) as program, aiohttp.ClientSession() as session:
        started = await program.event("daemon.started")
        http, health = started["listening"]
        await program.event("daemon.ready")
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = daemon(objects)[probe]["httpGet"]["path"]
            async with session.get(f"http://{health}{path}") as answer:
                assert answer.status == 200
        (endpoint,) = one(objects, "ServiceMonitor")["spec"]["endpoints"]
        async with session.get(f"http://{http}{endpoint['path']}") as answer:
            assert "auditd_build_info" in await answer.text()
        pod.mount(template(values=values("web", "shop")))
        await program.event("config.reloaded", projects_added=1)
