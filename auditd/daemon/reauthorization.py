"""Where a person renews the OAuth authorization that an alert is about.

The address is asked for when it is wanted and is no annotation of the alert: it is good for one
use, and whoever has it could bind an account of their own.
"""

from __future__ import annotations

from auditd.alerting.alert import Alert
from auditd.audit.authorization import Authorization
from auditd.audit.project import Project
from auditd.config.settings import Catalog, Settings
from auditd.daemon.once import find_projects
from auditd.daemon.watch import Watch, open_watch
from auditd.store.state import StoredState

_OAUTH = "oauth"


class NotReauthorizableError(Exception):
    """There is no such alert, or a new OAuth grant would not end it. The message says more."""


async def reauthorization_url(
    settings: Settings, catalog: Catalog, state: StoredState, fingerprint: str
) -> str:
    """Ask ServiceStage for the address at the Git host.

    Raises:
        NotReauthorizableError: see there.
        PollError: ServiceStage did not give an address.
        DiscoveryError: the project is a discovered one, and a source could not be read.
        UnusableSettingError: a certificate or key file of the configuration cannot be used.
    """
    alert = _alert(state, fingerprint)
    async with open_watch(settings, catalog) as watch:
        project = await _project(watch, alert.labels["project"])
        authorization = _authorization(state, project, alert)
        async with watch.cloud.turn(project) as turn:
            return await turn.redirect_url(authorization.repo_type, authorization.tag)


def _alert(state: StoredState, fingerprint: str) -> Alert:
    for alerts in state.alerts.values():
        for alert in alerts:
            if alert.fingerprint == fingerprint:
                return alert
    msg = f"there is no alert {fingerprint!r}; see `alerts list`"
    raise NotReauthorizableError(msg)


async def _project(watch: Watch, name: str) -> Project:
    projects = {project.name: project for project in watch.settings.projects}
    if name not in projects:
        projects = {project.name: project for project in await find_projects(watch)}
    if name not in projects:
        msg = f"the project {name!r} is neither configured nor discovered any more"
        raise NotReauthorizableError(msg)
    return projects[name]


def _authorization(state: StoredState, project: Project, alert: Alert) -> Authorization:
    name = alert.labels.get("authorization", "")
    authorization = (state.snapshot_of(project).authorizations or {}).get(name)
    if authorization is None:
        msg = f"the alert is about no authorization that project {project.name!r} has now"
        raise NotReauthorizableError(msg)
    if authorization.token_type != _OAUTH:
        kind = authorization.token_type or "unknown"
        msg = (
            f"the authorization {name!r} is no OAuth grant, its type is {kind}: renew its"
            " credential in the ServiceStage console"
        )
        raise NotReauthorizableError(msg)
    return authorization
