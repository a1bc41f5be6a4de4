from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.packaging.conftest import ROOT

pytestmark = pytest.mark.timeout(300)


def locked_here() -> dict[str, str]:
    """Name -> version of what the lock file brings on this machine."""
    text = (ROOT / "requirements" / "full.txt").read_text()
    lines = (line.split(" \\")[0] for line in text.splitlines() if re.match(r"\w", line))
    requirements = [Requirement(line) for line in lines]
    return {
        it.name.lower().replace("_", "-"): str(it.specifier).removeprefix("==")
        for it in requirements
        if it.marker is None or it.marker.evaluate()
    }


def test_it_lists_every_locked_requirement_with_its_licence(complete: Path) -> None:
    """That it fits the schema is checked by the command, which fails otherwise."""
    done = subprocess.run(
        [ROOT / "deploy" / "wheel" / "sbom", sys.executable, complete],
        check=True,
        capture_output=True,
        text=True,
    )
    sbom = json.loads(done.stdout)
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == (
        "CycloneDX",
        "servicestage-auditd",
    )
    components = {it["name"].lower().replace("_", "-"): it for it in sbom["components"]}
    assert {name: it["version"] for name, it in components.items()} == locked_here()
    assert [name for name, it in components.items() if not it.get("licenses")] == []
