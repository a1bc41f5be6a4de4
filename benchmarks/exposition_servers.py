"""What benchmarks/exposition.py measures, each in a process of its own.

Usage: exposition_servers.py auditd|client_python SERIES. It prints its port once it serves.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click
import structlog
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.exposition import render_snapshots
from auditd.telemetry.metrics import Metrics
from auditd.telemetry.poll_counts import PollCounts
from auditd.web.address import Address
from auditd.web.app import Readiness, make_app
from auditd.web.listener import listen

SERIES_EACH = 8
"""Of one authorization that is not verified."""
AUTHORIZATIONS_EACH = 100
POLL_SECONDS = 5.0
"""How often every project is polled without news meanwhile."""

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_CHECKS = {"overdue": (Severity.CRITICAL,), "stale": (Severity.WARNING, Severity.CRITICAL)}
_HOSTS = ("github", "gitlab", "gitee", "bitbucket", "devcloud")
_ODD = (' "q"', r"\b", " 授权", "")


def make_fleet(series: int) -> list[ProjectSnapshot]:
    """Projects of 100 authorizations each; every fiftieth name must be escaped or is not ASCII."""
    return [_project(number) for number in range(series // SERIES_EACH // AUTHORIZATIONS_EACH)]


def _project(number: int) -> ProjectSnapshot:
    listed = [_authorization(number, place) for place in range(AUTHORIZATIONS_EACH)]
    authorizations = {authorization.name: authorization for authorization in listed}
    return ProjectSnapshot(
        project=Project(
            name=f"project-{number:05d}",
            project_id=f"{number * 7919:032x}",
            region="cn-north-4",
            credential="prod",
            poll_interval=timedelta(minutes=5),
            poll_timeout=timedelta(seconds=30),
        ),
        attempted_at=_NOW,
        succeeded_at=_NOW,
        authorizations=authorizations,
        stale_at={name: _NOW + timedelta(seconds=at) for at, name in enumerate(authorizations)},
    )


def _authorization(number: int, place: int) -> Authorization:
    host = _HOSTS[(number + place) % len(_HOSTS)]
    odd = _ODD[number % len(_ODD)] if place % 50 == 0 else ""
    return Authorization(
        name=f"auth-{number:04d}-{place:05d}-{host}{odd}",
        repo_type=host,
        repo_host=f"https://{host}.example.com/api/v4",
        repo_user="tom",
        token_type="oauth",  # noqa: S106 - a kind of token
        tag="intl",
        status=Status.OVERDUE if place % 33 == 0 else Status.NORMAL,
        raw_status="0",
        created_at=_NOW - timedelta(seconds=(number + place) * 37, milliseconds=place * 7),
        updated_at=_NOW - timedelta(seconds=(number + place) * 31, milliseconds=place * 3),
    )


class _Same(Collector):
    """The series of a text, as prometheus_client would have them."""

    def __init__(self, text: str) -> None:
        self._metrics = list(text_string_to_metric_families(text))

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def serve_client_python(series: int) -> None:
    """The same series from prometheus_client's own server."""
    text = render_snapshots(make_fleet(series), _CHECKS, PollCounts(), max_series=sys.maxsize)
    registry = CollectorRegistry()
    registry.register(_Same(text))
    server, thread = start_http_server(0, "127.0.0.1", registry)
    click.echo(server.server_port)
    thread.join()


async def serve_auditd(series: int) -> None:
    """The daemon's pages, with a fleet that is polled without news."""
    fleet = make_fleet(series)
    metrics = Metrics(
        fleet=lambda: fleet,
        checks=lambda: _CHECKS,
        credentials=lambda: (),
        dropped_log_lines=lambda: 0,
        version="0",
        logger=structlog.get_logger(),
        max_series=sys.maxsize,
    )
    app = make_app(expose=metrics.expose, readiness=Readiness, version="0")
    async with listen(app, [Address("127.0.0.1", 0)]) as (bound,):
        click.echo(bound.port)
        at = _NOW
        while True:
            await asyncio.sleep(POLL_SECONDS)
            at += timedelta(seconds=POLL_SECONDS)
            for place, snapshot in enumerate(fleet):
                fleet[place] = replace(snapshot, attempted_at=at, succeeded_at=at)


def main(kind: str, series: str) -> None:
    """Serve until killed."""
    if kind == "auditd":
        asyncio.run(serve_auditd(int(series)))
    else:
        serve_client_python(int(series))


if __name__ == "__main__":
    main(*sys.argv[1:])
