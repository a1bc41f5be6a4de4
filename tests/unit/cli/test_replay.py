"""`replay` on a state that a daemon could have written, from a day ago to now."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from auditd.audit.authorization import Listing, Status
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.project import Project
from auditd.cli import main
from auditd.daemon.catalog import load_catalog
from auditd.store.lock import held
from tests.unit.cli.conftest import now
from tests.unit.daemon.past import DAY, HEAD, HOUR, PROJECTS, Past, configure
from tests.unit.polling.fakes import make_authorization
from tests.unit.store.examples import Clock

GONE = "projects: [{name: x, project_id: '9', region: cn-north-4, credential: prod}]"


@dataclass
class Site:
    place: Path
    begun: datetime

    def run(self, text: str, *flags: str, head: str = HEAD + PROJECTS) -> Result:
        """Replay with the configuration of this text."""
        file = self.place / "other.yaml"
        file.touch(mode=0o600)
        file.write_text(f"{head}{text}\nstorage: {{url: 'sqlite:///{self.place}/state.db'}}")
        return CliRunner(env={"COLUMNS": None}).invoke(
            main, ["replay", f"--config.file={file}", *flags]
        )

    def document(self, text: str, *flags: str, **given: str) -> Any:
        result = self.run(text, "--format=json", *flags, **given)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def hours(self, instant: str | None) -> int | None:
        """Since the beginning."""
        return (
            None
            if instant is None
            else round((datetime.fromisoformat(instant) - self.begun) / HOUR)
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A day: payments is overdue from hour 6 to hour 8, orders fails from hour 12 to 15."""
    place, begun = tmp_path_factory.mktemp("site"), now() - DAY

    def answer(project: Project, at: datetime) -> Listing:
        hour = (at - begun) // HOUR
        if project.name == "orders" and 12 <= hour < 15:
            raise PollError(FailureReason.TIMEOUT, "as told")
        is_overdue = project.name == "payments" and hour in {6, 7}
        listed = make_authorization("gh", Status.OVERDUE if is_overdue else Status.NORMAL)
        renewed = begun - 6 * DAY - 20 * HOUR
        return Listing((replace(listed, created_at=renewed, updated_at=renewed),))

    catalog, clock = load_catalog(), Clock()
    clock.at = begun
    past = Past(
        configure(place / "auditd.yaml", catalog, ""), catalog, place / "state.db", clock, answer
    )
    asyncio.run(past.pass_by(begun + DAY))
    return Site(place, begun)


def shown(site: Site, document: Any) -> list[tuple[object, ...]]:
    """Each episode: alert, project, and from which to which hour it would fire and did; sorted."""
    found: list[tuple[object, ...]] = [
        (
            episode["alertname"].removeprefix("GitAuthorization"),
            episode["project"],
            *(
                side and (site.hours(side["fired_at"]), site.hours(side["resolved_at"]))
                for side in (episode["would"], episode["did"])
            ),
        )
        for episode in document["episodes"]
    ]
    return sorted(found, key=str)


def test_the_same_terms_give_the_same_alerts(site: Site) -> None:
    assert shown(site, site.document("")) == [
        ("Overdue", "payments", (6, 8), (6, 8)),
        ("ProjectBlind", "orders", (12, 15), (12, 15)),
    ]


def test_other_terms_give_other_alerts(site: Site) -> None:
    terms = "checks: {overdue: {enabled: false}, stale: {max_age: 7d}}"
    document = site.document(terms)
    assert shown(site, document) == [
        ("Overdue", "payments", None, (6, 8)),
        ("ProjectBlind", "orders", (12, 15), (12, 15)),
        ("Stale", "orders", (4, None), None),
        ("Stale", "payments", (4, None), None),
    ]
    assert [
        (total["alertname"], total["would"], total["did"], total["both"])
        for total in document["totals"]
    ] == [
        ("GitAuthorizationOverdue", 0, 1, 0),
        ("ProjectBlind", 1, 1, 1),
        ("GitAuthorizationStale", 2, 0, 0),
    ]


