import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from auditd.audit import checks
from auditd.audit.plugin import load_plugins

GROUP = "servicestage_auditd.kinds_of_a_test"
PLUGIN_FILE = """
from dataclasses import dataclass
from auditd.audit.plugin import Plugin

@dataclass(frozen=True)
class Options:
    size: int = 1

PLUGIN = Plugin({name!r}, Options, lambda options: options.size)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package with the plugin `square`, a module without one and one that only looks like it."""
    kinds = tmp_path / "kinds_of_a_test"
    kinds.mkdir()
    (kinds / "__init__.py").touch()
    (kinds / "square.py").write_text(PLUGIN_FILE.format(name="square"))
    (kinds / "shapes.py").write_text("SIDES = 4\n")
    (kinds / "decoy.py").write_text("PLUGIN = 'no plugin'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module(kinds.name)
    for name in [name for name in sys.modules if name.startswith((kinds.name, "installed_kind"))]:
        del sys.modules[name]


def install(directory: Path, *, name: str) -> None:
    """What pip leaves behind of a distribution that announces one plugin."""
    (directory / "installed_kind.py").write_text(PLUGIN_FILE.format(name=name))
    metadata = directory / "installed_kind-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: installed-kind\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = installed_kind:PLUGIN\n")


def test_the_plugins_of_a_package_are_found_by_their_files(package: ModuleType) -> None:
    plugins = load_plugins(package, GROUP)
    assert [*plugins] == ["square"]
    assert plugins["square"].build(plugins["square"].options(size=3)) == 3


def test_installed_packages_bring_more_and_all_are_sorted(
    package: ModuleType, tmp_path: Path
) -> None:
    install(tmp_path, name="circle")
    assert [*load_plugins(package, GROUP)] == ["circle", "square"]


def test_two_plugins_of_one_name_are_refused_with_both_origins(
    package: ModuleType, tmp_path: Path
) -> None:
    install(tmp_path, name="square")
    with pytest.raises(
        ValueError,
        match=r"two plugins are named 'square': kinds_of_a_test\.square and installed_kind:PLUGIN",
    ):
        load_plugins(package, GROUP)


def test_every_check_is_found_and_is_named_like_its_file() -> None:
    plugins = load_plugins(checks, "servicestage_auditd.checks")
    assert [*plugins] == [
        "broken",
        "drift",
        "duplicate",
        "overdue",
        "policy",
        "stale",
        "timestamp",
        "unauthenticated",
        "unknown_status",
    ]
    for name, plugin in plugins.items():
        assert plugin.options.__module__ == f"auditd.audit.checks.{name}"


def test_every_check_says_who_it_is_and_what_to_do() -> None:
    for name, plugin in load_plugins(checks, "servicestage_auditd.checks").items():
        check = plugin.build(plugin.options())
        assert check.name == name
        assert check.alertname.startswith("GitAuthorization")
        assert check.severity is plugin.options().severity
        assert check.description.endswith(".")
