"""The files of a configuration: the one that was named and those that it includes."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from auditd.config.document import Document
from auditd.config.file_set import FILE_LIMIT_BYTES, FileSet, digest, expand, read_limited
from auditd.config.form import TEXT
from auditd.config.node import Node
from auditd.config.problem import Place, Problems
from auditd.config.reading import Reading

_IF_EMPTY = "`servicestage-auditd config example` prints one to begin with"

_NOT_PRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # Source: https://yaml.org/spec/1.2.2/#51-character-set


class Source:
    """Reads files and merges them. `files` has every file that was read, in that order.

    Without `environ` no variables are replaced.
    """

    def __init__(self, environ: Mapping[str, str] | None, problems: Problems) -> None:
        self._environ = environ
        self._problems = problems
        self._seen: set[str] = set()
        self._digests: dict[Path, bytes | None] = {}
        self._patterns: set[str] = set()
        self._matches: set[Path] = set()
        self._trees: list[Node] = []
        self.files: list[Path] = []

    @property
    def file_set(self) -> FileSet:
        """All that was read so far, as it was, and where more would be looked for."""
        return FileSet(dict(self._digests), frozenset(self._patterns), frozenset(self._matches))

    def read(self, path: Path) -> Node | None:
        """The sections of a file with those of the files it includes; None when it has none."""
        self._seen.add(os.path.realpath(path))
        root = self.read_data(path)
        if root is None:
            return None
        if not isinstance(root.value, dict):
            message = f"expected sections (`key:`), found {root.kind}"
            self._problems.add(root.place, "", message)
            return None
        include = root.value.pop("include", None)
        if include:
            self._trees.append(include)
        for included in self._included(include, path.parent):
            if os.path.realpath(included) in self._seen:
                continue
            if (other := self.read(included)) is not None:
                self._merge(root, other)
        return root

    def read_data(self, path: Path, *, if_empty: str = _IF_EMPTY) -> Node | None:
        """The data of one file; None, with a problem recorded, when there is none.

        `if_empty` is the remedy for a file without data; without a remedy that is no problem.
        """
        self.files.append(path)
        self._digests[path] = None
        file = str(path)
        try:
            content = read_limited(path)
            self._digests[path] = digest(content)
            text = _text(content)
        except OSError as error:
            self._problems.add(Place(file), "", f"cannot be read: {error.strerror or error}")
            return None
        except UnicodeDecodeError as error:
            self._problems.add(_place(file, error.object[: error.start]), "", _encoding(error))
            return None
        if character := _NOT_PRINTABLE.search(text):
            place = _place(file, text[: character.start()].encode())
            self._problems.add(place, "", "control characters are not possible in YAML")
            return None
        problems_before = len(self._problems)
        data = Document(text, file, environ=self._environ, problems=self._problems).read()
        if data is not None and data.value is not None:
            self._trees.append(data)
            return data
        if if_empty and len(self._problems) == problems_before:
            self._problems.add(Place(file, 1, 1), "", f"the file is empty; {if_empty}")
        return None

    def fell(self) -> None:
        """Free all that was read, once nobody asks for its places any more.

        Parents and children hold each other, and what collects garbage may come late: a fleet's
        nodes are 2 kB a project.
        """
        for tree in self._trees:
            tree.fell()
        self._trees.clear()

    def _included(self, include: Node | None, directory: Path) -> Iterator[Path]:
        reading = Reading(self._problems)
        for node, pattern in reading.each(include, TEXT):
            matches = expand(pattern, directory)
            self._patterns.add(str(directory / pattern))
            self._matches.update(matches)
            if not matches and not glob.has_magic(pattern):
                reading.complain(node, "there is no such file")
            yield from matches

    def _merge(self, root: Node, other: Node, *, is_section: bool = False) -> None:
        """Add the keys of `other`: lists are joined, sections united, the rest may not repeat."""
        for key, node in other.value.items():
            present = root.value.get(key)
            if present is None or present.value is None:
                root.value[key] = node
            elif isinstance(present.value, list) and isinstance(node.value, list):
                root.value[key] = replace(present, value=[*present.value, *node.value])
            elif (
                not is_section and isinstance(present.value, dict) and isinstance(node.value, dict)
            ):
                self._merge(present, node, is_section=True)
            elif node.value is not None:
                message = f"this key is already set at {present.key_place}"
                self._problems.add(node.key_place, node.path, message)


def _text(content: bytes) -> str:
    if len(content) > FILE_LIMIT_BYTES:
        msg = f"larger than {FILE_LIMIT_BYTES // 2**20} MiB"
        raise OSError(msg)
    return content.decode("utf-8-sig")


def _place(file: str, before: bytes) -> Place:
    """The place of the character that follows `before`."""
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode("utf-8", "replace")) + 1
    return Place(file, before.count(b"\n") + 1, column)


def _encoding(error: UnicodeDecodeError) -> str:
    if error.object[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "the file is UTF-16; save it as UTF-8"
    return "this is not UTF-8; save the file as UTF-8"
