"""Everything that must hold after a run, whatever happened in it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos.evidence import Evidence, order_faults, outbox_faults, storage_faults
from tests.chaos.telling import telling_faults


def faults(evidence: Evidence, hooks: Sequence[str]) -> list[str]:
    """What does not hold. Nothing when nothing was lost, doubled, disordered or damaged.

    Nothing else may have been owed to `hooks`.
    """
    return list(storage_faults(evidence)) or [  # the rest is judged by what is stored
        *outbox_faults(evidence),
        *order_faults(evidence),
        *telling_faults(evidence, hooks),
    ]
