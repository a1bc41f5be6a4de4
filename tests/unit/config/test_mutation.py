"""A good configuration, broken at random: there is never anything but settings or an error."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from auditd.config.load import load
from auditd.config.problem import ConfigError
from auditd.config.settings import Catalog

MUTATIONS = 2_000
CANARY = "CANARY-8f3a-s3cr3t"
GOOD = f"""\
global:
  poll_interval: 5m
  blind_after: 3
  labels: {{site: "${{SITE:-hq}}"}}
  proxy_url: http://user:{CANARY}@proxy.example:3128
credentials:
  - name: prod
    type: aksk
    access_key: {CANARY}
    secret_key: "{CANARY}"
  - {{name: other, type: token, token: '{CANARY}'}}
projects:
  - name: payments
    project_id: 0123456789abcdef0123456789abcdef
    region: cn-north-4
    credential: prod
    labels: {{team: payments}}
discovery:
  - type: iam
    credential: other
    include: "cn-(north|east).*"
checks:
  stale:
    max_age: 90d
    tiers: [{{max_age: 180d, severity: critical}}]
    overrides:
      - match: {{token_type: password}}
        max_age: 30d
exceptions:
  - match: {{project: payments, check: stale}}
    owner: ops
    reason: |
      migration
    until: 2027-01-31
alerting:
  route: &route
    hook: ops
    routes: [{{matchers: ['a="b"'], hook: ops}}]
  hooks:
    - name: ops
      type: webhook
      url: https://hooks.example/{CANARY}
      secret: [{CANARY}, {CANARY}]
storage:
  url: postgresql://auditd:{CANARY}@db/auditd
"""


def _damage(line: str, chance: random.Random) -> str:
    """Change one character of a line, but none of a secret: parts of it would be no secret."""
    before, canary, after = line.partition(CANARY)
    position = chance.randrange(len(before) + 1)
    character = chance.choice("\t :-[]{}&*!|>'\"%@`#,?~$\\\x00\u00e9x0")
    return (
        before[:position] + character + before[position + chance.randint(0, 1) :] + canary + after
    )


def _mutate(chance: random.Random) -> str:
    lines = GOOD.splitlines()
    for _ in range(chance.randint(1, 3)):
        position, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                lines.insert(position, lines[other])
            case 1:
                lines[position] = lines[position][1:] if lines[position][:1] == " " else "  x"
            case 2:
                lines[position], lines[other] = lines[other], lines[position]
            case _:
                lines[position] = _damage(lines[position], chance)
    return "\n".join(lines)


def test_the_configuration_is_good_before_it_is_broken(load_text: Callable[..., object]) -> None:
    told: list[str] = []
    settings = load_text(GOOD, told=told)
    assert CANARY not in repr(settings)
    assert sum(CANARY in value for value in told) == 10, "8, of which 2 have a password in them"


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_configuration_is_told_with_places_and_without_secrets(
    seed: int, catalog: Catalog, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    path = tmp_path / "auditd.yaml"
    errors: list[ConfigError] = []
    for _ in range(MUTATIONS // 4):
        path.write_text(_mutate(chance), "utf-8")
        try:
            settings = load(path, catalog, {}, on_secret=lambda _: None, monotonic=lambda: 0.0)
        except ConfigError as error:
            errors.append(error)
        else:
            assert CANARY not in str(settings.warnings)
    assert MUTATIONS // 8 < len(errors) < MUTATIONS // 4
    assert CANARY not in f"{[(str(error), error, error.problems) for error in errors]}"
    places = {problem.place for error in errors for problem in error.problems}
    assert all(place.file == str(path) and place.line >= 1 for place in places)
