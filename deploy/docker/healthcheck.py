# noqa: INP001 - a script of its own, which the image holds
"""Ends with 0 if the daemon answers at AUDITD_HEALTH_URL, else with 1 and the reason."""

import os
import sys
from urllib.request import ProxyHandler, build_opener

try:
    # No proxy: the daemon is in this container, whatever HTTP_PROXY says.
    build_opener(ProxyHandler({})).open(os.environ["AUDITD_HEALTH_URL"], timeout=4).close()
except (KeyError, OSError, ValueError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
