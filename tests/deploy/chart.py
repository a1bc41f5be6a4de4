"""The chart, rendered, and the table of its values; as a program it writes that into its README.

    python -m tests.deploy.chart

Defaults are those of values.yaml, descriptions those of values.schema.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.deploy.manifests import ROOT, Manifest, read, run, tool

CHART = ROOT / "deploy" / "helm" / "servicestage-auditd"
README = CHART / "README.md"
_TABLE = re.compile(r"\| value \|.*?\n(?!\|)", re.DOTALL)


def template(*flags: str, values: Mapping[str, Any] | None = None) -> list[Manifest]:
    """The objects of a release named r."""
    helm = tool("bin", "helm")
    text = yaml.safe_dump(values or {})
    return read(run(helm, "template", "r", CHART, "--values=-", *flags, stdin=text))


def values() -> dict[str, Any]:
    """The defaults."""
    return dict(yaml.safe_load((CHART / "values.yaml").read_text()))


def schema() -> dict[str, Any]:
    """What may be set."""
    return dict(json.loads((CHART / "values.schema.json").read_text()))


def leaves(
    values: Mapping[str, Any], schema: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Any, str]]:
    """Each value's path, default and description; a section that is described is one value.

    Raises:
        KeyError: the schema does not know a value, or does not describe it.
    """
    for key, value in values.items():
        known = schema["properties"][key]
        if "description" in known:
            yield f"{path}{key}", value, known["description"]
        else:
            yield from leaves(value, known, f"{path}{key}.")


def with_table(readme: str) -> str:
    """The text with the table as it should be."""
    rows = [
        f"| `{path}` | {_default(value)} | {description} |\n"
        for path, value, description in leaves(values(), schema())
    ]
    table = "| value | default | |\n|---|---|---|\n" + "".join(rows)
    return _TABLE.sub(lambda _: table, readme, count=1)


def _default(value: object) -> str:
    if value in ("", [], {}):
        return ""
    if isinstance(value, dict | list):
        return "see values.yaml"
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
