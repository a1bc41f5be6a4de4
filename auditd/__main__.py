"""`python -m auditd` is the command `servicestage-auditd`."""

from __future__ import annotations

from auditd.cli import main

if __name__ == "__main__":
    main()
