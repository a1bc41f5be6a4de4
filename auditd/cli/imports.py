"""Imports for what runs long: fewer, and without a look for garbage."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def swift_imports() -> Iterator[None]:
    """Collect no garbage, as there is none, and import no rich for structlog.

    That would draw tracebacks, which this program does itself: 50 modules and 5 MB.

    Source: https://docs.python.org/3/reference/import.html#the-module-cache (None forbids).
    """
    is_hidden = "rich" not in sys.modules
    gc.disable()
    if is_hidden:
        sys.modules["rich"] = None  # type: ignore[assignment]  # allowed, see the source
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules["rich"]
        gc.freeze()  # what was imported stays
        gc.enable()
