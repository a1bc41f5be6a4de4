"""From a path to settings, or to everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from auditd.audit.policy import CheckOptions
from auditd.config.alerting import read_alerting
from auditd.config.constraint import parse_origin
from auditd.config.discovery import read_discovery
from auditd.config.keeper import Keeper
from auditd.config.node import KeyPath
from auditd.config.problem import Place, Problems
from auditd.config.project_terms import ProjectTerms, warn_if_plain
from auditd.config.reader import Reader
from auditd.config.settings import (
    Catalog,
    CredentialSettings,
    ExceptionSettings,
    GlobalSettings,
    Settings,
    StorageSettings,
)
from auditd.config.shape import Shape
from auditd.config.source import Source

SECTIONS = (
    "include",
    "global",
    "credentials",
    "projects",
    "discovery",
    "checks",
    "exceptions",
    "alerting",
    "storage",
)
GLOBAL = Shape.of(GlobalSettings)
EXCEPTION = Shape.of(ExceptionSettings)
STORAGE = Shape.of(StorageSettings)


def load(
    path: Path,
    catalog: Catalog,
    environ: Mapping[str, str],
    *,
    on_secret: Callable[[str], None],
    monotonic: Callable[[], float],
) -> Settings:
    """Read a configuration and everything it includes; nothing is asked of the network.

    `on_secret` is told of each secret value before it is used, now and whenever the file of
    one changes later; `monotonic`, in seconds, limits how often such files are looked at.

    Raises:
        ConfigError: it cannot be used. All problems of one pass are in it.
    """
    problems = Problems()
    source = Source(environ, problems)
    root = source.read(path)
    if root is None:
        raise problems.error()
    keeper = Keeper(monotonic=monotonic, on_value=on_secret)
    reader = Reader(root, problems, keeper)
    settings = _settings(reader, keeper, catalog, files=tuple(source.files))
    if problems:
        raise problems.error()
    return settings


def _settings(
    reader: Reader, keeper: Keeper, catalog: Catalog, *, files: tuple[Path, ...]
) -> Settings:
    """The settings; whatever has problems is missing or has its defaults."""
    reader.has_keys((), SECTIONS)
    global_ = reader.read(("global",), GLOBAL) or GlobalSettings()
    terms = _terms(reader, global_, catalog)
    if not (reader.at(("projects",)) or reader.at(("discovery",))):
        reader.complain((), "nothing to watch: give `projects` or `discovery`")
    credentials = _credentials(reader, catalog)
    projects = terms.read(reader, ("projects",))
    discovery = read_discovery(reader, terms)
    checks = _checks(reader, catalog)
    exceptions = tuple(item for _, item in reader.each(("exceptions",), EXCEPTION))
    alerting = read_alerting(reader)
    storage = reader.read(("storage",), STORAGE) or StorageSettings()
    return Settings(
        global_=global_,
        credentials=credentials,
        projects=projects,
        discovery=discovery,
        checks=checks,
        exceptions=exceptions,
        alerting=alerting,
        storage=storage,
        project_terms=terms,
        secrets=tuple(keeper.secrets),
        files=files,
        warnings=tuple(map(str, sorted([*keeper.warnings, *reader.warnings]))),
    )


def _terms(reader: Reader, global_: GlobalSettings, catalog: Catalog) -> ProjectTerms:
    terms = ProjectTerms(
        poll_interval=global_.poll_interval,
        poll_timeout=global_.poll_timeout,
        credentials=tuple(reader.names(("credentials",))),
        known_regions=catalog.known_regions,
    )
    terms.check_times(reader, ("global",), global_.poll_interval, global_.poll_timeout)
    return terms


def _credentials(reader: Reader, catalog: Catalog) -> tuple[CredentialSettings, ...]:
    names: dict[str, Place] = {}
    found = []
    for path, credential in reader.each_kind(("credentials",), catalog.credential_shapes):
        reader.unique((*path, "name"), credential.name, names, "name")
        _check_address(reader, (*path, "iam_endpoint"))
        found.append(credential)
    return tuple(found)


def _check_address(reader: Reader, path: KeyPath) -> None:
    """Plugins declare addresses as plain text; what every kind calls `iam_endpoint` is one."""
    if isinstance(address := reader.at(path), str):
        try:
            parse_origin(address)
        except ValueError as error:
            reader.complain(path, str(error))
        warn_if_plain(reader, path)


def _checks(reader: Reader, catalog: Catalog) -> dict[str, CheckOptions]:
    reader.has_keys(("checks",), catalog.checks)
    found = {
        name: reader.read(("checks", name), shape) for name, shape in catalog.check_shapes.items()
    }
    return {name: options for name, options in found.items() if options is not None}
