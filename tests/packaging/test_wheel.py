from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from auditd import __version__
from tests.packaging.conftest import build, copy, files

pytestmark = pytest.mark.timeout(300)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_sources_give_the_same_bytes_wherever_and_whenever(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    other = copy(tmp_path / "elsewhere" / "deep")
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = build(other, TZ="Asia/Shanghai", LC_ALL="C", PYTHONHASHSEED="7")
    assert [path.name for path in again] == [path.name for path in distributions]
    assert [digest(path) for path in again] == [digest(path) for path in distributions]


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    share = {
        f"servicestage_auditd-{__version__}.data/data/share/{path.relative_to('deploy/wheel/share')}"
        for path in files()
        if path.is_relative_to("deploy/wheel/share")
    }
    assert share
    package = {str(path) for path in files() if path.parts[0] == "auditd"}
    assert names == package | share
    for needed in ("py.typed", "report/schema.json", "store/migrations/env.py"):
        assert f"auditd/{needed}" in names


def test_a_wheel_of_the_source_distribution_is_the_same(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    wheel, sdist = distributions
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [unpacked] = tmp_path.iterdir()
    assert digest(build(unpacked)[0]) == digest(wheel)


def run(program: Path, *arguments: str) -> str:
    """What it prints, in an empty directory, so that nothing of the checkout is found."""
    done = subprocess.run(
        [program, *arguments],
        cwd=program.parent,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_command_tells_its_version_and_its_commands(installed: Path) -> None:
    program = installed / "servicestage-auditd"
    assert run(program, "version").startswith(f"servicestage-auditd {__version__}\n")
    assert "discover" in run(program, "--help")
    where = run(installed / "python", "-c", "import auditd; print(auditd.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_the_installed_demo_runs_and_finds_something(installed: Path) -> None:
    flags = ("--duration=5s", "--web.listen-address=127.0.0.1:0")
    out = run(installed / "servicestage-auditd", "demo", *flags)
    assert ">>> alert" in out
    assert "GitAuthorizationStale" in out


def test_the_environment_gets_manual_page_and_completions(installed: Path) -> None:
    share = installed.parent / "share"
    assert (share / "man" / "man1" / "servicestage-auditd.1").is_file()
    assert (share / "bash-completion" / "completions" / "servicestage-auditd").is_file()
