"""What a scraper is sent: Prometheus text or OpenMetrics, compressed if it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.family import Family
from auditd.telemetry.fleet_exposition import FleetExposition
from auditd.telemetry.fragment import Fragment, Stream, Strip, deflate
from auditd.telemetry.poll_counts import PollCounts
from auditd.telemetry.series import Checks

_PIECE_BYTES = 128 * 1024
"""What is sent at once. More would hold up the event loop, less would be many passes of it."""
_PIECE_PARTS = 128
"""Fragments, however small: to inflate so many of them takes half a millisecond."""
_TURN_SECONDS = 0.00025
"""How long a scrape works until others have their turn; several scrapes may take turns."""
_FIRST_TURN_SECONDS = 0.001
"""Likewise for the first, which has all of it to write while the first polls are written: with
brief turns these have the processor for most of the time."""
_EOF = b"# EOF\n"

_Encode: TypeAlias = Callable[[Collector], bytes]


@dataclass(frozen=True, slots=True)
class Exposition:
    """A body that is put together while it is sent, and the headers that describe it."""

    headers: Mapping[str, str]
    stream: Stream

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.stream.size

    def pieces(self) -> Iterator[bytes]:
        """The body in pieces of some 128 KiB at most, each made when it is asked for."""
        parts, size = list[bytes](), 0
        for part in self.stream.parts():
            parts.append(part)
            size += len(part)
            if size >= _PIECE_BYTES or len(parts) == _PIECE_PARTS:
                yield b"".join(parts)
                parts, size = [], 0
        yield b"".join(parts)


class Exposer:
    """Puts together what each scraper asks for, from what is kept of the fleet.

    Args:
        fleet: its series.
        registry: all other metrics, which are few.
    """

    def __init__(self, fleet: FleetExposition, registry: CollectorRegistry) -> None:
        self._fleet = fleet
        self._registry = registry
        self._encoded: dict[tuple[str, bool], tuple[Metric, Fragment]] = {}
        """The other metrics as they were last, by name and whether that is OpenMetrics."""
        self._refreshing = asyncio.Lock()

    async def __call__(
        self, *, accept: str = "", accept_encoding: str = "", names: Sequence[str] = ()
    ) -> Exposition:
        """Everything, or only the series called one of `names`.

        It never holds up the event loop for long, however many series there are.

        Args:
            accept: the header of that name; anything that cannot be read means text 0.0.4.
            accept_encoding: likewise; anything that cannot be read means no compression.
            names: names of samples, that is with their suffix. One that is unknown adds nothing.
        """
        encode, content_type = _negotiate(accept)
        is_compressed = _accepts_gzip(accept_encoding)
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
        if is_compressed:
            headers["Content-Encoding"] = "gzip"
        is_openmetrics = content_type.startswith("application/openmetrics-text")
        others = Strip()
        async with self._refreshing:
            turn_seconds = _TURN_SECONDS if self._encoded else _FIRST_TURN_SECONDS
            await _in_turns(self._fleet.refresh(), turn_seconds)
            chosen = [*_chosen(self._fleet, names, is_openmetrics=is_openmetrics)]
            encoded = self._registered(encode, names, is_openmetrics=is_openmetrics)
            await _in_turns(map(others.append, encoded), _TURN_SECONDS)
        return Exposition(headers, Stream([*chosen, others], is_compressed=is_compressed))

    def _registered(
        self, encode: _Encode, names: Sequence[str], *, is_openmetrics: bool
    ) -> Iterator[Fragment]:
        """All other metrics, and the end of the whole.

        To compare one takes a tenth of encoding it. Versions of a format differ in how names are
        escaped, and none of ours has to be.
        """
        registry = self._registry.restricted_registry(names) if names else self._registry
        end = encode(_Metrics(()))
        for metric in registry.collect():
            key = metric.name, is_openmetrics
            former, fragment = self._encoded.get(key, (None, None))
            if fragment is None or former != metric:
                fragment = deflate(encode(_Metrics((metric,))).removesuffix(end).decode())
                self._encoded[key] = metric, fragment
            yield fragment
        yield deflate(end.decode())


def render_snapshots(
    snapshots: Collection[ProjectSnapshot], checks: Checks, counts: PollCounts, *, max_series: int
) -> str:
    """The fleet alone, as Prometheus text: for a file that node_exporter's collector reads."""
    fleet = FleetExposition(
        fleet=lambda: snapshots,
        checks=lambda: checks,
        counts=counts,
        max_series=max_series,
        dropped=lambda _: None,
    )
    for _ in fleet.refresh():
        pass
    stream = Stream(_chosen(fleet, (), is_openmetrics=False), is_compressed=False)
    return b"".join(stream.parts()).decode()


async def _in_turns(steps: Iterable[None], turn_seconds: float) -> None:
    """Do the steps, with turns for whatever else there is to do."""
    began_at = perf_counter()
    for _ in steps:
        if perf_counter() - began_at > turn_seconds:
            await asyncio.sleep(0)
            began_at = perf_counter()


def _chosen(
    fleet: FleetExposition, names: Collection[str], *, is_openmetrics: bool
) -> Iterator[Strip]:
    """The families with their headers. Among `names` one without series is left out."""
    for family, strip in fleet.sections():
        if not names or (strip.size and family.sample_name in names):
            yield _header(family, is_openmetrics=is_openmetrics)
            yield strip


@cache
def _header(family: Family, *, is_openmetrics: bool) -> Strip:
    """What comes before the series of the family, as the library has it."""
    empty = _Metrics((family.empty(),))
    if is_openmetrics:
        openmetrics, _ = choose_encoder("application/openmetrics-text")
        return Strip(deflate(openmetrics(empty).removesuffix(_EOF).decode()))
    return Strip(deflate(generate_latest(empty).decode()))


@dataclass(frozen=True, slots=True)
class _Metrics(Collector):
    """These alone."""

    metrics: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def _negotiate(accept: str) -> tuple[_Encode, str]:
    """The library's choice, unless the version asked for breaks it or our answer's header.

    prometheus-client 0.26 compares `version=x` with numbers and echoes what passes. Of the
    ways to escape names only `dots` would change ours, so it gets `underscores`, which a client
    that knows the parameter must take.
    """
    try:
        encode, content_type = choose_encoder(
            accept.replace("escaping=dots", "escaping=underscores")
        )
    except TypeError:
        return choose_encoder("")
    return (encode, content_type) if content_type.isascii() else choose_encoder("")


def _accepts_gzip(accept_encoding: str) -> bool:
    """Source: RFC 9110, 12.5.3. A weight of 0 is a refusal."""
    for coding in accept_encoding.lower().split(","):
        name, *parameters = (part.strip() for part in coding.split(";"))
        if name == "gzip":
            return not any(_is_zero_weight(parameter) for parameter in parameters)
    return False


def _is_zero_weight(parameter: str) -> bool:
    return parameter.replace(" ", "").rstrip("0") in ("q=", "q=0.")
