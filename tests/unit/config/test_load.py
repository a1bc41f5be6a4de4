from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from auditd.audit.finding import Severity
from auditd.audit.project import Project
from auditd.config.discovery import FileDiscovery, IamDiscovery
from auditd.config.node import Node
from auditd.config.problem import ConfigError
from auditd.config.secret import SecretFileError
from auditd.config.settings import GlobalSettings, Settings

Load = Callable[..., Settings]

CREDENTIALS = "credentials: [{name: prod, type: sdk_chain}]\n"
PROJECT = """\
projects:
  - name: payments
    project_id: 0123456789abcdef0123456789abcdef
    region: cn-north-4
    credential: prod
"""
MINIMAL = CREDENTIALS + PROJECT


def test_the_least_that_is_needed_has_the_documented_defaults(load_text: Load) -> None:
    settings = load_text(MINIMAL)
    assert settings.global_ == GlobalSettings(
        poll_interval=timedelta(minutes=5),
        poll_timeout=timedelta(seconds=30),
        blind_after=3,
        requests_per_second=10,
        concurrency=32,
        labels={},
        proxy_url=None,
        proxy_from_environment=False,
        body_size_limit=8 * 1024 * 1024,
        max_series=500_000,
    )
    assert settings.storage.url.reveal() == "sqlite:////var/lib/servicestage-auditd/state.db"
    assert settings.storage.retention == timedelta(days=400)
    assert (settings.alerting, settings.discovery, settings.exceptions) == (None, (), ())
    assert (settings.secrets, settings.warnings) == ((), ())


def test_a_project_is_completed_with_the_global_times(load_text: Load) -> None:
    text = "global: {poll_interval: 2m, poll_timeout: 9s, labels: {site: hq}}\n" + MINIMAL
    settings = load_text(text + "    poll_timeout: 5s\n    labels: {b: x, a: y}\n")
    assert settings.projects == (
        Project(
            name="payments",
            project_id="0123456789abcdef0123456789abcdef",
            region="cn-north-4",
            credential="prod",
            poll_interval=timedelta(minutes=2),
            poll_timeout=timedelta(seconds=5),
            labels=(("a", "y"), ("b", "x")),
        ),
    )


def test_every_check_has_options_whether_it_is_named_or_not(load_text: Load) -> None:
    checks = load_text(MINIMAL + "checks:\n  stale: {enabled: false}\n  drift:\n").checks
    assert sorted(checks) == ["drift", "overdue", "stale"]
    assert checks["overdue"].severity is Severity.CRITICAL
    assert not checks["stale"].enabled
    assert checks["drift"].enabled


def test_a_drift_that_must_stand_for_a_while_is_warned_of(load_text: Load) -> None:
    assert load_text(MINIMAL + "checks: {drift: {for: 0s}, stale: {for: 5m}}\n").warnings == ()
    (warning,) = load_text(MINIMAL + "checks: {drift: {for: 5m}}\n").warnings
    assert "checks.drift.for: one poll finds a drift and the next does not" in warning


def test_an_endpoint_makes_any_region_possible(load_text: Load) -> None:
    text = MINIMAL.replace("cn-north-4", "xx-1") + "    endpoint: https://s.example/base/\n"
    assert load_text(text).projects[0].endpoint == "https://s.example/base"


def test_discovery_is_completed_and_its_files_stand_beside_the_configuration(
    load_text: Load, tmp_path: Path
) -> None:
    iam, files = load_text(
        CREDENTIALS
        + "discovery:\n"
        + "  - {type: iam, credential: prod, exclude: 'x.*', poll_timeout: 1s, labels: {b: c}}\n"
        + "  - {type: file, files: ['p.d/*.yaml', /etc/projects.yaml]}\n"
    ).discovery
    assert isinstance(iam, IamDiscovery)
    assert iam.include.fullmatch("anything")
    assert iam.exclude
    assert (iam.poll_interval, iam.poll_timeout) == (timedelta(minutes=5), timedelta(seconds=1))
    assert (iam.refresh_interval, iam.labels) == (timedelta(minutes=10), (("b", "c"),))
    assert isinstance(files, FileDiscovery)
    assert files.files == (f"{tmp_path}/p.d/*.yaml", "/etc/projects.yaml")
    assert files.refresh_interval == timedelta(seconds=10)


