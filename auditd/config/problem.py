"""What is wrong with a configuration, and where.

    ValueError
      ConfigError       all problems of one pass

No message holds a configured value: it might be a secret in the wrong place. The place tells
where to look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

SHOWN_PROBLEMS = 50
"""How many problems the text of a ConfigError lists; `problems` has them all."""


class Place(NamedTuple):
    """A character of a file. Lines and columns count from 1; line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `path` is for example `projects[0].region`; empty for the whole file."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.path, self.message) if part)


class ConfigError(ValueError):
    """The configuration cannot be used. `problems` is sorted by file, line and column."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        lines = [str(problem) for problem in self.problems[:SHOWN_PROBLEMS]]
        if hidden := len(self.problems) - len(lines):
            lines.append(f"... and {hidden} more problems")
        super().__init__("\n".join(lines))


class Problems:
    """Collects problems. Of several about one path at one place only the first is kept."""

    def __init__(self) -> None:
        self._found: dict[tuple[Place, str], Problem] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, place: Place, path: str, message: str) -> None:
        """Remember one problem."""
        self._found.setdefault((place, path), Problem(place, path, message))

    def error(self) -> ConfigError:
        """The error that tells all of them."""
        return ConfigError(self._found.values())
