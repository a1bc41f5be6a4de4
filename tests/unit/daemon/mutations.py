"""A realistic configuration, and everything that people and disks do to one."""

from __future__ import annotations

from pathlib import Path
from random import Random

CANARY = "CANARY-8f3a-s3cr3t-0000"
GOOD = f"""\
include: ["conf.d/*.yaml"]
global:
  poll_interval: 5m
  blind_after: 3
  labels: {{site: hq}}
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
    reason: migration
    until: 2027-01-31
alerting:
  route:
    hook: ops
    routes: [{{matchers: ['a="b"'], hook: ops}}]
  hooks:
    - name: ops
      type: webhook
      url: https://hooks.example/{CANARY}
storage:
  url: postgresql://auditd:{CANARY}@db/auditd
"""


def mutate(file: Path, chance: Random) -> None:
    """Replace the file by a broken one; seldom it is a good one by chance."""
    content = GOOD.encode()
    match chance.randrange(9):
        case 0:
            content = _flipped(content, chance)
        case 1:
            content = _without_lines(content, chance)
        case 2:
            content = content.replace(b"poll_interval: 5m", chance.choice(_WRONG_INTERVALS))
        case 3:
            content = content.replace(b"    region:", chance.choice((b"    regio:", b"    x: 1\n")))
        case 4:
            content += b"#" * chance.choice((17 * 2**20, 1)) + b"\nunknown: {}\n"
        case 5:
            content = chance.randbytes(chance.randrange(1, 4096))
        case 6:
            content = content.replace(b'["conf.d/*.yaml"]', b"[missing.yaml, auditd.yaml]")
        case 7:
            content = content[: chance.randrange(len(content))]
        case _:
            content = content.replace(b"https://hooks.example/", chance.choice(_WRONG_ADDRESSES))
    file.write_bytes(content)


_WRONG_INTERVALS = (
    b"poll_interval: [5m]",
    b"poll_interval: -5m",
    b"poll_interval: &a [*a]",
    b"poll_interval: 5m\n  poll_interval: 6m",
    b"poll_interval: " + b"[" * 2000,
    b"poll_interval: !!python/object:os.system {}",
)
_WRONG_ADDRESSES = (b"ftp://", b"https://[", b"", b"\x00")


def _flipped(content: bytes, chance: Random) -> bytes:
    """One to three bits are others, none of them in a secret: parts of it would be no secret."""
    flipped = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        position = chance.randrange(len(flipped))
        flipped[position] ^= 1 << chance.randrange(8)
    canary = CANARY.encode()
    for start in _places(content, canary):
        flipped[start : start + len(canary)] = canary
    return bytes(flipped)


def _places(content: bytes, part: bytes) -> list[int]:
    return [at for at in range(len(content)) if content.startswith(part, at)]


def _without_lines(content: bytes, chance: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        del lines[chance.randrange(len(lines))]
    return b"".join(lines)
