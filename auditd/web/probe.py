"""One project, polled while Prometheus waits: for those who want its scrapes to be the polls.

Source: https://prometheus.io/docs/guides/multi-target-exporter/
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from time import monotonic

from aiohttp import hdrs, web

from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.fleet_office import FleetOffice
from auditd.web.office import UnavailableError

PATH = "/probe"
TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"
OFFSET_SECONDS = 0.5
"""How long before the scraper gives up the answer is on its way."""
LONGEST_SECONDS = 120.0
"""For a scraper that does not say how long it waits, or says more."""

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OUTCOME = """\
# HELP probe_success Whether the project could be listed in time.
# TYPE probe_success gauge
probe_success {success:d}
# HELP probe_duration_seconds How long the probe took.
# TYPE probe_duration_seconds gauge
probe_duration_seconds {seconds:.6f}
"""


def make_probe(
    office: FleetOffice, render: Callable[[ProjectSnapshot], str]
) -> Sequence[web.RouteDef]:
    """The route of /probe, without the prefix of the external URL.

    Args:
        office: polls.
        render: the series of one project, as Prometheus text. As everywhere they are of the
            last poll, also when that was another one.
    """

    async def probe(request: web.Request) -> web.Response:
        targets = request.query.getall("target", ())
        if len(targets) != 1:
            return _refusal(HTTPStatus.BAD_REQUEST, "give one project as the parameter target")
        try:
            return await _probe(office, render, targets[0], _seconds_of(request))
        except LookupError as error:
            return _refusal(HTTPStatus.NOT_FOUND, str(error.args[0]))
        except ValueError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))
        except UnavailableError as error:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    return [web.get(PATH, probe)]


async def _probe(
    office: FleetOffice, render: Callable[[ProjectSnapshot], str], name: str, seconds: float
) -> web.Response:
    began_at = monotonic()
    try:
        async with asyncio.timeout(seconds):
            snapshot = await office.poll_now(name)
        success = snapshot.is_up
    except TimeoutError:  # the poll goes on, and the next scrape sees what it found
        snapshot, success = office.snapshot(name), False
    outcome = _OUTCOME.format(success=success, seconds=monotonic() - began_at)
    headers = {hdrs.CONTENT_TYPE: _CONTENT_TYPE}
    return web.Response(body=(outcome + render(snapshot)).encode(), headers=headers)


def _seconds_of(request: web.Request) -> float:
    """How long the poll may take.

    Raises:
        ValueError: the scraper's timeout is no time.
    """
    text = request.headers.get(TIMEOUT_HEADER, str(LONGEST_SECONDS))
    try:
        seconds = min(float(text), LONGEST_SECONDS)
    except ValueError:
        seconds = 0.0
    if not seconds > 0.0:
        msg = f"the header {TIMEOUT_HEADER} must be a positive number"
        raise ValueError(msg)
    return max(seconds - OFFSET_SECONDS, seconds / 2)


def _refusal(status: HTTPStatus, message: str) -> web.Response:
    text = message[:512].encode(errors="replace").decode()  # no lone surrogates
    return web.Response(status=status, text=f"{text}\n")
