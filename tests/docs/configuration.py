"""Blocks of YAML: what kind of file each is a part of, and whether its reader takes it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped] # published without types
import trustme
import yaml

from auditd.config.load import SECTIONS, load
from auditd.config.web_config import load_web_config
from auditd.daemon.catalog import load_catalog
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.planning import rehearse
from auditd.simulator.loading import load_scenario
from tests.docs.blocks import ROOT

_CHART = ROOT / "deploy" / "helm" / "servicestage-auditd"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PROJECT = {"name": "p", "project_id": "0" * 32, "region": "cn-north-4"}
_RELEASE = "1.31"
"""Of Kubernetes."""


def check_configuration(text: str, place: Path) -> None:
    """Read it as the daemon would, with what it leaves out. `place` is an empty directory.

    Every file that it names is there. What it leaves out stands beside it: credentials,
    something to watch, hooks, a route.
    """
    document = yaml.safe_load(text)
    text = _moved(text, place)
    _make_files(yaml.safe_load(text), place)
    (place / "block.yaml").write_text(text)
    rest = {"include": ["block.yaml"], **_rest(document)}
    (place / "whole.yaml").write_text(yaml.safe_dump(rest))
    environ = dict.fromkeys(_VARIABLE.findall(text), "secrets/")
    catalog = load_catalog()
    settings = load(
        place / "whole.yaml", catalog, environ, on_secret=lambda _: None, monotonic=lambda: 0.0
    )
    try:
        rehearse(settings, catalog)
    except UnusableSettingError as error:
        # What is only built with an extra is built where that is installed.
        if find_spec("apprise") or "this type needs Apprise" not in str(error):
            raise


def _moved(text: str, place: Path) -> str:
    """With the files of the system in `place`."""
    return re.sub(r"(?<=[\s:/])/(?=(run|etc|var)/)", f"{place}/", text)


def _rest(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the document speaks of or needs, and does not have."""
    rest: dict[str, Any] = {}
    if "projects" not in document and "discovery" not in document:
        rest["projects"] = [{**_PROJECT, "credential": "missing"}]
    named = {value for key, value in _scalars([document, rest]) if key == "credential"}
    for name in named - {one["name"] for one in document.get("credentials", ())}:
        rest.setdefault("credentials", []).append({"name": name, "type": "token", "token": "x"})
    if alerting := document.get("alerting"):
        rest["alerting"] = _rest_of_alerting(alerting)
    return rest


def _rest_of_alerting(alerting: Mapping[str, Any]) -> dict[str, Any]:
    hooks = {one["name"] for one in alerting.get("hooks", ())}
    rest: dict[str, Any] = {}
    if "route" not in alerting:
        rest["route"] = {"hook": min(hooks, default="missing")}
    routed = {value for key, value in _scalars([alerting.get("route"), rest]) if key == "hook"}
    if missing := routed - hooks:
        rest["hooks"] = [
            {"name": name, "type": "exec", "command": ["/bin/true"]} for name in missing
        ]
    return rest


def _make_files(document: Any, place: Path) -> None:
    authority = trustme.CA()
    pem = b"".join(
        blob.bytes() for blob in (authority.cert_pem, authority.issue_cert("x").private_key_pem)
    )
    for key, value in _scalars(document):
        if key.endswith("_file") and isinstance(value, str):
            file = place / _VARIABLE.sub("secrets/", value)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            is_pem = key in {"ca_file", "cert_file", "key_file", "client_ca_file"}
            file.write_bytes(pem if is_pem else b"https://hooks.acme.example/not-a-secret")