def test_the_environment_fills_in_numbers_too(load_text: Load) -> None:
    text = "global: {concurrency: '${N}', proxy_from_environment: '${P:-true}'}\n" + MINIMAL
    settings = load_text(text, {"N": "4"})
    assert settings.global_.concurrency == 4
    assert settings.global_.proxy_from_environment


TOKEN = "credentials: [{name: prod, type: token, token: %s}]\n" + PROJECT


def test_an_inline_secret_that_others_can_read_is_warned_of(
    load_text: Load, load_file: Load, tmp_path: Path
) -> None:
    assert load_text(TOKEN % "hunter2").warnings == ()
    path = tmp_path / "auditd.yaml"
    path.chmod(0o640)
    (warning,) = load_file(path).warnings
    assert warning.startswith(
        f"{path}:1:48: credentials[0].token: a secret in a file that others can read"
    )
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    ("url", "warnings"),
    [
        ("https://hooks.example/auditd", 0),
        ("https://hooks.example/services/T0/B0/XXXXXXXXXXXXXXXX", 1),
        ("https://hooks.example/?key=x", 1),
        ("https://user:x@hooks.example", 1),
    ],
)
def test_an_address_is_warned_of_when_it_holds_a_key(
    load_text: Load, load_file: Load, tmp_path: Path, url: str, warnings: int
) -> None:
    hooks = f"[{{name: a, type: webhook, url: '{url}'}}]"
    load_text(f"{MINIMAL}alerting: {{route: {{hook: a}}, hooks: {hooks}}}\n")
    path = tmp_path / "auditd.yaml"
    path.chmod(0o644)
    assert len(load_file(path).warnings) == warnings


def test_a_secret_from_the_environment_is_not_in_the_file(load_file: Load, tmp_path: Path) -> None:
    path = tmp_path / "auditd.yaml"
    path.write_text(TOKEN % "'${TOKEN}'")
    told: list[str] = []
    settings = load_file(path, {"TOKEN": "hunter2"}, told)
    assert (settings.warnings, told) == ((), ["hunter2"])


def test_a_secret_with_a_dollar_is_still_in_the_file(
    load_text: Load, load_file: Load, tmp_path: Path
) -> None:
    load_text(TOKEN % "pa$word")
    (tmp_path / "auditd.yaml").chmod(0o644)
    (warning,) = load_file(tmp_path / "auditd.yaml").warnings
    assert "a secret in a file that others can read" in warning


def test_a_variable_without_braces_is_warned_of(load_text: Load) -> None:
    settings = load_text(TOKEN % "$TOKEN", {"TOKEN": "hunter2"})
    (warning,) = settings.warnings
    assert "credentials[0].token: this is taken as it is; a variable of the" in warning
    assert settings.credentials[0].options.token.reveal() == "$TOKEN"


def test_a_null_form_of_a_secret_is_as_good_as_none(load_text: Load) -> None:
    settings = load_text(TOKEN % "x, token_file: null")
    assert settings.credentials[0].options.token.reveal() == "x"


@pytest.mark.parametrize("url", ["sqlite:///a.db", "sqlite:////a/b.db", "postgresql:///db"])
def test_a_storage_may_be_a_file_or_a_database(load_text: Load, url: str) -> None:
    assert load_text(f"{MINIMAL}storage: {{url: '{url}'}}").storage.url.reveal() == url


@pytest.mark.parametrize("url", ["sqlite:///", "postgresql://", "sqlite:// /a", "/var/lib/a.db"])
def test_what_is_no_storage_is_refused(load_text: Load, url: str) -> None:
    with pytest.raises(ConfigError, match=r"storage\.url: expected an address that begins with"):
        load_text(f"{MINIMAL}storage: {{url: '{url}'}}")


