"""The files that a configuration was read from, and whether they are still the same."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditd.config.regular_file import open_regular

FILE_LIMIT_BYTES = 16 * 1024 * 1024
"""No more of a file is looked at; a longer configuration file is refused."""

_Digest = bytes | None
"""SHA-256; None of a file that cannot be read."""


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files by what is in them, not by their times: editors, symlink swaps and NFS move those.

    `digests` are by path. `patterns` are globs, and `matches` the paths that fitted them.
    """

    digests: Mapping[Path, _Digest] = field(default_factory=dict)
    patterns: frozenset[str] = frozenset()
    matches: frozenset[Path] = frozenset()

    def joined(self, files: Iterable[Path]) -> FileSet:
        """The set with more files, as they are now. Blocks."""
        return replace(self, digests={**self.digests, **digests_of(files)})

    def renewed(self) -> FileSet:
        """The same files as they are now, and what fits the patterns now. Blocks."""
        matches = frozenset(path for it in self.patterns for path in expand(it, Path()))
        files = {*self.digests, *matches}
        return replace(self, digests=digests_of(files), matches=matches)

    def is_current(self) -> bool:
        """Whether every file still holds the same and the same fit the patterns. Blocks."""
        matches = {path for it in self.patterns for path in expand(it, Path())}
        return matches == self.matches and digests_of(self.digests) == self.digests


def digests_of(files: Iterable[Path]) -> Mapping[Path, _Digest]:
    """What files hold now. Blocks."""
    return {path: _digest_of(path) for path in files}


def _digest_of(path: Path) -> _Digest:
    try:
        return digest(read_limited(path))
    except (OSError, ValueError):
        return None


def read_limited(path: Path) -> bytes:
    """The content of a regular file, and of a longer one than the limit one byte more than that.

    Raises:
        OSError: it cannot be read.
        ValueError: this is no path.
    """
    with open_regular(path) as file:
        return file.read(FILE_LIMIT_BYTES + 1)


def digest(content: bytes) -> bytes:
    """What stands for the content."""
    return hashlib.sha256(content).digest()


def expand(pattern: str, directory: Path) -> list[Path]:
    """The files that fit a glob, in name order; a relative one starts at `directory`."""
    try:
        found = glob.glob(  # noqa: PTH207 -- Path.glob refuses absolute patterns
            str(directory / pattern), recursive=True
        )
    except ValueError:  # a null character is in no file's name
        return []
    return [Path(name) for name in sorted(found)]
