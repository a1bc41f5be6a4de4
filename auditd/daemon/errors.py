"""What the daemon and the commands beside it can fail for, beyond what each room raises."""

from __future__ import annotations


class UnusableSettingError(Exception):
    """What is configured cannot be used: a certificate, a hook. There is a line for each."""
