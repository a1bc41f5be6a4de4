"""Lists of authorizations to be polled, as files: what ServiceStage answers, byte by byte."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import time

_DAY = 86_400_000
"""In milliseconds, like all times that ServiceStage gives."""
_HOSTS = {
    "github": ("https://api.github.com", "https://github.com"),
    "gitlab": ("https://gitlab.example.com/api/v4", "https://gitlab.example.com"),
    "gitee": ("https://gitee.com/api/v5", "https://gitee.com"),
    "bitbucket": ("https://api.bitbucket.org/2.0", "https://bitbucket.org"),
}


class Fixture:
    """Generations of the same projects, of which one is served.

    `same` is the first. In `some` one authorization of each hundredth project has another status
    and time, in `all` one of every project.

    Args:
        home: an empty directory; `home/served` is what a server gives.
        projects: how many.
        authorizations: in each.
        is_changing: whether there is more than the first generation.
    """

    def __init__(
        self, home: Path, *, projects: int, authorizations: int, is_changing: bool = True
    ) -> None:
        self.home = home
        self.authorizations = authorizations
        self.ids = [_project_id(number) for number in range(projects)]
        self.root = home / "served"
        now = int(time() * 1000)
        for number, project_id in enumerate(self.ids):
            entries = _entries(number, authorizations, now)
            self._write("same", project_id, entries)
            if is_changing:
                self._write("some", project_id, entries if number % 100 else _changed(entries))
                self._write("all", project_id, _changed(entries))
        self.serve("same")

    def serve(self, generation: str) -> None:
        """Give the lists of this generation from now on, all at once."""
        fresh = self.home / "next"
        fresh.symlink_to(self.home / generation)
        fresh.replace(self.root)

    def _write(self, generation: str, project_id: str, entries: list[dict[str, object]]) -> None:
        path = self.home / generation / "v1" / project_id / "git" / "auths"
        path.parent.mkdir(parents=True)
        body = {"authorizations": entries, "count": len(entries)}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        path.write_text(text, encoding="utf-8")


@contextmanager
def made(
    *, projects: int, authorizations: int = 100, is_changing: bool = False
) -> Iterator[Fixture]:
    """One in memory, if the machine has a file system there, until the block ends."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as home:
        yield Fixture(
            Path(home), projects=projects, authorizations=authorizations, is_changing=is_changing
        )


def _project_id(number: int) -> str:
    return blake2b(b"project %d" % number, digest_size=16).hexdigest()


def _entries(number: int, count: int, now: int) -> list[dict[str, object]]:
    """Some 395 bytes each; of a hundred two are overdue and one is stale."""
    random = Random(number)  # noqa: S311 - the same in each run
    return [_entry(random, f"auth-{number:05}-{index:04}", index, now) for index in range(count)]


def _entry(random: Random, name: str, index: int, now: int) -> dict[str, object]:
    repo_type = random.choice(tuple(_HOSTS))
    api, home = _HOSTS[repo_type]
    user = f"user-{random.randrange(10**6):06}"
    created = now - random.randrange(200, 900) * _DAY
    age = 120 if index % 100 == 17 else random.randrange(80)  # noqa: PLR2004 - the stale one
    return {
        "name": f'{name} "授权" \\b' if index % 50 == 1 else f"{name}-{repo_type}",
        "repo_type": repo_type,
        "repo_host": api,
        "repo_home": f"{home}/{user}",
        "repo_user": user,
        "avartar": f"https://avatars.example.com/u/{random.randrange(10**7)}?v=4",
        "token_type": random.choice(("oauth", "private_token")),
        "create_time": created,
        "update_time": now - age * _DAY - random.randrange(_DAY),
        "tag": "cn-north-4" if random.random() < 0.2 else None,  # noqa: PLR2004 - a fifth
        "status": 1 if index % 100 in {5, 55} else 0,
    }


def _changed(entries: list[dict[str, object]]) -> list[dict[str, object]]:
    first, *others = entries
    return [{**first, "status": 1, "update_time": int(str(first["update_time"])) + 1000}, *others]
