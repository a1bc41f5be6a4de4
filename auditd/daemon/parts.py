"""What keeps, tells, sees and polls, joined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from auditd.config.settings import Catalog, Settings
from auditd.daemon.alarms import Alarms, open_alarms
from auditd.daemon.signing import CloudSigner
from auditd.daemon.voices import Voices
from auditd.daemon.watch import Watch, open_watch, utc_now
from auditd.polling.scheduler import Scheduler
from auditd.store.opening import open_store
from auditd.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """All of them outlive reloads."""

    store: Store
    alarms: Alarms
    watch: Watch
    scheduler: Scheduler


@asynccontextmanager
async def open_parts(
    settings: Settings,
    catalog: Catalog,
    voices: Voices,
    *,
    external_url: str,
    on_secret: Callable[[str], None],
    on_warnings: Callable[[Sequence[str]], None],
) -> AsyncIterator[Parts]:
    """Open them on what was stored, and close them.

    Args:
        settings: those to begin with.
        catalog: what can be configured.
        voices: told of everything.
        external_url: where people reach this daemon.
        on_secret: told of each secret that the cloud issues.
        on_warnings: told what is doubtful in files of projects.

    Raises:
        StoreUnavailableError: the state is held by another daemon, or cannot be opened.
        UnusableSettingError: a certificate, a key file or a hook cannot be used.
    """
    async with AsyncExitStack() as opened:
        storage = settings.storage
        store = await opened.enter_async_context(
            open_store(storage.url.reveal(), now=utc_now, retention=storage.retention)
        )
        alarms, state = await opened.enter_async_context(
            open_alarms(
                settings,
                catalog,
                store,
                sign=CloudSigner(lambda: watch.cloud),
                emit_alert=voices.tell_of_alerts,
                emit_delivery=voices.tell_of_alerts,
                external_url=external_url,
            )
        )
        watch = await opened.enter_async_context(
            open_watch(
                settings,
                catalog,
                journal=alarms.desk,
                recall=state.snapshot_of,
                emit=voices.tell,
                on_secret=on_secret,
                on_warnings=on_warnings,
            )
        )
        scheduler = Scheduler(
            poller=watch.poller,
            journal=alarms.desk,
            fleet=watch.fleet,
            configured=settings.projects,
            sources=watch.sources,
            emit=voices.tell,
            on_lag=voices.loop_lag,
            on_step=alarms.flusher.realign,
            now=utc_now,
            monotonic=monotonic,
        )
        yield Parts(store, alarms, watch, scheduler)
