"""The Debian package: built twice, linted, installed in a bare Debian, booted, purged."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.debian import (
    REPOSITORY,
    bare_root,
    boot,
    copy_of,
    demand,
    succeed_inside,
)

pytestmark = pytest.mark.timeout(900)
_SOURCES = (
    *("auditd", "config", "deploy/debian", "deploy/systemd", "deploy/wheel/share"),
    *("requirements", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml"),
)
_EPOCH = "1780000000"
_CONFIGURATION = "/etc/servicestage-auditd/auditd.yaml"
_TRIAL = """\
[Unit]
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/trial.sh
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as it is now, whatever is edited while it is built."""
    return copy_sources(REPOSITORY, tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def package(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(checkout, tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Debian that has the package; tests that change it take a copy."""
    root = copy_of(bare_root(), tmp_path_factory.mktemp("debian") / "root")
    shutil.copy(package, root / "root/package.deb")
    succeed_inside(root, "apt-get", "update", "--quiet=2")
    succeed_inside(
        root,
        *("apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends"),
        "/root/package.deb",
    )
    return root


def copy_sources(checkout: Path, target: Path) -> Path:
    """What the package is made of, without what Python leaves beside it, with times of now."""
    for name in _SOURCES:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (checkout / name).is_dir():
            shutil.copytree(
                checkout / name,
                place,
                copy_function=shutil.copy,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        else:
            shutil.copy(checkout / name, place)
    return target


def build(checkout: Path, destination: Path) -> Path:
    demand(given=shutil.which("dpkg-deb"), otherwise="packages are built on Debian")
    subprocess.run(
        [checkout / "deploy/debian/build", destination],
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": _EPOCH},
    )
    (package,) = destination.glob("servicestage-auditd_*.deb")
    return package


def test_the_same_checkout_elsewhere_gives_the_same_bytes(
    checkout: Path, package: Path, tmp_path: Path
) -> None:
    other = build(copy_sources(checkout, tmp_path / "another checkout"), tmp_path / "built")

    assert digest(other) == digest(package)


def test_lintian_finds_nothing(package: Path) -> None:
    demand(
        given=shutil.which("lintian"),
        otherwise="there is no lintian; tests/tools/install brings it",
    )
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on=none", "--show-overrides", package],
        check=False,
        text=True,
        capture_output=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "O: servicestage-auditd: unstripped-binary-or-object" in done.stdout  # it looked
    found = [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:"))]
    assert found == []


def test_the_command_works_where_it_is_installed(installed: Path) -> None:
    assert "0.1.0" in succeed_inside(installed, "servicestage-auditd", "--version")
    checked = succeed_inside(installed, "servicestage-auditd", "config", "check", _CONFIGURATION)
    assert f"{_CONFIGURATION}: valid: " in checked

    shown = succeed_inside(installed, "servicestage-auditd", "demo", "--duration=5s")

    assert "finding.flagged" in shown


def test_everything_is_compiled_when_it_is_installed(installed: Path) -> None:
    inside = installed / "usr/lib/servicestage-auditd/lib/python3.11/site-packages/auditd"
    sources = {file.stem for file in inside.glob("*.py")}
    compiled = {file.name.split(".")[0] for file in inside.glob("__pycache__/*.pyc")}

    assert sources
    assert compiled == sources


def test_an_edited_configuration_survives_an_upgrade(installed: Path, tmp_path: Path) -> None:
    root = copy_of(installed, tmp_path / "root")
    configuration = root / _CONFIGURATION.removeprefix("/")
    configuration.write_text("# mine\n")

    succeed_inside(root, "dpkg", "--install", "/root/package.deb")

    assert configuration.read_text() == "# mine\n"


def test_systemd_starts_reloads_watches_and_purges_it(installed: Path, tmp_path: Path) -> None:
    root = copy_of(installed, tmp_path / "root")
    succeed_inside(
        root,
        *("apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends"),
        *("systemd-sysv", "dbus"),
    )
    shutil.copy(Path(__file__).with_name("trial.sh"), root / "trial.sh")
    (root / "etc/systemd/system/trial.service").write_text(_TRIAL)
    wanted = root / "etc/systemd/system/multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "trial.service").symlink_to("/etc/systemd/system/trial.service")

    console = boot(root, deadline_seconds=240)

    noted = read_notes(root, console)
    assert noted.pop("command").endswith(f"--config.file={_CONFIGURATION} --log.level=debug ")
    assert noted.pop("status").endswith("firing")
    assert 61184 <= int(noted.pop("user")) <= 65519, "a dynamic user's"
    assert 0 <= int(noted.pop("age_seconds")) < 240
    assert noted == {
        "before": "inactive",  # nothing starts before it is configured
        "active": "active",
        "project_up": "0",  # here and below 0 is success
        "capabilities": "0000000000000000",
        "seccomp": "2",
        "state": "600",
        "reload": "0",
        "reloaded": "0",
        "after_hanging": "0",  # the watchdog had it killed, and it was started again
        "start_misconfigured": "1",
        "misconfigured": "failed 2 0",  # exit code 2 is not tried again
        "purge": "0",
        "after_purge": "inactive",
        "left": "",
    }


def read_notes(root: Path, console: str) -> dict[str, str]:
    """What the trial noted. What else was said is printed, for when a claim fails."""
    print(console, *(file.read_text() for file in root.glob("trial.[jp]*")), sep="\n")  # noqa: T201
    return dict(line.split("=", 1) for line in (root / "trial.log").read_text().splitlines())


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
