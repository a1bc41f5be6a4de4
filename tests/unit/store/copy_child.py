"""Copies a state as a process of its own, which says how far it is and can be killed."""

from __future__ import annotations

import sys

from auditd.store.copy import copy_state


def main(source: str, target: str) -> None:
    """A line for each chunk, and one at the end."""

    def tell(done: int = 0, _total: int = 0) -> None:
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()

    copy_state(source, target, tell)
    tell()


if __name__ == "__main__":
    main(*sys.argv[1:])
