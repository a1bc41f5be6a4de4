"""The names of all that the simulator answers: what faults, denials and statistics refer to."""

from __future__ import annotations

from enum import StrEnum


class OperationName(StrEnum):
    """One API call. The ServiceStage names are those of the official SDK."""

    LIST_AUTHORIZATIONS = "list_authorizations"
    SHOW_REDIRECT_URL = "show_redirect_url"
    CREATE_OAUTH = "create_oauth"
    CREATE_PERSONAL_AUTH = "create_personal_auth"
    CREATE_PASSWORD_AUTH = "create_password_auth"  # noqa: S105 - the name of an operation
    DELETE_AUTHORIZE = "delete_authorize"
    LIST_NAMESPACES = "list_namespaces"
    SHOW_PROJECT_DETAIL = "show_project_detail"
    CREATE_TOKEN = "create_token"  # noqa: S105 - the name of an operation
    LIST_AUTH_PROJECTS = "list_auth_projects"
    LIST_PROJECTS = "list_projects"
    CREATE_TOKEN_BY_ID_TOKEN = "create_token_by_id_token"  # noqa: S105 - likewise
    CREATE_TEMPORARY_KEYS = "create_temporary_keys"
    ASSUME_AGENCY_WITH_OIDC = "assume_agency_with_oidc"
    METADATA_TOKEN = "metadata_token"  # noqa: S105 - the name of an operation
    METADATA_KEYS = "metadata_keys"
    POD_KEYS = "pod_keys"
    UNKNOWN = "unknown"
    """Any other path or method."""
