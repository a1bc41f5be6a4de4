"""Where a workload finds keys: the metadata service of its machine, or its pod's identity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from aiohttp import web

from auditd.simulator.call import Call, Operation, to_answer
from auditd.simulator.caller import Caller
from auditd.simulator.keyring import KeyRing, Keys
from auditd.simulator.moments import to_vendor_text
from auditd.simulator.operations import OperationName
from auditd.simulator.refusal import RefusalError
from auditd.simulator.scenario import AgencyCredential, Credential

_ROTATED_BEFORE_EXPIRY = timedelta(minutes=10)
_LONGEST_TOKEN_LIFE_SECONDS = 21600


class Metadata:
    """Serves the keys of the scenario's agencies; the first that fits is meant.

    Source: ECS manual: keys live for an hour, a new pair is offered ten minutes before, and
    both are good meanwhile. In version v1 there are no tokens: asking for one is 404.
    """

    def __init__(
        self,
        credentials: Sequence[Credential],
        *,
        keys: KeyRing,
        random: Random,
        now: Callable[[], datetime],
    ) -> None:
        self._agencies = [c for c in credentials if isinstance(c, AgencyCredential)]
        self._keys = keys
        self._random = random
        self._now = now
        self._current: dict[str, Keys] = {}
        self._tokens: dict[str, datetime] = {}

    def operations(self) -> list[Operation]:
        """What this part answers; the pod's path is whatever its environment says."""
        names = OperationName
        token, keys = "/meta-data/latest/api/token", "/openstack/latest/securitykey"
        pod = "/pod-identity/credentials"
        return [
            Operation(names.METADATA_TOKEN, "PUT", token, self._issue_token, is_open=True),
            Operation(names.METADATA_KEYS, "GET", keys, self._show_machine_keys, is_open=True),
            Operation(names.POD_KEYS, "POST", pod, self._show_pod_keys, is_open=True),
        ]

    async def _issue_token(self, call: Call) -> web.Response:
        agency = self._machine_agency()
        if agency is not None and agency.metadata == "v1":
            raise web.HTTPNotFound
        life = call.request.headers.get("X-Metadata-Token-Ttl-Seconds", "")
        if not life.isdecimal() or not 1 <= int(life) <= _LONGEST_TOKEN_LIFE_SECONDS:
            raise web.HTTPBadRequest
        token = self._random.randbytes(32).hex()
        self._tokens[token] = self._now() + timedelta(seconds=int(life))
        return web.Response(text=token)

    async def _show_machine_keys(self, call: Call) -> web.Response:
        agency = self._machine_agency()
        if agency is None:
            raise web.HTTPUnauthorized(text="Please configure Cloud Service Agency first")
        expires_at = self._tokens.get(call.request.headers.get("X-Metadata-Token", ""))
        if agency.metadata == "v2" and (expires_at is None or expires_at <= self._now()):
            raise web.HTTPUnauthorized(text="The metadata token is invalid or has expired")
        keys = self._current_keys(agency)
        credential = {
            "access": keys.access_key,
            "secret": keys.secret_key,
            "securitytoken": keys.security_token,
            "expires_at": to_vendor_text(keys.expires_at),
        }
        return to_answer({"credential": credential})

    async def _show_pod_keys(self, call: Call) -> web.Response:
        shown = call.request.headers.get("Authorization")
        fitting = (a for a in self._agencies if a.pod_token is not None and a.pod_token == shown)
        agency = next(fitting, None)
        if agency is None:
            raise RefusalError.of_gateway(401, "0301", "The pod's token is invalid.")
        keys = self._current_keys(agency)
        credential = {
            "accessKeyId": keys.access_key,
            "secretAccessKey": keys.secret_key,
            "securityToken": keys.security_token,
            "expiration": to_vendor_text(keys.expires_at),
        }
        return to_answer({"credential": credential})

    def _machine_agency(self) -> AgencyCredential | None:
        return next((a for a in self._agencies if a.metadata != "none"), None)

    def _current_keys(self, agency: AgencyCredential) -> Keys:
        keys = self._current.get(agency.name)
        if keys is None or keys.expires_at - self._now() <= _ROTATED_BEFORE_EXPIRY:
            keys = self._keys.issue(Caller(agency.name, agency.domain), agency.key_life)
            self._current[agency.name] = keys
        return keys
