"""From a path to settings, or to everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from auditd.audit.blind import BLIND_CHECK
from auditd.audit.policy import CheckOptions
from auditd.config.alerting import read_alerting
from auditd.config.constraint import Origin
from auditd.config.discovery import read_discovery
from auditd.config.exception import read_exceptions
from auditd.config.file_set import FileSet
from auditd.config.node import Node
from auditd.config.problem import Problems
from auditd.config.project_terms import ProjectTerms, warn_if_plain
from auditd.config.reading import Reading, names_in
from auditd.config.record import form_of
from auditd.config.secret import Keeper
from auditd.config.settings import (
    Catalog,
    CredentialSettings,
    GlobalSettings,
    HeartbeatSettings,
    Settings,
    StorageSettings,
)
from auditd.config.source import Source

SECTIONS = (
    "include", "global", "credentials", "projects", "discovery", "checks", "exceptions", "alerting",
    "storage", "heartbeat",
)  # fmt: skip


def load(
    path: Path,
    catalog: Catalog,
    environ: Mapping[str, str],
    *,
    on_secret: Callable[[str], None],
    monotonic: Callable[[], float],
    on_files: Callable[[FileSet], None] = lambda _: None,
) -> Settings:
    """Read a configuration and everything it includes; nothing is asked of the network.

    `on_secret` is told of each secret value before it is used, now and whenever the file of
    one changes later; `monotonic`, in seconds, limits how often such files are looked at.
    `on_files` is told what was read, also when it cannot be used.

    Raises:
        ConfigError: it cannot be used. All problems of one pass are in it.
    """
    problems = Problems()
    source = Source(environ, problems)
    root = source.read(path)
    on_files(source.file_set)
    if root is None:
        raise problems.error()
    keeper = Keeper(monotonic=monotonic, on_value=on_secret)
    settings = _settings(
        Reading(problems, keeper), root, catalog, keeper=keeper, files=tuple(source.files)
    )
    source.fell()
    if problems:
        raise problems.error()
    return settings


def _settings(
    reading: Reading, root: Node, catalog: Catalog, *, keeper: Keeper, files: tuple[Path, ...]
) -> Settings:
    """The settings; whatever has problems is missing or has its defaults."""
    reading.has_keys(root, SECTIONS)
    if not any(root.section(key).value for key in ("projects", "discovery")):
        reading.complain(root, "nothing to watch: give `projects` or `discovery`")
    global_ = reading.read(root.section("global"), form_of(GlobalSettings)) or GlobalSettings()
    terms = _terms(reading, root, global_, catalog)
    return Settings(
        global_=global_,
        credentials=_credentials(reading, root, catalog),
        projects=terms.read(reading, root.child("projects")),
        discovery=read_discovery(reading, root.child("discovery"), terms),
        checks=_checks(reading, root.section("checks"), catalog),
        exceptions=read_exceptions(
            reading, root.child("exceptions"), (*catalog.checks, BLIND_CHECK)
        ),
        alerting=read_alerting(
            reading, root.child("alerting"), catalog.hook_form, terms.credentials
        ),
        storage=reading.read(root.section("storage"), form_of(StorageSettings))
        or StorageSettings(),
        heartbeat=_heartbeat(reading, root.child("heartbeat")),
        project_terms=terms,
        secrets=tuple(keeper.secrets),
        files=files,
        warnings=tuple(map(str, sorted(reading.warnings))),
        tls_place=str(root.section("global").section("tls_config").place),
    )


def _terms(reading: Reading, root: Node, global_: GlobalSettings, catalog: Catalog) -> ProjectTerms:
    terms = ProjectTerms(
        poll_interval=global_.poll_interval,
        poll_timeout=global_.poll_timeout,
        credentials=tuple(names_in(root.child("credentials"))),
        known_regions=catalog.known_regions,
    )
    terms.check_times(reading, root.section("global"), terms.poll_interval, terms.poll_timeout)
    return terms


def _credentials(reading: Reading, root: Node, catalog: Catalog) -> tuple[CredentialSettings, ...]:
    found = reading.named(root.child("credentials"), catalog.credential_form)
    for node, _ in found:
        if address := node.child("iam_endpoint"):
            # Plugins declare addresses as plain text; what every kind calls so is one.
            reading.read(address, form_of(Origin))
            warn_if_plain(reading, address)
    return tuple(credential for _, credential in found)


def _heartbeat(reading: Reading, section: Node | None) -> HeartbeatSettings | None:
    return reading.read(section, form_of(HeartbeatSettings)) if section else None


def _checks(reading: Reading, checks: Node, catalog: Catalog) -> dict[str, CheckOptions]:
    """The options of every check, of one that is not named the defaults."""
    reading.has_keys(checks, catalog.checks)
    for name in catalog.checks:
        if isinstance((switch := checks.section(name)).value, bool | str):
            reading.complain(switch, "expected a mapping; {enabled: false} turns a check off")
    found = {
        name: reading.read(checks.section(name), form_of(plugin.options))
        for name, plugin in catalog.checks.items()
    }
    if (drift := found.get("drift")) and drift.for_:
        message = "one poll finds a drift and the next does not: with this it never fires"
        reading.warn(checks.section("drift").section("for"), message)
    return {name: options for name, options in found.items() if options is not None}
