"""Makes what other replicas wrote known here, where everybody looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from auditd.audit.snapshot import ProjectSnapshot
from auditd.daemon.alarms import Alarms
from auditd.daemon.watch import Watch
from auditd.polling.scheduler import Scheduler
from auditd.store.news import News
from auditd.store.replicas import Replicas
from auditd.store.state import PollTimes


class Newsroom:
    """Publishes what changed elsewhere, while nobody here changes anything.

    Args:
        replicas: the database.
        watch: the parts that see.
        alarms: the parts that tell.
        scheduler: is told what was polled.
        on_polled: told the name of each project that another replica has polled.
        on_changed: told when alerts, groups or deliveries changed.
    """

    def __init__(
        self,
        replicas: Replicas,
        watch: Watch,
        alarms: Alarms,
        scheduler: Scheduler,
        *,
        on_polled: Callable[[str], None],
        on_changed: Callable[[], None],
    ) -> None:
        self._replicas = replicas
        self._watch = watch
        self._alarms = alarms
        self._scheduler = scheduler
        self._on_polled = on_polled
        self._on_changed = on_changed

    async def catch_up(self) -> News:
        """Know all that is written now. Raises StoreReadError, and then nothing changed here."""
        async with self._alarms.board.lock:
            news = await self._replicas.catch_up(self._watch.poller.busy)
            # No await from here on: nobody sees one half of it.
            self._see(news)
            self._tell(news)
        if news.snapshots or news.times:
            self._scheduler.note_polled()
        if news.snapshots or news.groups or news.deliveries or news.silences is not None:
            self._on_changed()
        return news

    def _see(self, news: News) -> None:
        fleet = self._watch.fleet
        for name, stored in news.snapshots.items():
            if stored and (known := fleet.get(name)):
                self._publish(self._watch.poller.recalled(stored.of(known.project)))
        for name, times in news.times.items():
            if known := fleet.get(name):
                self._publish(_polled_again(known, times))

    def _publish(self, snapshot: ProjectSnapshot) -> None:
        self._watch.fleet.publish(snapshot)
        if snapshot.attempted_at:
            self._watch.poller.polled_elsewhere(snapshot.project.name, snapshot.attempted_at)
        self._on_polled(snapshot.project.name)

    def _tell(self, news: News) -> None:
        board, deliverer = self._alarms.board, self._alarms.deliverer
        if news.silences is not None and news.acknowledgements is not None:
            board.replace_hush(news.silences, news.acknowledgements)
        for name in news.snapshots:
            board.publish(name, news.alerts.get(name, ()), ())
        for name, times in news.times.items():
            if times.sighted_at:
                board.sight_latest(name, times.sighted_at)
        for group in news.groups.values():
            self._alarms.flusher.yield_to_others(group.key)
            board.receive(group)
        for key in news.gone_groups:
            board.forget_group(key)
        for delivery in news.deliveries:
            deliverer.hear(delivery)
        if news.switched_off is not None:
            deliverer.switch_all(news.switched_off)
            self._alarms.flusher.realign()


def _polled_again(known: ProjectSnapshot, times: PollTimes) -> ProjectSnapshot:
    """The snapshot after a poll elsewhere that found nothing else."""
    return replace(
        known,
        attempted_at=times.attempted_at,
        succeeded_at=times.succeeded_at,
        failures_in_a_row=times.failures_in_a_row,
    )
