"""The image: the Dockerfile linted, its steps taken, and the result run as a container would be."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.debian import REPOSITORY, bare_root, copy_of
from tests.deploy.dockerfile import Builder, Image, instructions, run

pytestmark = pytest.mark.timeout(900)
_PIP_INSTALL = re.compile(r"/pip .*\binstall ")
_DOCKERFILE = REPOSITORY / "deploy/docker/Dockerfile"
_HEALTHY = """
servicestage-auditd demo --duration=20s > /tmp/demo.log 2>&1 &
for _ in $(seq 75); do {check} && echo healthy && exit; sleep 0.2; done
cat /tmp/demo.log; exit 1
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, with the certificates that this machine trusts while it is built."""
    workspace = tmp_path_factory.mktemp("image")
    base = copy_of(bare_root(), workspace / "base")
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", base / "trusted.pem")
    builder = Builder(
        REPOSITORY,
        base,
        workspace,
        {"PIP_CERT": "/trusted.pem", "PIP_QUIET": "1", "DEBIAN_FRONTEND": "noninteractive"},
    )
    return builder.build(_DOCKERFILE)


def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, _DOCKERFILE], check=False, text=True, capture_output=True)

    assert done.returncode == 0, done.stdout


def test_everything_that_is_installed_is_checked_against_its_hash() -> None:
    """But for the wheel of this checkout, which the builder made itself."""
    steps = [words for name, words in instructions(_DOCKERFILE.read_text()) if name == "RUN"]
    installs = [part for words in steps for part in words.split("&&") if _PIP_INSTALL.search(part)]

    assert len(installs) == 3
    assert all("--require-hashes" in part or "dist/*.whl" in part for part in installs)


def test_it_runs_as_a_numbered_user_who_can_change_nothing_but_the_state(image: Image) -> None:
    attempt = "id -u; touch /opt/servicestage-auditd/x; touch /etc/x; touch x && echo kept"

    done = run(image, "sh", "-c", attempt)

    said = done.stdout.splitlines()
    assert said[0] == "10001"
    assert [line.rpartition(": ")[2] for line in said[1:3]] == ["Read-only file system"] * 2
    assert said[3] == "kept"


def test_the_demo_runs_in_it(image: Image) -> None:
    done = run(image, *image.entrypoint, "demo", "--duration=5s")

    assert done.returncode == 0, done.stdout
    assert "finding.flagged" in done.stdout


def test_without_a_configuration_it_says_so_and_ends_with_2(image: Image) -> None:
    done = run(image)

    assert done.returncode == 2
    assert "/etc/servicestage-auditd/auditd.yaml" in done.stdout


def test_the_health_check_tells_a_daemon_that_answers_from_none(image: Image) -> None:
    alone = run(image, *image.health)
    assert alone.returncode == 1
    assert "Connection refused" in alone.stdout

    together = run(image, "sh", "-c", _HEALTHY.format(check=" ".join(image.health)))

    assert together.returncode == 0, together.stdout
    assert together.stdout.endswith("healthy\n")


def test_it_holds_no_build_tools_and_no_caches(image: Image) -> None:
    assert not (image.root / "tools").exists()
    assert not (image.root / "source").exists()
    assert not list((image.root / "opt/servicestage-auditd").glob("lib/*/site-packages/pip"))
    assert not list((image.root / "var/lib/apt/lists").glob("*"))
    assert list(
        (image.root / "opt/servicestage-auditd").glob("lib/*/site-packages/auditd/__pycache__/*")
    )


def test_it_is_labelled_and_stopped_like_a_service(image: Image) -> None:
    assert image.stop_signal == "SIGTERM"
    assert image.labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert image.labels["org.opencontainers.image.title"] == "servicestage-auditd"
