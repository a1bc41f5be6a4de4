"""What keeps, tells, sees and polls, joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_bytes
from time import monotonic
from typing import Any

from auditd.config.settings import Catalog, Settings
from auditd.daemon.alarms import Alarms, open_alarms
from auditd.daemon.replica import Replica
from auditd.daemon.replica_news import Newsroom
from auditd.daemon.replica_opening import Fellowship, make_fellowship
from auditd.daemon.replica_slots import ReplicaSlots
from auditd.daemon.signing import CloudSigner
from auditd.daemon.voices import Voices
from auditd.daemon.watch import Watch, open_watch, utc_now
from auditd.daemon.work import dispatch_to, work
from auditd.engine.local import LocalEngine
from auditd.engine.port import Engine
from auditd.hooks.refresher import Claim
from auditd.polling.discovery import read_source
from auditd.polling.scheduler import Scheduler
from auditd.store.opening import open_store
from auditd.store.replicas import Replicas
from auditd.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """All of them outlive reloads."""

    store: Store
    alarms: Alarms
    watch: Watch
    scheduler: Scheduler
    engine: Engine
    run: Callable[[], Coroutine[Any, Any, None]]
    """Polls what is due, and does what being one of several daemons takes, until cancelled."""
    claim: Claim | None
    """Whether it is for this replica to do what one does for all; None where there is one."""
    form_key: bytes
    """With which the forms of the pages are signed: one for all replicas."""


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
        fellowship = await asyncio.to_thread(make_fellowship, settings)
        store = await opened.enter_async_context(_open_store(settings, fellowship))
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
        engine: Engine = LocalEngine()
        slots = None
        if fellowship and store.replicas:
            for name, stored in state.snapshots.items():
                if stored.times.attempted_at:
                    watch.poller.polled_elsewhere(name, stored.times.attempted_at)
            engine = fellowship.engine
            slots = ReplicaSlots(
                store.replicas,
                engine,
                watch.fleet,
                is_polled=watch.poller.is_outdated,
                on_polled=lambda: scheduler.note_polled(),  # noqa: PLW0108 -- there is none yet
                emit=voices.tell,
                now=utc_now,
            )
        scheduler = Scheduler(
            poller=watch.poller,
            journal=alarms.desk,
            fleet=watch.fleet,
            configured=settings.projects,
            sources=watch.sources,
            emit=voices.tell,
            on_lag=voices.loop_lag,
            on_step=partial(_note_step, alarms, watch),
            now=utc_now,
            monotonic=monotonic,
            dispatch=slots.dispatch if slots else dispatch_to(engine),
            is_shared=slots is not None,
            read=slots.read if slots else read_source,
        )
        run = partial(work, engine, scheduler)
        parts = Parts(store, alarms, watch, scheduler, engine, run, None, token_bytes(32))
        if fellowship and slots and store.replicas:
            replica = _replica(parts, store.replicas, fellowship, slots, voices)
            await replica.join()
            opened.push_async_callback(replica.leave)
            form_key = await store.replicas.form_key()
            alarms.share(slots.claim, replica.catch_up)
            parts = replace(parts, run=replica.run, claim=slots.claim, form_key=form_key)
        yield parts


def _note_step(alarms: Alarms, watch: Watch) -> None:
    """The clock was set: what was planned or signed by it may have been wrong."""
    alarms.flusher.realign()
    watch.cloud.lift_holds()


def _open_store(
    settings: Settings, fellowship: Fellowship | None
) -> AbstractAsyncContextManager[Store]:
    storage = settings.storage
    opening = partial(open_store, storage.url.reveal(), now=utc_now, retention=storage.retention)
    if fellowship is None:
        return opening()
    return opening(replica=fellowship.name, prepare=fellowship.prepare)


def _replica(
    parts: Parts, replicas: Replicas, fellowship: Fellowship, slots: ReplicaSlots, voices: Voices
) -> Replica:
    from auditd.daemon.replica_listener import Listener  # noqa: PLC0415 -- not installed everywhere

    newsroom = Newsroom(
        replicas,
        parts.watch,
        parts.alarms,
        parts.scheduler,
        on_polled=voices.freshness.polled_elsewhere,
        on_changed=voices.changed_elsewhere,
    )
    return Replica(
        replicas,
        parts.engine,
        slots,
        newsroom,
        listener=partial(Listener, fellowship.url, fellowship.name),
        watch=parts.watch,
        alarms=parts.alarms,
        scheduler=parts.scheduler,
    )
