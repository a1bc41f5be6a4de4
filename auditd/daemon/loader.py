"""Reads the configuration of one daemon, as often as it is asked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic

from auditd.config.file_set import FileSet
from auditd.config.load import load
from auditd.config.secret import InlineSecret, parts_of
from auditd.config.settings import Catalog, Settings
from auditd.daemon.hook_building import files_of
from auditd.daemon.watch import tls_files


class Loader:
    """What the command line says of the configuration, and the files that it was read from last.

    Args:
        file: the configuration.
        catalog: what can be configured.
        environ: for `${VAR}`.
        on_secret: told of each secret value before it is used. It may be called by any thread.
        storage_url: counts instead of the configured one.
    """

    def __init__(
        self,
        file: Path,
        catalog: Catalog,
        environ: Mapping[str, str],
        *,
        on_secret: Callable[[str], None],
        storage_url: str | None = None,
    ) -> None:
        self.file = file
        self.catalog = catalog
        self.files = FileSet()
        """Those of the last read, also of one that failed, with all that hooks and TLS read."""
        self._environ = environ
        self._on_secret = on_secret
        self._storage_url = storage_url
        if storage_url:
            for part in parts_of(storage_url):
                on_secret(part)

    def read(self) -> Settings:
        """Read everything anew. Blocks.

        Raises:
            ConfigError: it cannot be used.
        """
        settings = load(
            self.file,
            self.catalog,
            self._environ,
            on_secret=self._on_secret,
            monotonic=monotonic,
            on_files=self._note,
        )
        hooks = settings.alerting.hooks if settings.alerting else ()
        others = [*tls_files(settings), *(file for hook in hooks for file in files_of(hook))]
        self.files = self.files.joined(others)
        if self._storage_url:
            storage = replace(settings.storage, url=InlineSecret(self._storage_url))
            settings = replace(settings, storage=storage)
        return settings

    def _note(self, files: FileSet) -> None:
        self.files = files
