"""What is built from settings, and what of it is kept when they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
import yaml

from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.config.settings import Settings
from auditd.daemon.change import counts_of, needs_restart
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.hook_building import BuiltHooks, build_hooks
from auditd.daemon.loader import Loader
from auditd.daemon.planning import rehearse
from auditd.daemon.sources import Sources, make_sources
from auditd.daemon.watch import open_watch, plan_watch
from auditd.hooks.port import Http
from auditd.polling.roster import RosterChange
from auditd.servicestage.cloud import Cloud
from tests.unit.config.shipped import CATALOG
from tests.unit.hooks.fakes import surroundings_of
from tests.unit.store.examples import START, an_authorization

PROJECT = {
    "name": "p",
    "project_id": "0123456789abcdef0123456789abcdef",
    "region": "cn-north-4",
    "credential": "a",
}
CREDENTIAL = {"name": "a", "type": "token", "token": "abcdef"}
OPS = {"name": "ops", "type": "webhook", "url": "https://hooks.example/x"}
MAIL = {"name": "mail", "type": "smtp", "host": "mail.example", "from": "a@b.example",
        "to": ["c@d.example"], "ca_file": "ca.pem"}  # fmt: skip
NO_CLOUD = cast("Cloud", None)  # what is built does not ask it anything

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_settings(hooks: Sequence[dict[str, Any]] = (), **sections: Any) -> Settings:
        file = tmp_path / "auditd.yaml"
        file.touch(mode=0o600)
        content = {"credentials": [CREDENTIAL], "projects": [PROJECT], **sections}
        if hooks:
            route = {"hook": hooks[0]["name"]}
            content["alerting"] = {"route": route, "hooks": list(hooks)}
        file.write_text(yaml.safe_dump(content))
        return Loader(file, CATALOG, {}, on_secret=lambda _: None).read()

    return read_settings


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


def build(settings: Settings, former: BuiltHooks | None = None) -> BuiltHooks:
    assert settings.alerting
    surroundings = surroundings_of(cast("Http", None))
    return build_hooks(settings.alerting.hooks, CATALOG, surroundings, former=former or {})


def test_only_hooks_that_changed_are_built_anew(read: Read, ca_file: Path) -> None:
    first = build(read([OPS, MAIL]))
    second = build(read([MAIL, {**OPS, "url": "https://hooks.example/y"}]), first)
    assert second["mail"].hook is first["mail"].hook
    assert second["ops"].hook is not first["ops"].hook
    assert build(read([OPS]), first).keys() == {"ops"}


def test_a_hook_is_built_anew_when_a_file_of_it_changed(read: Read, ca_file: Path) -> None:
    first = build(read([MAIL]))
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    assert build(read([MAIL]), first)["mail"].hook is not first["mail"].hook


def test_everything_that_cannot_be_built_is_told_with_its_place(read: Read, ca_file: Path) -> None:
    ca_file.write_text("no certificate")
    other = {**MAIL, "name": "other"}
    tls = {"tls_config": {"ca_file": "ca.pem"}}
    settings = read([MAIL, other], **{"global": tls})
    with pytest.raises(UnusableSettingError) as caught:
        rehearse(settings, CATALOG)
    lines = str(caught.value).splitlines()
    assert ["global.tls_config" in lines[0], "'mail'" in lines[1], "'other'" in lines[2]] == [
        True,
        True,
        True,
    ]
    directory = str(ca_file.parent / "auditd.yaml")
    for line in lines:
        file, row, column, _ = line.split(":", 3)
        assert (file, int(row) > 0, int(column) > 0) == (directory, True, True)


def test_what_can_be_built_is_rehearsed_in_silence(read: Read, ca_file: Path) -> None:
    rehearse(read([OPS, MAIL]), CATALOG)


def test_the_way_out_is_built_anew_only_when_it_changed(read: Read, ca_file: Path) -> None:
    tls = {"tls_config": {"ca_file": "ca.pem"}}
    first = plan_watch(read(**{"global": tls}), CATALOG).line
    other = read(**{"global": {**tls, "poll_interval": "1h"}})
    assert plan_watch(other, CATALOG, former=first).line is first
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    assert plan_watch(other, CATALOG, former=first).line is not first
    assert plan_watch(read(), CATALOG, former=first).line is not first


def sources(settings: Settings, former: Sources | None = None) -> Sources:
    return make_sources(settings, NO_CLOUD, lambda _: None, former=former or {})


def test_sources_of_one_name_get_names_of_their_own_and_keep_them(read: Read) -> None:
    east, north, south = (
        {"type": "iam", "credential": "a", "include": pattern}
        for pattern in ("east.*", "north.*", "south.*")
    )
    first = sources(read(discovery=[east, north, north]))
    assert [source.name for source in first.values()] == ["iam/a", "iam/a#2"]
    second = sources(read(discovery=[south, north]), first)
    assert [source.name for source in second.values()] == ["iam/a", "iam/a#2"]
    assert list(second.values())[1] is list(first.values())[1]


def test_a_source_of_files_is_made_anew_when_the_terms_of_projects_changed(read: Read) -> None:
    discovery = [{"type": "file", "files": ["*.projects"]}, {"type": "iam", "credential": "a"}]
    first = list(sources(before := read(discovery=discovery)).values())
    other = read(discovery=discovery, **{"global": {"poll_interval": "2h"}})
    second = list(sources(other, sources(before)).values())
    assert first[0] is not second[0]
    assert first[0].name == second[0].name


async def test_what_is_doubtful_in_project_files_is_told_once_until_it_changes(
    read: Read, tmp_path: Path
) -> None:
    told: list[Sequence[str]] = []
    settings = read(discovery=[{"type": "file", "files": ["more.yaml"]}])
    odd = {**PROJECT, "name": "odd", "project_id": "odd"}
    (tmp_path / "more.yaml").write_text(yaml.safe_dump([odd]))
    [source] = make_sources(settings, NO_CLOUD, told.append, former={}).values()
    for _ in range(2):
        await source.projects()
    [[warning]] = told
    assert warning.startswith(f"{tmp_path / 'more.yaml'}:")
    (tmp_path / "more.yaml").write_text(yaml.safe_dump([{**PROJECT, "name": "fine"}]))
    await source.projects()
    assert told[1:] == [()]


def test_a_change_is_told_in_figures(read: Read, ca_file: Path) -> None:
    before = read([OPS, MAIL], discovery=[{"type": "iam", "credential": "a"}])
    after = read(
        [{**OPS, "url": "https://hooks.example/y"}],
        credentials=[CREDENTIAL, {**CREDENTIAL, "name": "b"}],
        checks={"stale": {"max_age": "10d"}},
    )
    nothing = RosterChange((), (), ())
    assert counts_of(before, after, nothing) == {
        "credentials_added": 1,
        "hooks_changed": 1,
        "hooks_removed": 1,
        "checks_changed": 1,
        "discoveries_removed": 1,
    }
    assert counts_of(before, before, nothing) == {}
    again = read([OPS, MAIL], discovery=[{"type": "iam", "credential": "a"}])
    assert counts_of(before, again, nothing) == {}


async def test_when_what_a_former_process_knew_becomes_stale_is_told_by_the_configuration_of_today(
    read: Read,
) -> None:
    known = replace(an_authorization(), updated_at=START)

    def recall(project: Project) -> ProjectSnapshot:
        return ProjectSnapshot(project, succeeded_at=START, authorizations={known.name: known})

    settings = read(checks={"stale": {"max_age": "10d"}})
    async with open_watch(settings, CATALOG, recall=recall) as watch:
        watch.fleet.join(settings.projects[0])
        (snapshot,) = watch.fleet.snapshots()
    assert snapshot.stale_at == {known.name: START + timedelta(days=10)}


def test_what_needs_a_restart_is_said(read: Read) -> None:
    before = read(storage={"url": "sqlite:////var/a.db"})
    after = read(storage={"url": "sqlite:////var/b.db", "retention": "10d"})
    assert needs_restart(before, before) == []
    assert needs_restart(before, after) == ["storage.url changed; restart to use it"]
