"""Builds and runs images without an engine: a Dockerfile's steps, taken in a Debian of our own.

It knows the instructions and forms that our Dockerfile uses, and refuses every other.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.deploy.debian import copy_of, run_inside

_FIELDS = {
    "ENV": "environment",
    "LABEL": "labels",
    "USER": "user",
    "WORKDIR": "directory",
    "STOPSIGNAL": "stop_signal",
    "ENTRYPOINT": "entrypoint",
    "CMD": "command",
}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Image:
    """What a stage has become: its files, and how a container of it starts."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    directory: str = "/"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    volumes: tuple[str, ...] = ()


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction and its words, comments dropped and continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (name.upper(), " ".join(words.split()))
        for name, _, words in (line.partition(" ") for line in joined.splitlines() if line.strip())
    ]


class Builder:
    """Builds in `workspace`, with `base` as what every registry gives.

    `build_environment` is seen by RUN and is not part of the image.
    """

    def __init__(
        self, context: Path, base: Path, workspace: Path, build_environment: dict[str, str]
    ) -> None:
        self._context = context
        self._base = base
        self._workspace = workspace
        self._build_environment = build_environment
        self._stages: list[Image] = []
        self._names: dict[str, Image] = {}
        self._arguments: dict[str, str] = {}
        self._ignore = set((context / "deploy/docker/Dockerfile.dockerignore").read_text().split())

    def build(self, dockerfile: Path) -> Image:
        """The last stage."""
        image, name = Image(self._base), ""
        for instruction, words in instructions(dockerfile.read_text()):
            if instruction == "ARG":
                argument, _, default = words.partition("=")
                self._arguments[argument] = default
            elif instruction == "FROM":
                self._names[name] = image
                source, _, name = words.partition(" AS ")
                image = self._start(source)
            else:
                image = self._take(image, instruction, words)
        return image

    def _start(self, source: str) -> Image:
        parent = self._names.get(source, Image(self._base))
        root = self._workspace / f"stage-{len(self._stages)}"
        image = replace(parent, root=copy_of(parent.root, root))
        self._stages.append(image)
        return image

    def _take(self, image: Image, instruction: str, words: str) -> Image:
        match instruction:
            case "RUN":
                self._run(image, words)
            case "COPY":
                self._copy(image, shlex.split(words))
            case "WORKDIR":
                (image.root / words.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return replace(image, **self._changes(image, instruction, words))

    def _changes(self, image: Image, instruction: str, words: str) -> dict[str, Any]:
        """What an instruction changes of how a container starts."""
        match instruction:
            case "ENV" | "LABEL":
                field = _FIELDS[instruction]
                return {field: getattr(image, field) | self._pairs(words)}
            case "VOLUME":
                return {"volumes": (*image.volumes, words)}
            case "HEALTHCHECK":
                return {"health": tuple(json.loads(words.partition("CMD ")[2]))}
            case "ENTRYPOINT" | "CMD":
                return {_FIELDS[instruction]: tuple(json.loads(words))}
            case "USER" | "WORKDIR" | "STOPSIGNAL":
                return {_FIELDS[instruction]: words}
            case "RUN" | "COPY" | "EXPOSE":
                return {}
        msg = f"{instruction} is not known here"
        raise NotImplementedError(msg)

    def _pairs(self, words: str) -> dict[str, str]:
        filled = _VARIABLE.sub(lambda found: self._arguments[found[1]], words)
        return dict(pair.split("=", 1) for pair in shlex.split(filled))

    def _run(self, image: Image, words: str) -> None:
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = run_inside(
            image.root,
            *("sh", "-c", words),
            environment=path | image.environment | self._build_environment,
            user=image.user,
            directory=image.directory,
        )
        assert done.returncode == 0, f"RUN {words}\nended with {done.returncode}:\n{done.stdout}"

    def _copy(self, image: Image, words: list[str]) -> None:
        stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
        *sources, target = words
        place = image.root / image.directory.lstrip("/")
        place = image.root / target.strip("/") if target.startswith("/") else place / target
        for source in sources:
            if stage:
                found = self._names[stage].root / source.lstrip("/")
            else:
                found = self._context / source
                kept = {f"!{name}" for name in (source, source.split("/")[0])} & self._ignore
                assert kept, f"{source} is kept from the builder by Dockerfile.dockerignore"
            place.parent.mkdir(parents=True, exist_ok=True)
            if target.endswith("/"):
                place.mkdir(exist_ok=True)
            if found.is_dir():
                ignored = None if stage else shutil.ignore_patterns("__pycache__")
                shutil.copytree(found, place, symlinks=True, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy2(found, place)


def run(image: Image, *command: str) -> subprocess.CompletedProcess[str]:
    """A container with a read-only root, memory in /tmp and in its volumes, and no more."""
    uid, gid = image.user.split(":")
    memory = dict.fromkeys(image.volumes, f"mode=0700,uid={uid},gid={gid}")
    return run_inside(
        image.root,
        *(command or (*image.entrypoint, *image.command)),
        environment=image.environment,
        user=image.user,
        directory=image.directory,
        is_read_only=True,
        memory={"/tmp": "mode=1777", **memory},
    )
