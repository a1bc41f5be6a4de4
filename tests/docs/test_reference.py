"""docs/reference says what the code says, and all of it."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from docs.generator.events import EVENTS, event_names
from docs.generator.metrics import LABELS, all_metrics
from docs.generator.site import REFERENCE, pages
from tests.e2e.program import running

TOLD = {one.name for one in all_metrics()}
OURS = ("servicestage_", "auditd_")
SOMETIMES = {
    "auditd_heartbeat_last_success_timestamp_seconds",  # the demo has none
    "auditd_outbox_oldest_pending_timestamp_seconds",  # and it owes nothing for long
}
LOGGED = re.compile(r"\d{4}-\d\d-\d\dT\S+ \[(?P<level>\w+) *\] (?P<event>\S+) *(?P<fields>.*)")
FIELD = re.compile(r"(?:^| )([a-z_]+)=")


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (REFERENCE / name).read_text("utf-8") == pages()[name], "run `make reference`"


def test_no_page_is_left_of_what_is_no_more() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == pages().keys()


def test_every_configuration_key_has_a_meaning() -> None:
    rows = re.findall(r"(?m)^\| `.*\|$", pages()["configuration.md"])
    assert len(rows) > 150
    assert [row for row in rows if re.search(r"\|\s*\|$", row)] == []


def test_every_log_event_is_told() -> None:
    assert set(event_names()) == EVENTS.keys()


def series(scraped: str) -> dict[str, set[str]]:
    """The labels of each of our metrics."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(scraped):
        for sample in family.samples:
            name = re.sub(r"_(bucket|count|sum)$", "", sample.name)
            if name.startswith(OURS):
                found[name] = found.get(name, set()) | sample.labels.keys() - {"le"}
    return found


async def settled_series(session: aiohttp.ClientSession, url: str) -> dict[str, set[str]]:
    """As soon as all that is told can be had, or after a while."""
    found: dict[str, set[str]] = {}
    for _ in range(100):
        async with session.get(url) as answer:
            found = series(await answer.text())
        if found.keys() >= TOLD - SOMETIMES:
            break
        await asyncio.sleep(0.1)  # another process offers nothing to wait for
    return found


@pytest.mark.timeout(60)
async def test_a_daemon_exposes_and_logs_what_is_told_and_nothing_else() -> None:
    async with running("demo", "--web.listen-address=127.0.0.1:0") as program:
        url = (await program.line("  metrics ")).split()[1]
        await program.line("delivery.sent")
        async with aiohttp.ClientSession() as session:
            found = await settled_series(session, url)
        lines = list(program.lines)

    assert TOLD - SOMETIMES <= found.keys() <= TOLD
    assert found == {name: set(LABELS.get(name, ())) - {"label_NAME"} for name in found}
    logged = [line for line in map(LOGGED.fullmatch, lines) if line]
    assert len(logged) > 15
    for line in logged:
        told = EVENTS[line["event"]]
        assert line["level"] in told.levels, line
        assert set(FIELD.findall(line["fields"])) <= set(told.field_names()), line