def _scalars(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar with the key that it stands under, those of lists too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _scalars(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner, key)
    else:
        yield key, value


class Readers:
    """The program that reads each kind of file. `promtool` and `amtool` are the real ones."""

    def __init__(self, promtool: Path, amtool: Path) -> None:
        self._promtool = promtool
        self._amtool = amtool

    def check(self, text: str, place: Path) -> None:
        """Fail unless the reader of this kind of YAML takes it. `place` is an empty directory."""
        kind = kind_of(next(yaml.safe_load_all(text)))
        if kind in _OURS:
            _OURS[kind](text, place)
            return
        (place / "deploy").symlink_to(ROOT / "deploy")
        file = place / "quickstart" / f"{kind}.yaml"  # beside deploy, as in the quick start
        file.parent.mkdir()
        file.write_text(text)
        readers: Mapping[str, tuple[str | Path, ...]] = {
            "prometheus": (self._promtool, "check", "config"),
            "rules": (self._promtool, "check", "rules"),
            "alertmanager": (self._amtool, "check-config"),
        }
        _succeed(*readers[kind], file)

    def check_promql(self, text: str, place: Path) -> None:
        """Fail unless each expression parses; a line that is indented goes on with the last one."""
        lines = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
        expressions = re.split(r"\n(?!\s|\))", "\n".join(lines))
        rules = [{"record": f"r{n}", "expr": one} for n, one in enumerate(expressions)]
        file = place / "promql.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
        _succeed(self._promtool, "check", "rules", file)


def kind_of(document: Any) -> str:
    """What a document is, by its keys; whatever is nothing else is our configuration."""
    if isinstance(document, list):
        return "projects"
    keys = document.keys()
    marks: Mapping[str, set[str]] = {
        "kubernetes": {"apiVersion"},
        "prometheus": {"scrape_configs", "rule_files", "scrape_config_files"},
        "rules": {"groups"},
        "alertmanager": {"receivers", "inhibit_rules"},
        "web": {"tls_server_config", "basic_auth_users", "http_server_config", "rate_limit"},
        "scenario": {"life", "faults", "generate"},
    }
    for kind, names in marks.items():
        if names & keys:
            return kind
    if any("authorizations" in one for one in document.get("projects", ()) or ()):
        return "scenario"
    is_ours = keys <= set(SECTIONS) and "type" not in document.get("storage", {})
    return "configuration" if is_ours or not keys <= _values().keys() else "helm"


def _values() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((_CHART / "values.yaml").read_text())
    return values


def _check_projects(text: str, place: Path) -> None:
    check_configuration(yaml.safe_dump({"projects": yaml.safe_load(text)}), place)


def _check_scenario(text: str, place: Path) -> None:
    file = place / "scenario.yaml"
    file.write_text(text)
    load_scenario(file)


def _check_web(text: str, place: Path) -> None:
    text = _moved(text, place)
    _make_files(yaml.safe_load(text), place)
    (place / "web.yaml").write_text(text)
    load_web_config(place / "web.yaml", on_secret=lambda _: None)


def _check_helm(text: str, place: Path) -> None:
    schema = yaml.safe_load((_CHART / "values.schema.json").read_text())
    values = yaml.safe_load(text)
    jsonschema.validate({**_values(), **values}, schema)
    if config := {key: value for key, value in values.get("config", {}).items() if value}:
        check_configuration(yaml.safe_dump(config), place)


def _check_kubernetes(text: str, place: Path) -> None:
    for document in yaml.safe_load_all(text):
        if document["apiVersion"].startswith("kustomize"):
            _check_kustomization(document)
        else:
            kubernetes_validate.validate(document, _RELEASE, strict=True)


def _check_kustomization(document: Mapping[str, Any]) -> None:
    for path in (*document.get("resources", ()), *document.get("components", ())):
        inside = path.partition("servicestage-auditd/")[2]
        assert not inside or (ROOT / inside / "kustomization.yaml").is_file(), path


def _succeed(*command: str | os.PathLike[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


_OURS: Mapping[str, Callable[[str, Path], None]] = {
    "configuration": check_configuration,
    "projects": _check_projects,
    "scenario": _check_scenario,
    "web": _check_web,
    "helm": _check_helm,
    "kubernetes": _check_kubernetes,
}
