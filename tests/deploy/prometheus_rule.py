"""The rules of deploy/prometheus where Kubernetes wants them; as a program it writes them there.

    python -m tests.deploy.prometheus_rule

Kustomize cannot wrap a file in an object, and a chart holds no file from outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_DEPLOY = Path(__file__).parent.parent.parent / "deploy"
RULES = _DEPLOY / "prometheus" / "rules"
OBJECT = _DEPLOY / "kubernetes" / "components" / "prometheus-rule" / "prometheus-rule.yaml"
COPIES = _DEPLOY / "helm" / "servicestage-auditd" / "rules"

_HEAD = "# Made of deploy/prometheus/rules by `python -m tests.deploy.prometheus_rule`.\n"


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as people do."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent)


def groups() -> list[Any]:
    """All groups of rules, by file."""
    files = sorted(RULES.glob("*.yaml"))
    return [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]


def wanted() -> Mapping[Path, str]:
    """Path -> what must be in it."""
    name = "servicestage-auditd"
    labels = {"app.kubernetes.io/name": name}
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": name, "labels": labels},
        "spec": {"groups": groups()},
    }
    text = yaml.dump(made, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    copies = {COPIES / file.name: file.read_text() for file in sorted(RULES.glob("*.yaml"))}
    return {OBJECT: _HEAD + text, **copies}


def write() -> None:
    """Write them, and remove copies whose original is gone."""
    COPIES.mkdir(exist_ok=True)
    for file in COPIES.glob("*"):
        file.unlink()
    for path, text in wanted().items():
        path.write_text(text)


if __name__ == "__main__":
    write()
