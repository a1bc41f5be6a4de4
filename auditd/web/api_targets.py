"""The projects as targets for Prometheus, each of which it scrapes through /probe.

Source: https://prometheus.io/docs/prometheus/latest/http_sd/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.api_answer import ApiError, ErrorType
from auditd.web.api_page import Slices
from auditd.web.api_query import Query
from auditd.web.api_route import ROOT, Call
from auditd.web.fleet_office import FleetOffice

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_NOT_IN_A_LABEL_NAME = re.compile(r"[^a-zA-Z0-9_]")


class TargetGroup(msgspec.Struct, frozen=True):
    """One project: this daemon is the target, and the project its parameter."""

    targets: tuple[str, ...]
    labels: Mapping[str, str]


class TargetsApi:
    """Lists them."""

    def __init__(self, office: FleetOffice, slices: Slices) -> None:
        self._office = office
        self._slices = slices

    async def targets(self, call: Call[Query, None]) -> bytes:
        """All of them: a list is taken as complete, so it has no pages."""
        request = call.request
        host = request.host
        if not _HOST.fullmatch(host):
            raise ApiError(ErrorType.BAD_DATA, "the header Host names no host and port")
        prefix = request.path.rpartition(ROOT)[0]
        common = {"__scheme__": request.scheme, "__metrics_path__": f"{prefix}/probe"}

        def encoded(snapshot: ProjectSnapshot) -> bytes:
            labels = {**common, **_labels_of(snapshot)}
            return msgspec.json.encode(TargetGroup((host,), labels))

        groups: list[bytes] = []
        await self._slices.each(self._office.snapshots, lambda it: groups.append(encoded(it)))
        return b"[" + b",".join(groups) + b"]"


def _labels_of(snapshot: ProjectSnapshot) -> Mapping[str, str]:
    project = snapshot.project
    configured = {
        "__meta_auditd_label_" + _NOT_IN_A_LABEL_NAME.sub("_", name): value
        for name, value in project.labels
    }
    return {
        "__param_target": project.name,
        "__meta_auditd_project": project.name,
        "__meta_auditd_project_id": project.project_id,
        "__meta_auditd_region": project.region,
        "__meta_auditd_credential": project.credential,
        **configured,
    }
