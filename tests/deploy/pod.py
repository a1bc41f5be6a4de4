"""The pod's daemon on this machine: its very arguments, with its files laid out as kubelet does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.deploy.manifests import Manifest, daemon, one

_CONFIG = "/etc/servicestage-auditd"
_SECRETS = "/run/secrets/servicestage-auditd"
_WEB = f"{_SECRETS}-web"

_KEYS = {
    "access_key": "AK\n",
    "secret_key": "SK\n",
    "storage_url": "postgresql://auditd:hunter2@db.acme.example/auditd\n",
}


class Pod:
    """The container of a rendering, with directories below `home` in place of its mounts."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._updates = 0

    def mount(self, objects: Sequence[Manifest], **keys: str) -> None:
        """What the ConfigMap and Secrets hold is there now, instead of what was.

        `keys` are those of the Secret that are not as usual.
        """
        texts = one(objects, "ConfigMap")["data"]
        self._updates += 1
        self._swap(_SECRETS, {**_KEYS, **keys})
        self._swap(_WEB, {"web.yaml": "rate_limit: {}\n"})
        self._swap(_CONFIG, {name: self._here(text) for name, text in texts.items()})

    def arguments(self, objects: Sequence[Manifest]) -> list[str]:
        """Of the daemon; it listens on free ports of this machine."""
        return [
            re.sub(r"address=:\d+", "address=127.0.0.1:0", self._here(each))
            for each in daemon(objects)["args"]
        ]

    def _here(self, text: str) -> str:
        for path in (_CONFIG, _SECRETS):
            text = text.replace(path, str(self._directory(path)))
        return text

    def _directory(self, path: str) -> Path:
        return self._home / path.lstrip("/")

    def _swap(self, path: str, files: Mapping[str, str]) -> None:
        """Files are links to ..data/FILE, and ..data one that is replaced in a single step.

        Source: https://pkg.go.dev/k8s.io/kubernetes/pkg/volume/util#AtomicWriter
        """
        directory = self._directory(path)
        version = directory / f"..{self._updates}"
        version.mkdir(parents=True)
        for name, text in files.items():
            (version / name).write_text(text)
        (directory / "..data_tmp").symlink_to(version.name)
        (directory / "..data_tmp").replace(directory / "..data")
        for name in files:
            if not (directory / name).is_symlink():
                (directory / name).symlink_to(f"..data/{name}")