def test_a_window_cuts_what_reaches_beyond_it(site: Site) -> None:
    document = site.document("checks: {stale: {max_age: 7d}}", "--since=10h", "--until=9h30m")
    assert shown(site, document) == [
        ("Stale", "orders", (None, None), None),
        ("Stale", "payments", (None, None), None),
    ]
    assert document["unseen"] == [
        {
            "project": "orders",
            "since": document["unseen"][0]["since"],
            "until": None,
            "reason": "timeout",
        }
    ]
    assert site.hours(document["unseen"][0]["since"]) == 12


def test_only_the_projects_that_are_asked_for_are_shown(site: Site) -> None:
    assert shown(site, site.document("", "--project=payments")) == [
        ("Overdue", "payments", (6, 8), (6, 8))
    ]
    result = site.run("", "--project=paymets")
    assert (result.exit_code, result.stderr) == (
        2,
        "--project: nothing is on record of a project 'paymets'\n",
    )


def test_projects_that_are_not_configured_any_more_are_named(site: Site) -> None:
    assert site.document("", head=HEAD + GONE)["undescribed"] == ["orders", "payments"]


def test_projects_come_from_discovery_too(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "projects.yaml"
    file.write_text("[{name: payments, project_id: '1', region: cn-east-3, credential: prod}]")
    discovery = f"""
discovery:
  - {{type: file, files: [{file}]}}
  - {{type: iam, credential: prod, include: 'ord.*', labels: {{team: x}}}}
checks: {{overdue: {{severity: info}}}}
exceptions:
  - {{match: {{region: cn-east-3}}, owner: me, reason: later, until: 2999-01-01}}
"""
    document = site.document(discovery, head=HEAD)
    assert document["undescribed"] == []
    assert ("Overdue", "payments", None, (6, 8)) in shown(site, document)
    assert ("ProjectBlind", "orders", (12, 15), (12, 15)) in shown(site, document)


def test_a_record_that_begins_later_is_told_of(site: Site) -> None:
    document = site.document("", "--since=30d")
    assert {site.hours(at) for at in document["begun_late"].values()} == {0}
    assert "the record of 2 projects begins later" in site.run("").stdout


def test_the_table_has_episodes_totals_and_what_is_not_known(site: Site) -> None:
    out = site.run("").stdout
    assert re.search(r"^critical +GitAuthorizationOverdue +1 +1 +1 *$", out, re.MULTILINE)
    assert "2 projects: 2 alerts listed; 0 more fired all the time, as they did" in out
    assert "the polls of 1 project failed for a while, longest those of orders (3h, timeout)" in out


def test_the_table_is_cut_and_says_so(site: Site) -> None:
    out = site.run("", "--limit=1").stdout
    assert out.count("GitAuthorizationOverdue") == 2  # an episode and a total
    assert "1 more: see --limit, or --format=json, which has all" in out


def test_a_spreadsheet_gets_episodes_and_unseen_times(site: Site) -> None:
    rows = [*csv.DictReader(io.StringIO(site.run("", "--format=csv").stdout))]
    assert [row["alertname"] for row in rows] == [
        "GitAuthorizationOverdue",
        "ProjectBlind",
        "unseen",
    ]
    assert rows[0]["would_end_reason"] == rows[0]["did_end_reason"] == "cleared"
    assert rows[2]["project"] == "orders"


def test_it_reads_beside_the_daemon_and_changes_nothing(site: Site) -> None:
    def dump() -> list[str]:
        with closing(sqlite3.connect(site.place / "state.db")) as connection:
            return [*connection.iterdump()]

    before = dump()
    with held(site.place / "state.db"):
        assert site.run("").exit_code == 0
    assert dump() == before


@pytest.mark.parametrize("flags", [("--since=1h", "--until=1h"), ("--since=soon",)])
def test_a_window_that_is_none_is_a_usage_error(site: Site, flags: tuple[str, ...]) -> None:
    assert site.run("", *flags).exit_code == 2


def test_without_a_state_it_says_so(site: Site, tmp_path: Path) -> None:
    result = site.run("", f"--storage.url=sqlite:///{tmp_path}/none.db")
    assert result.exit_code == 4
    assert "there is no state" in result.stderr
