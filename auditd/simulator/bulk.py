"""Large fleets from a few numbers: the same numbers and seed give the same fleet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from auditd.simulator.authorization import OFFICIAL_HOSTS, AuthorizationSpec
from auditd.simulator.scenario import BulkSettings, ProjectSpec

_REPO_TYPES = tuple(OFFICIAL_HOSTS)
_TOKEN_TYPES = ("oauth", "personal", "password")


def generate_projects(settings: BulkSettings, seed: int) -> Iterator[ProjectSpec]:
    """`REGION_bulk-0001` and so on, the regions in turn."""
    for number in range(1, settings.projects + 1):
        # Not for secrets: a load must be repeatable.
        random = Random(f"{seed}/{number}")  # noqa: S311
        region = settings.regions[number % len(settings.regions)]
        yield ProjectSpec(
            name=f"{region}_bulk-{number:04}",
            credentials=settings.credentials,
            authorizations=tuple(
                _generate_authorization(settings, index, random)
                for index in range(1, settings.authorizations + 1)
            ),
        )


def _generate_authorization(
    settings: BulkSettings, index: int, random: Random
) -> AuthorizationSpec:
    repo_type = random.choice(_REPO_TYPES)
    age_days = (
        random.uniform(100, 400) if random.random() < settings.stale else random.uniform(1, 80)
    )
    return AuthorizationSpec(
        name=f"{repo_type}-{index:04}",
        repo_type=repo_type,
        repo_user=f"user-{random.randrange(10**6):06}",
        token_type=random.choice(_TOKEN_TYPES),
        created=-timedelta(days=age_days + random.uniform(0, 400)),
        updated=-timedelta(days=age_days),
        status=_choose_status(settings, random.random()),
    )


def _choose_status(settings: BulkSettings, dice: float) -> int:
    if dice < settings.overdue:
        return 1
    return 2 if dice < settings.overdue + settings.unauthenticated else 0
