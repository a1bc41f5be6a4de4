"""The projects and their authorizations as they are at this moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from auditd.simulator.authorization import Authorization, AuthorizationPatch
from auditd.simulator.bulk import generate_projects
from auditd.simulator.caller import Caller
from auditd.simulator.life import live_authorizations
from auditd.simulator.scenario import ProjectSpec, Scenario


class Fleet:
    """What the API changes is kept; what the life of the scenario changes lies on top of it."""

    def __init__(self, scenario: Scenario, *, start: datetime, now: Callable[[], datetime]) -> None:
        projects = list(scenario.projects)
        if scenario.generate is not None:
            projects += generate_projects(scenario.generate, scenario.seed)
        self._life = scenario.life
        self._start = start
        self._now = now
        self._projects = {project.id: project for project in projects}
        self._base = {
            project.id: {spec.name: spec.at(start) for spec in project.authorizations}
            for project in projects
        }

    def find(self, project_id: str) -> ProjectSpec | None:
        """The project with this id."""
        return self._projects.get(project_id)

    def find_by_name(self, name: str) -> ProjectSpec | None:
        """The project with this name; a scenario has each name once."""
        return next((p for p in self._projects.values() if p.name == name), None)

    def usable_by(self, caller: Caller) -> list[ProjectSpec]:
        """The projects that the caller may use, disabled ones included, in order."""
        return [project for project in self._projects.values() if may_use(caller, project)]

    def authorizations(self, project_id: str) -> dict[str, Authorization]:
        """Name -> authorization, in the order listed."""
        now = self._now()
        began_at = self._life.begin(self._start, now)
        name = self._projects[project_id].name
        changes = [change for change in self._life.changes if change.project == name]
        return live_authorizations(self._base[project_id], changes, began_at, now - began_at)

    def put(self, project_id: str, authorization: Authorization) -> None:
        """Add an authorization, or replace the one of the same name."""
        self._base[project_id][authorization.name] = authorization

    def patch(self, project_id: str, name: str, patch: AuthorizationPatch) -> Authorization | None:
        """Change an authorization; None when there is none of that name."""
        current = self.authorizations(project_id).get(name)
        if current is None:
            return None
        changed = patch.apply(current, self._now())
        self.put(project_id, changed)
        return changed

    def delete(self, project_id: str, name: str) -> bool:
        """Remove an authorization; False when there is none of that name.

        What the life of the scenario has brought stays until it takes it away.
        """
        is_there = name in self.authorizations(project_id)
        self._base[project_id].pop(name, None)
        return is_there


def may_use(caller: Caller, project: ProjectSpec) -> bool:
    """Whether the credential belongs to the project's domain and is let in."""
    is_let_in = project.credentials is None or caller.credential in project.credentials
    return is_let_in and caller.domain == project.domain