def test_every_secret_is_known_for_redaction(load_text: Load, tmp_path: Path) -> None:
    (tmp_path / "sk").write_text("from-file\n")
    told: list[str] = []
    settings = load_text(
        "global: {proxy_url: 'http://proxy:3128'}\n"
        "credentials: [{name: prod, type: aksk, access_key: inline, secret_key_file: sk}]\n"
        + PROJECT
        + "storage: {url: 'postgresql://me:pw@db/x'}\n",
        told=told,
    )
    assert told == ["inline", "from-file", "postgresql://me:pw@db/x", "pw"]
    assert [secret.reveal() for secret in settings.secrets] == told[:-1]
    assert "pw@" not in repr(settings)


def test_a_secret_file_that_goes_away_later_is_an_error_of_the_secret(
    load_text: Load, tmp_path: Path
) -> None:
    (tmp_path / "t").write_text("x")
    text = "credentials: [{name: prod, type: token, token_file: t}]\n" + PROJECT
    secret = load_text(text).credentials[0].options.token
    (tmp_path / "t").unlink()
    assert secret.reveal() == "x"  # the clock stands still: it is not looked at again
    with pytest.raises(ConfigError):
        load_text(text)
    assert issubclass(SecretFileError, OSError)


def test_credentials_over_plain_http_are_warned_of_unless_local(load_text: Load) -> None:
    text = MINIMAL.replace("sdk_chain", "sdk_chain, iam_endpoint: 'http://%s'")
    for local in ("localhost:1", "127.0.0.1", "[::1]:8080", "x.localhost"):
        assert load_text(text % local).warnings == ()
    (warning,) = load_text(text % "iam.example").warnings
    assert "credentials[0].iam_endpoint: http:// sends credentials unencrypted" in warning
    (warning,) = load_text(MINIMAL + "    endpoint: http://s.example\n").warnings
    assert "projects[0].endpoint: http://" in warning


def test_an_unusual_project_id_is_warned_of(load_text: Load) -> None:
    (warning,) = load_text(MINIMAL.replace("0123456789abcdef", "x")).warnings
    assert "projects[0].project_id: an IAM project's id has 32 hexadecimal digits" in warning


def test_the_files_that_were_read_are_listed(load_text: Load, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(PROJECT)
    settings = load_text("include: ['[b].yaml']\n" + CREDENTIALS)
    assert settings.files == (tmp_path / "auditd.yaml", tmp_path / "b.yaml")
    assert [project.name for project in settings.projects] == ["payments"]


def test_loading_takes_time_in_proportion_to_the_projects(load_text: Load) -> None:
    def seconds(count: int) -> float:
        projects = "".join(
            f"- {{name: p{n}, project_id: x{n:031x}, region: cn-north-4, credential: prod}}\n"
            for n in range(count)
        )
        began = time.process_time()
        assert len(load_text(f"{CREDENTIALS}projects:\n{projects}").projects) == count
        return time.process_time() - began

    seconds(10)  # what the first load alone costs
    few, many = min(seconds(250) for _ in range(3)), seconds(2500)
    assert many < 30 * few  # 10 times; a square would be 100


def test_an_id_and_a_secret_of_digits_only_need_no_quotes(load_text: Load) -> None:
    settings = load_text(
        "credentials: [{name: prod, type: token, token: 007}]\n"
        "projects: [{name: 1, project_id: 00000000000000000000000000000008,"
        " region: cn-north-4, credential: prod}]\n"
    )
    assert settings.projects[0].project_id == "00000000000000000000000000000008"
    assert settings.projects[0].name == "1"
    assert settings.credentials[0].options.token.reveal() == "007"


def test_what_was_read_is_freed_without_a_collection_of_garbage(
    load_file: Load, tmp_path: Path
) -> None:
    (tmp_path / "more.yaml").write_text("global: {labels: {a: b}}\n" + PROJECT, "utf-8")
    path = tmp_path / "auditd.yaml"
    path.write_text("include: [more.yaml]\nglobal: {}\n" + CREDENTIALS, "utf-8")
    gc.collect()
    gc.disable()
    try:
        load_file(path)
        assert not [one for one in gc.get_objects() if isinstance(one, Node)]
    finally:
        gc.enable()
