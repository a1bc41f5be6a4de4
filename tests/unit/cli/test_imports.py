from __future__ import annotations

import gc
import subprocess
import sys

import rich.console

from auditd.cli.imports import swift_imports

PROGRAM = """
import sys
from auditd.cli.imports import swift_imports
with swift_imports():
    import auditd.cli.run
assert "structlog.dev" in sys.modules
print(*(name for name in sys.modules if name.partition(".")[0] == "rich"))
import rich.console
"""


def test_a_daemon_imports_no_rich_which_others_still_can() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    assert ended.stdout.strip() == ""


def test_garbage_is_looked_for_again_afterwards_though_not_in_what_was_imported() -> None:
    gc.unfreeze()
    try:
        with swift_imports():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_what_is_imported_already_stays() -> None:
    with swift_imports():
        assert sys.modules["rich.console"] is rich.console
    assert sys.modules["rich"] is rich
