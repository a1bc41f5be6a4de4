from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditd import __version__
from tests.deploy import prometheus_rule
from tests.deploy.manifests import (
    ROOT,
    Manifest,
    check_all,
    check_pod,
    check_replicas,
    daemon,
    faults_of,
    one,
    read,
    run,
    tool,
    workload,
)
from tests.deploy.pod import Pod
from tests.e2e.program import COMMAND

KUSTOMIZE = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("sqlite", "postgresql")
OPTIONAL = ("service-monitor", "prometheus-rule", "network-policy")

pytestmark = pytest.mark.timeout(60)  # programs start slowly on a busy machine


def build(directory: Path) -> list[Manifest]:
    return read(run(tool("bin", "kubectl"), "kustomize", directory))


def combine(home: Path, overlay: str, *components: str) -> list[Manifest]:
    """As a user's own kustomization builds them."""
    there = os.path.relpath(KUSTOMIZE, home)
    own = {
        "resources": [f"{there}/overlays/{overlay}"],
        "components": [f"{there}/components/{name}" for name in components],
    }
    (home / "kustomization.yaml").write_text(yaml.safe_dump(own))
    return build(home)


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("components", [(), *zip(OPTIONAL, strict=True), OPTIONAL])
def test_every_overlay_is_accepted_and_keeps_the_policies(
    tmp_path: Path, overlay: str, components: Sequence[str]
) -> None:
    objects = combine(tmp_path, overlay, *components)
    check_all(objects)
    assert len(objects) == 5 + (overlay == "postgresql") + len(components)
    namespaced = [each for each in objects if each["kind"] != "Namespace"]
    assert {each["metadata"]["namespace"] for each in namespaced} == {"servicestage-auditd"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_configuration_and_the_flags_are_valid(tmp_path: Path, overlay: str) -> None:
    objects = build(KUSTOMIZE / "overlays" / overlay)
    pod = Pod(tmp_path)
    pod.mount(objects)
    (container,) = workload(objects)["spec"]["template"]["spec"]["containers"]
    assert container["command"] == [COMMAND.name]
    said = run(COMMAND, *pod.arguments(objects), "--config.check")
    assert "valid: 0 projects, 1 discovery source, 1 credential" in said


def test_state_is_where_the_configuration_says(tmp_path: Path) -> None:
    objects = build(KUSTOMIZE / "overlays" / "postgresql")
    pod = Pod(tmp_path)
    pod.mount(objects, storage_url="mysql://db\n")
    with pytest.raises(AssertionError, match=r"storage\.url_file.*sqlite.*postgresql"):
        run(COMMAND, *pod.arguments(objects), "--config.check")
    mounts = daemon(build(KUSTOMIZE / "overlays" / "sqlite"))["volumeMounts"]
    assert {"name": "state", "mountPath": "/var/lib/servicestage-auditd"} in mounts


def test_one_daemon_has_a_file() -> None:
    objects = build(KUSTOMIZE / "overlays" / "sqlite")
    keeper = workload(objects)
    assert (keeper["kind"], keeper["spec"]["replicas"]) == ("StatefulSet", 1)
    assert keeper["spec"]["podManagementPolicy"] == "Parallel"


def test_replicas_share_a_server_and_never_go_all_at_once() -> None:
    objects = build(KUSTOMIZE / "overlays" / "postgresql")
    check_replicas(objects)
    assert workload(objects)["spec"]["replicas"] == 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_image_is_of_this_version(overlay: str) -> None:
    assert daemon(build(KUSTOMIZE / "overlays" / overlay))["image"] == (
        f"servicestage-auditd:{__version__}"
    )


def test_the_readmes_kustomization_builds_what_it_says(tmp_path: Path) -> None:
    readme = (KUSTOMIZE / "README.md").read_text()
    (text,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    there = os.path.relpath(ROOT, tmp_path)
    own = text.replace("../servicestage-auditd", there)
    (tmp_path / "kustomization.yaml").write_text(own)
    (tmp_path / "auditd.yaml").write_text("projects: []\n")
    objects = build(tmp_path)
    check_all(objects)
    assert one(objects, "ConfigMap")["data"] == {"auditd.yaml": "projects: []\n"}
    assert one(objects, "ConfigMap")["metadata"]["name"] == "servicestage-auditd"
    assert daemon(objects)["image"] == (f"registry.acme.example/servicestage-auditd:{__version__}")
    assert one(objects, "Namespace")["metadata"]["name"] == "audit"
    assert one(objects, "ServiceMonitor")["metadata"]["namespace"] == "audit"


def test_the_readme_names_everything_there_is() -> None:
    readme = (KUSTOMIZE / "README.md").read_text()
    there = {path.name for path in KUSTOMIZE.glob("*/*/") if path.parent.name != "base"}
    named = set(re.findall(r"(?:overlays|components)/([a-z-]+)", readme))
    assert named == there - {"pod"}  # part of the overlays


def test_postgresql_may_be_reached_where_that_is_said(tmp_path: Path) -> None:
    policies = ("network-policy", "network-policy-postgresql")
    objects = combine(tmp_path, "postgresql", *policies)
    check_all(objects)
    rules = one(objects, "NetworkPolicy")["spec"]["egress"]
    assert [port["port"] for rule in rules for port in rule["ports"]] == [443, 53, 53, 5432]


def test_rules_are_those_of_prometheus() -> None:
    said = "run: python -m tests.deploy.prometheus_rule"
    for path, text in prometheus_rule.wanted().items():
        assert path.exists(), said
        assert path.read_text() == text, said
    copies = {path.name for path in prometheus_rule.COPIES.iterdir()}
    assert copies == {path.name for path in prometheus_rule.RULES.glob("*.yaml")}
    assert prometheus_rule.groups()
    made = yaml.safe_load(prometheus_rule.OBJECT.read_text())
    assert made["spec"]["groups"] == prometheus_rule.groups()


def test_what_the_operator_does_not_know_is_a_fault() -> None:
    rule = {"alert": "A", "expression": "up", "for": "soon"}
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "bad"},
        "spec": {"groups": [{"name": "g", "rules": [rule]}]},
    }
    faults = faults_of([made])
    assert "/spec/groups/0/rules/0/expression: unknown key" in faults
    assert "must have required property expr" in faults
    assert "for must match pattern" in faults


@pytest.mark.parametrize(
    "change",
    [
        {"securityContext": {}},
        {"automountServiceAccountToken": True},
        {"hostNetwork": True},
        {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
    ],
)
def test_a_pod_that_breaks_a_policy_is_noticed(change: dict[str, Any]) -> None:
    pod = workload(build(KUSTOMIZE / "overlays" / "sqlite"))["spec"]["template"]["spec"]
    check_pod(pod)
    with pytest.raises((AssertionError, KeyError)):
        check_pod({**pod, **change})


@pytest.mark.parametrize("key", ["securityContext", "resources"])
def test_a_container_that_breaks_a_policy_is_noticed(key: str) -> None:
    pod = workload(build(KUSTOMIZE / "overlays" / "sqlite"))["spec"]["template"]["spec"]
    container = {**pod["containers"][0], key: {"limits": {"memory": "1Gi"}}}
    with pytest.raises((AssertionError, KeyError)):
        check_pod({**pod, "containers": [container]})
