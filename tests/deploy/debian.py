"""A Debian of its own in a directory: what the package and the image are tried in."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).parents[2]
RELEASE = "bookworm"
_TOOLS = REPOSITORY / ".tools"
_CACHED = _TOOLS / "chroot" / RELEASE

# The first argument is the root, the second the options of a bind of it onto itself, the third a
# list of memory file systems, one `PATH OPTIONS` a line. A process namespace ends with its shell.
_ENTER = """
root="$1" bind="$2" memory="$3"; shift 3
mount --bind "$root" "$root" && mount -t proc proc "$root/proc" || exit 125
echo "$memory" | while read -r path options; do
  [ -z "$path" ] || mount -t tmpfs -o "$options" tmpfs "$root$path" || exit 125
done
mount -o "remount,bind,$bind" "$root" || exit 125
exec chroot "$@"
"""


def demand(*, given: object, otherwise: str) -> None:
    """Go on if it is given; else skip, or fail where a skipped test is a defect."""
    if not given:
        _do_without(otherwise)


def bare_root() -> Path:
    """A minimal Debian, made once and kept; copy it, and leave it as it is."""
    demand(given=os.geteuid() == 0, otherwise="only root can make a Debian in a directory")
    _CACHED.parent.mkdir(parents=True, exist_ok=True)
    with (_CACHED.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _CACHED.exists():
            _bootstrap(_CACHED)
    return _CACHED


def copy_of(root: Path, target: Path) -> Path:
    """The same files in another directory, with the names of servers as this machine has them."""
    subprocess.run(["cp", "-a", "--reflink=auto", root, target], check=True)
    shutil.copy("/etc/resolv.conf", target / "etc/resolv.conf")
    return target


def run_inside(
    root: Path,
    *command: str,
    environment: Mapping[str, str] | None = None,
    user: str = "0:0",
    directory: str = "/",
    is_read_only: bool = False,
    memory: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command there to its end; `memory` names the directories that are kept in memory."""
    mounts = "\n".join(f"{path} {options}" for path, options in (memory or {}).items())
    return subprocess.run(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh"),
            *(str(root), "ro" if is_read_only else "rw", mounts),
            *(f"--userspec={user}", str(root)),
            *("env", "-i", f"--chdir={directory}"),
            *(f"{name}={value}" for name, value in (environment or _PLAIN).items()),
            *command,
        ],
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def succeed_inside(root: Path, *command: str) -> str:
    """Run a command there that has to end with 0. Returns what it said."""
    done = run_inside(root, *command)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


_PLAIN = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
}


def boot(root: Path, *, deadline_seconds: float) -> str:
    """Start systemd there, with a loopback network only, until it ends. Returns its console."""
    nspawn = shutil.which("systemd-nspawn")
    demand(given=nspawn, otherwise="there is no systemd-nspawn; tests/tools/install brings it")
    command: Sequence[str] = [
        *(str(nspawn), "--quiet", "--register=no", "--keep-unit", "--private-network"),
        *(f"--directory={root}", "--console=pipe", "--boot"),
    ]
    done = subprocess.run(
        command,
        check=False,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=deadline_seconds,
    )
    return done.stdout


def _bootstrap(target: Path) -> None:
    unpacked = _TOOLS / "debian/usr"
    tool = shutil.which("debootstrap", path=f"/usr/sbin:{unpacked / 'sbin'}")
    demand(given=tool, otherwise="there is no debootstrap; tests/tools/install brings it")
    scripts = Path(str(tool)).parents[1] / "share/debootstrap"
    unfinished = target.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    done = subprocess.run(
        ["sh", str(tool), "--variant=minbase", RELEASE, str(unfinished), _mirror()],
        check=False,
        text=True,
        env={**os.environ, "DEBOOTSTRAP_DIR": str(scripts)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    demand(given=done.returncode == 0, otherwise=f"debootstrap failed: {done.stdout[-500:]}")
    unfinished.rename(target)


def _mirror() -> str:
    """Where this machine has its own Debian packages from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)"],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    uris = (line.split(" ", 1) for line in listed.stdout.splitlines())
    mirror = next((uri for release, uri in uris if release == RELEASE), "")
    demand(given=mirror, otherwise=f"this machine has no source of Debian {RELEASE}")
    return mirror


def _do_without(reason: str) -> NoReturn:
    import pytest  # noqa: PLC0415 - only where a test is ended

    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
