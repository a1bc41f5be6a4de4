"""IAM's lists of projects."""

from __future__ import annotations

from typing import Any, Self

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError, model_validator
from yarl import URL

from auditd.simulator.call import Call, Operation, to_answer
from auditd.simulator.fleet import Fleet
from auditd.simulator.operations import OperationName
from auditd.simulator.refusal import RefusalError
from auditd.simulator.scenario import ProjectSpec, derive_id


class _Filter(BaseModel):
    """The query of GET /v3/projects. Source: KeystoneListProjects; both or neither of the pages."""

    name: str | None = None
    domain_id: str | None = None
    parent_id: str | None = None
    enabled: bool | None = None
    page: int | None = Field(default=None, ge=1)
    per_page: int | None = Field(default=None, ge=1, le=5000)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.page is None) != (self.per_page is None):
            msg = "page and per_page come together"
            raise ValueError(msg)
        return self

    def lets_through(self, entry: dict[str, Any]) -> bool:
        wanted = self.model_dump(exclude={"page", "per_page"}, exclude_none=True)
        return all(entry[key] == value for key, value in wanted.items())


class Directory:
    """Both lists show what the caller may use; only /v3/projects filters and has pages."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def operations(self) -> list[Operation]:
        """What this part answers."""
        names = OperationName
        return [
            Operation(names.LIST_AUTH_PROJECTS, "GET", "/v3/auth/projects", self._list_usable),
            Operation(names.LIST_PROJECTS, "GET", "/v3/projects", self._list_filtered),
        ]

    async def _list_usable(self, call: Call) -> web.Response:
        links = {"self": str(call.request.url), "previous": None, "next": None}
        return to_answer({"links": links, "projects": self._entries(call)})

    async def _list_filtered(self, call: Call) -> web.Response:
        try:
            wanted = _Filter.model_validate(dict(call.request.query))
        except ValidationError:
            code, message = "IAM.0007", "Request parameter is invalid."
            raise RefusalError.of_iam(code, message) from None
        entries = [entry for entry in self._entries(call) if wanted.lets_through(entry)]
        url = call.request.url
        page, size = wanted.page or 1, wanted.per_page or max(len(entries), 1)
        links = {
            "self": str(url),
            "previous": _to_page(url, page - 1) if page > 1 else None,
            "next": _to_page(url, page + 1) if page * size < len(entries) else None,
        }
        return to_answer({"links": links, "projects": entries[(page - 1) * size : page * size]})

    def _entries(self, call: Call) -> list[dict[str, Any]]:
        origin = str(call.request.url.origin())
        return [_to_entry(project, origin) for project in self._fleet.usable_by(call.caller)]


def _to_page(url: URL, page: int) -> str:
    return str(url.update_query(page=page))


def _to_entry(project: ProjectSpec, origin: str) -> dict[str, Any]:
    """A project as IAM lists it; a sub-project's parent is the project of its region."""
    domain_id = derive_id("domain", project.domain)
    is_sub_project = project.name != project.region
    return {
        "id": project.id,
        "name": project.name,
        "domain_id": domain_id,
        "parent_id": derive_id("project", project.region) if is_sub_project else domain_id,
        "enabled": project.enabled,
        "is_domain": False,
        "description": "",
        "links": {"self": f"{origin}/v3/projects/{project.id}"},
    }
