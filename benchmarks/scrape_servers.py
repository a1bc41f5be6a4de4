"""Who else would serve the series of a running daemon, each a process of its own.

    python -m benchmarks.scrape_servers URL_OF_METRICS

serves the same series with prometheus_client's own server, and prints its port. client_golang is
built from go_exporter/main.go, once.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from shutil import which
from urllib.request import urlopen

import click
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from benchmarks.result import SkippedError

_SOURCE = Path(__file__).with_name("go_exporter") / "main.go"
_DEBIAN_GO = Path("/usr/share/gocode")
_FAMILIES = "servicestage_git_authorization"


def go_exporter(home: Path) -> Path:
    """The program, built from Debian's packages.

    Raises:
        SkippedError: they are not installed.
    """
    if which("go") is None or not (_DEBIAN_GO / "src/github.com/prometheus/client_golang").is_dir():
        msg = (
            "there is no Go with client_golang; as root: apt-get install golang-go"
            " golang-github-prometheus-client-golang-dev"
        )
        raise SkippedError(msg)
    program = home / "go_exporter"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(_DEBIAN_GO)}
    build = ("go", "build", "-o", str(program), str(_SOURCE))
    subprocess.run(build, check=True, env=environment)  # noqa: S603 - ours
    return program


class _Same(Collector):
    """The series of a text, as prometheus_client would have them."""

    def __init__(self, text: str) -> None:
        self._metrics = list(text_string_to_metric_families(text))

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def main(url: str) -> None:
    """Serve until killed."""
    with urlopen(url, timeout=60) as answer:  # noqa: S310 - our own server
        lines = answer.read().decode().splitlines(keepends=True)
    registry = CollectorRegistry()
    registry.register(_Same("".join(line for line in lines if _FAMILIES in line)))
    server, thread = start_http_server(0, "127.0.0.1", registry)
    click.echo(server.server_port)
    thread.join()


if __name__ == "__main__":
    main(sys.argv[1])
