"""Objects of Kubernetes as kubectl and Helm render them, and what holds for all of ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import kubernetes_validate  # type: ignore[import-untyped] # published without types
import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
TOOLS = ROOT / ".tools" / "kubernetes"
RELEASES = ("1.27", "1.37")
"""Of Kubernetes: the oldest that the chart admits, and the newest whose schemas are there."""
OPERATOR = "monitoring.coreos.com/v1"

Manifest: TypeAlias = Mapping[str, Any]


def tool(*path: str) -> Path:
    """What tests/tools/kubernetes brings; without it the test is skipped, and in CI fails."""
    found = TOOLS.joinpath(*path)
    if not found.exists():
        reason = f"there is no {found}; tests/tools/kubernetes brings it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


def run(*command: str | Path, stdin: str | None = None, cwd: Path | None = None) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, input=stdin, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(rendered: str) -> list[Manifest]:
    """The objects in a stream of YAML documents."""
    return [each for each in yaml.safe_load_all(rendered) if each]


def one(objects: Sequence[Manifest], *kinds: str) -> Manifest:
    """The only object of these kinds."""
    (found,) = [each for each in objects if each["kind"] in kinds]
    return found


def image_user() -> tuple[int, int]:
    """User and group of our own image; its directories are theirs."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\d+:\d+)$", text, re.MULTILINE)
    uid, gid = user.split(":")
    return int(uid), int(gid)


def workload(objects: Sequence[Manifest]) -> Manifest:
    """What keeps the daemon running."""
    return one(objects, "StatefulSet", "Deployment")


def daemon(objects: Sequence[Manifest]) -> Manifest:
    """The container with the daemon."""
    (container,) = workload(objects)["spec"]["template"]["spec"]["containers"]
    return dict(container)


def check_all(objects: Sequence[Manifest]) -> None:
    """All that holds for every rendering."""
    check_schemas(objects)
    for pod in _pods(objects):
        check_pod(pod)
    check_mounts(objects)
    check_ports(objects)
    check_selectors(objects)


def check_schemas(objects: Sequence[Manifest]) -> None:
    """A cluster accepts every object, and ignores no key of it."""
    ours = [each for each in objects if each["apiVersion"] != OPERATOR]
    for release in RELEASES:
        for each in ours:
            kubernetes_validate.validate(dict(each), release, strict=True)
    if theirs := [each for each in objects if each["apiVersion"] == OPERATOR]:
        assert faults_of(theirs) == ""


def faults_of(objects: Sequence[Manifest]) -> str:
    """What the Prometheus operator would not accept, or not know."""
    types = tool("operator", "node_modules").parent
    program = (Path(__file__).parent / "operator" / "validate.js").read_text()
    module = ("--input-type=module", "--eval", program)
    return run("node", *module, stdin=json.dumps(objects), cwd=types)


def check_pod(spec: Manifest) -> None:
    """It fulfils the restricted Pod Security Standard, and a little more.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    security = spec["securityContext"]
    assert security["runAsNonRoot"] is True
    assert (security["runAsUser"], security["runAsGroup"]) == image_user()
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))
    assert not any("hostPath" in volume for volume in spec.get("volumes", ()))
    for container in [*spec["containers"], *spec.get("initContainers", ())]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not own.get("privileged")
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert not any("valueFrom" in each for each in container.get("env", ()))


def check_mounts(objects: Sequence[Manifest]) -> None:
    """Every volume is mounted as a whole directory, so that a change of it arrives."""
    keeper = workload(objects)
    claims = keeper["spec"].get("volumeClaimTemplates", ())
    volumes = [each["name"] for each in keeper["spec"]["template"]["spec"]["volumes"]]
    volumes += [each["metadata"]["name"] for each in claims]
    mounts = daemon(objects)["volumeMounts"]
    assert sorted(each["name"] for each in mounts) == sorted(volumes)
    assert not any("subPath" in each or "subPathExpr" in each for each in mounts)


def check_ports(objects: Sequence[Manifest]) -> None:
    """A port that is named or numbered somewhere is one on which the daemon listens."""
    container = daemon(objects)
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert f"--web.listen-address=:{ports['http']}" in container["args"]
    assert f"--web.health-listen-address=:{ports['health']}" in container["args"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "health"
    served = {each["name"]: each["targetPort"] for each in one(objects, "Service")["spec"]["ports"]}
    assert set(served.values()) <= ports.keys()
    for each in objects:
        if each["kind"] == "ServiceMonitor":
            assert {endpoint["port"] for endpoint in each["spec"]["endpoints"]} <= served.keys()
        if each["kind"] == "NetworkPolicy":
            rules = each["spec"]["ingress"]
            assert {port["port"] for rule in rules for port in rule["ports"]} <= ports.keys()


def check_selectors(objects: Sequence[Manifest]) -> None:
    """What selects the daemon finds its pod, and no other of ours."""
    keeper = workload(objects)
    labels = keeper["spec"]["template"]["metadata"]["labels"]
    others = [each["metadata"]["labels"] for each in objects if each["kind"] == "Pod"]
    for selector in _selectors(objects):
        assert selector.items() <= labels.items()
        assert not any(selector.items() <= other.items() for other in others)
    for each in objects:
        if each["kind"] == "ServiceMonitor":
            wanted = each["spec"]["selector"]["matchLabels"]
            assert wanted.items() <= one(objects, "Service")["metadata"]["labels"].items()


def check_replicas(objects: Sequence[Manifest]) -> None:
    """Neither a rollout, nor a drain, nor as far as possible a node or a zone ends them all."""
    keeper = workload(objects)
    assert keeper["kind"] == "Deployment"
    assert keeper["spec"]["replicas"] > 1
    strategy = keeper["spec"]["strategy"]
    assert strategy.get("type", "RollingUpdate") == "RollingUpdate"
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    spread = keeper["spec"]["template"]["spec"]["topologySpreadConstraints"]
    keys = [each["topologyKey"] for each in spread]
    assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    for each in spread:
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"
        assert each["labelSelector"] == keeper["spec"]["selector"]


def _selectors(objects: Sequence[Manifest]) -> Iterator[Mapping[str, str]]:
    for each in objects:
        match each:
            case {"kind": "Service", "spec": {"selector": selector}}:
                yield selector
            case {"kind": "NetworkPolicy", "spec": {"podSelector": {"matchLabels": selector}}}:
                yield selector
            case {
                "kind": "StatefulSet" | "Deployment" | "PodDisruptionBudget",
                "spec": {"selector": {"matchLabels": selector}},
            }:
                yield selector


def _pods(objects: Sequence[Manifest]) -> Iterator[Manifest]:
    for each in objects:
        if each["kind"] == "Pod":
            yield each["spec"]
        elif "template" in each.get("spec", {}):
            yield each["spec"]["template"]["spec"]
