"""The wheel, and an environment that has nothing but it and the locked requirements."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EPOCH = "1790000000"


def files() -> list[Path]:
    """What belongs to the project, committed or not, relative to ROOT."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found = {Path(name) for name in listed.stdout.split("\0") if name}
    return sorted(path for path in found if (ROOT / path).is_file())


def copy(place: Path) -> Path:
    """The project in another directory, as if it had just been written."""
    for path in files():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, place / path)
    return place


def build(place: Path, **environ: str) -> tuple[Path, Path]:
    """Wheel and source distribution of the project in `place`."""
    subprocess.run(
        ["deploy/wheel/build", sys.executable],
        cwd=place,
        check=True,
        capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, **environ},
    )
    (wheel,), (sdist,) = (place / "dist").glob("*.whl"), (place / "dist").glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Wheel and source distribution of the project as it is now."""
    return build(copy(tmp_path_factory.mktemp("one")))


@pytest.fixture(scope="session")
def wheel(distributions: tuple[Path, Path]) -> Path:
    """The wheel."""
    return distributions[0]


def _make(place: Path, *what: str) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--disable-pip-version-check", *what], check=True, cwd=ROOT)
    return python


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of an environment that has the locked requirements."""
    place = tmp_path_factory.mktemp("environment")
    return _make(place, "--require-hashes", "-r", "requirements/run.txt")


@pytest.fixture(scope="session")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of an environment that has what the package and the image bring."""
    place = tmp_path_factory.mktemp("complete")
    return _make(place, "--require-hashes", "-r", "requirements/full.txt")


@pytest.fixture(scope="session")
def installed(wheel: Path, locked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheel and what it needs, and no checkout."""
    place = tmp_path_factory.mktemp("installed")
    python = _make(place, str(wheel))
    [theirs] = locked.parent.parent.glob("lib/python*/site-packages")
    [ours] = place.glob("lib/python*/site-packages")
    (ours / "locked.pth").write_text(f"{theirs}\n")
    return python.parent
