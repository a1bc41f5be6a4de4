"""Reading a scenario from YAML; every problem is told with its file and key."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from auditd.simulator.scenario import Scenario


class ScenarioError(ValueError):
    """A scenario that cannot be used. The message has one line a problem, `file: key: what`."""


class _Loader(yaml.SafeLoader):
    """Plain YAML, but a key that is there twice is an error and not a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as overridden
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                mark = node.value[position][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is there twice", mark)
        return super().construct_mapping(node, deep)


def load_scenario(path: Path | None = None) -> Scenario:
    """The scenario in a file, or the demo that comes with the package.

    Raises:
        ScenarioError: the file cannot be read or is not a scenario.
    """
    if path is None:
        demo = resources.files("auditd.simulator") / "scenarios" / "demo.yaml"
        return parse_scenario(demo.read_text("utf-8"), "demo.yaml")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read: {error}"
        raise ScenarioError(msg) from error
    return parse_scenario(text, str(path))


def parse_scenario(text: str, file: str) -> Scenario:
    """The scenario in a text; `file` is what errors call it.

    Raises:
        ScenarioError: it is no scenario.
    """
    try:
        # The loader is a SafeLoader.
        document = yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        msg = f"{place}: {error.problem}"
        raise ScenarioError(msg) from error
    except yaml.YAMLError as error:
        msg = f"{file}: {error}"
        raise ScenarioError(msg) from error
    if not isinstance(document, dict):
        msg = f"{file}: must be a mapping with the key `credentials`"
        raise ScenarioError(msg)
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        lines = [
            f"{file}: {_name_key(document, problem['loc'])}{problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ScenarioError("\n".join(lines)) from None


def _name_key(document: object, location: Sequence[int | str]) -> str:
    """`projects[0].name: `, without the tags that pydantic puts between the keys."""
    path = ""
    for position, step in enumerate(location):
        if isinstance(document, dict) and step not in document and position < len(location) - 1:
            continue
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
        try:
            document = document[step]  # type: ignore[index]  # anything: it is walked by trial
        except (KeyError, IndexError, TypeError):
            document = None
    return f"{path.removeprefix('.')}: " if path else ""
