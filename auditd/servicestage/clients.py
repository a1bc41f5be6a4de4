"""The clients of all credentials that are configured, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, TypeAlias

from auditd.audit.events import Emit
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import Plugin
from auditd.servicestage.channel import Channel, Transport
from auditd.servicestage.client import Client
from auditd.servicestage.credentials.port import Credential, Surroundings
from auditd.servicestage.gate import Gate
from auditd.servicestage.places import Places


@dataclass(frozen=True, slots=True)
class CredentialSpec:
    """A configured credential: its kind and the options of that kind."""

    name: str
    plugin: Plugin[Any, Credential]
    options: Any


Prepared: TypeAlias = Mapping[str, tuple[CredentialSpec, Client]]
"""Clients by the name of their credential, with what they were made from."""


class Clients:
    """One client for each credential. All share the places and the way out.

    What a client has under way when its credential is changed or removed, it finishes.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        concurrency: int,
        emit: Emit,
        now: Callable[[], datetime],
        random: Random,
        on_secret: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._places = Places(concurrency)
        self._emit = emit
        self._now = now
        self._random = random
        self._on_secret = on_secret
        self._current: Prepared = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._keepers: dict[Client, asyncio.Task[None]] = {}

    def all(self) -> tuple[Client, ...]:
        """In the order of configuration."""
        return tuple(client for _, client in self._current.values())

    def of(self, credential: str) -> Client:
        """The client of a credential.

        Raises:
            PollError: there is no such credential.
        """
        if credential not in self._current:
            msg = f"there is no credential {credential!r}; configure it under `credentials`"
            raise PollError(FailureReason.BAD_REQUEST, msg)
        return self._current[credential][1]

    def prepare(
        self, credentials: Sequence[CredentialSpec], *, requests_per_second: float
    ) -> Prepared:
        """What `adopt` would have: the same client where nothing of its credential changed."""
        return {
            spec.name: self._current[spec.name]
            if spec.name in self._current and self._current[spec.name][0] == spec
            else (spec, self._client(spec, requests_per_second))
            for spec in credentials
        }

    def adopt(self, prepared: Prepared, *, requests_per_second: float, concurrency: int) -> None:
        """Go by what was prepared from now on. Tokens, holds and rates of kept clients stay."""
        self._current = prepared
        self._places.resize(concurrency)
        for client in self.all():
            client.pace_at(requests_per_second)
        self._keep_fresh()

    async def open(self) -> None:
        """Renew keys ahead of their end from now on."""
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self._keep_fresh()

    async def close(self) -> None:
        """Stop renewing."""
        if self._tasks:
            for keeper in self._keepers.values():
                keeper.cancel()
            tasks, self._tasks = self._tasks, None
            # Not told of an error: it would be wrapped, and whoever catches it knows its type.
            await tasks.__aexit__(None, None, None)

    def _keep_fresh(self) -> None:
        if self._tasks is None:
            return
        current = dict.fromkeys(self.all())
        for client in self._keepers.keys() - current.keys():
            self._keepers.pop(client).cancel()
        for client in current:
            if client not in self._keepers:
                name = f"keep {client.credential.name} fresh"
                keeper = self._tasks.create_task(client.credential.keep_fresh(), name=name)
                self._keepers[client] = keeper

    def _client(self, spec: CredentialSpec, requests_per_second: float) -> Client:
        channel = Channel(
            self._transport,
            requests_per_second=requests_per_second,
            places=self._places,
            now=self._now,
        )
        credential = spec.plugin.build(
            spec.name,
            spec.options,
            Surroundings(
                send=channel.send_paced,
                now=self._now,
                random=self._random.random,
                emit=self._emit,
                on_secret=self._on_secret,
            ),
        )
        gate = Gate(
            spec.name,
            revision=credential.revision,
            now=self._now,
            random=self._random.random,
            emit=self._emit,
        )
        return Client(credential, gate, channel)
