"""A page that a daemon exposed, made bad and served to a Prometheus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


class Page:
    """Series and their values. Names and labels of these pages need no escaping."""

    def __init__(self, series: dict[tuple[str, Labels], float]) -> None:
        self._series = series

    @classmethod
    def read(cls, text: str) -> Page:
        samples = (
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        )
        return cls({(one.name, frozenset(one.labels.items())): one.value for one in samples})

    def copy(self) -> Page:
        return Page(dict(self._series))

    def value(self, name: str, **labels: str) -> float:
        return self._series[name, frozenset(labels.items())]

    def add(self, name: str, value: float, **labels: str) -> None:
        """A series that the daemon shows under other circumstances."""
        self._series[name, frozenset(labels.items())] = value

    def change(self, name: str, value: float, **labels: str) -> None:
        """All series of the name that have these labels; there must be one."""
        keys = [key for key in self._series if key[0] == name and labels.items() <= set(key[1])]
        assert keys, (name, labels)
        self._series.update(dict.fromkeys(keys, value))

    def remove(self, name: str, **labels: str) -> None:
        del self._series[name, frozenset(labels.items())]

    def text(self) -> str:
        lines = []
        for (name, labels), value in self._series.items():
            pairs = ",".join(f'{label}="{text}"' for label, text in sorted(labels))
            lines.append(f"{name}{{{pairs}}} {value!r}\n")
        return "".join(lines)


class Exposer:
    """Serves what `show` makes of the number of the scrape; 503 while that is None."""

    def __init__(self) -> None:
        self.show: Callable[[int], Page] | None = None
        self.scrapes = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Yields HOST:PORT."""
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"{host}:{port}"
        finally:
            await runner.cleanup()

    async def _answer(self, _request: web.Request) -> web.Response:
        self.scrapes += 1
        if not self.show:
            raise web.HTTPServiceUnavailable
        return web.Response(text=self.show(self.scrapes).text())
