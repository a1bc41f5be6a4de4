"""What polling needs of the other rooms. They fulfil these shapes without importing this file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from auditd.audit.authorization import Listing
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict


class Turn(Protocol):
    """A project's permission to use its credential now."""

    async def list_authorizations(self, known: Listing | None = None) -> Listing:
        """What is stored now: `known` itself, an earlier one, if it is the same.

        Raises PollError. Ends within the project's poll_timeout.
        """

    async def verify(self, authorization: str) -> Verdict:
        """Exercise one stored Git credential, read only.

        Whatever the far side says of it is a Verdict. Raises PollError when our own
        credential was refused or held.
        """


class AuthorizationSource(Protocol):
    """Where lists come from."""

    def turn(self, project: Project) -> AbstractAsyncContextManager[Turn]:
        """Wait for the credential's verdict, hold and rate limit and for a free place.

        Entering raises PollError when that cannot be had within the project's poll_interval.
        """


class Journal(Protocol):
    """Where it is kept what polls found, beyond this process."""

    def note(self, snapshot: ProjectSnapshot) -> bool:
        """Keep when a poll was that found just what is recorded. Returns at once.

        False, with nothing done, for any other, which has to be recorded.
        """

    async def record(self, snapshot: ProjectSnapshot) -> None:
        """Make durable what a poll found, and what follows from it.

        What cannot be kept now is kept with the project's next poll.

        Raises:
            SupersededError: another replica has changed what is known of the project.
        """

    async def catch_up(self) -> None:
        """Know what other replicas changed. Raises nothing."""

    def depart(self, project: str) -> None:
        """A project left the fleet. Returns at once."""


class ProjectSource(Protocol):
    """Where projects come from, beside those that are configured one by one."""

    name: str
    refresh_interval: timedelta

    async def projects(self) -> Sequence[Project]:
        """The complete set as of now. Raises PollError, or ValueError for a bad file."""
