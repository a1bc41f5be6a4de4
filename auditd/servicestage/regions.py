"""Where the services of a region are."""

from __future__ import annotations

import os
from typing import Any

import yaml

GLOBAL_IAM_ENDPOINT = "https://iam.myhuaweicloud.com"
"""Its tokens are accepted in all regions. Source: IAM API reference, "Endpoints"."""


def servicestage_endpoint(region: str) -> str | None:
    """The base URL of ServiceStage in `region`, None when the region is not known.

    The first call imports for a quarter of a second and may read a file.

    The official SDK's table, with the SDK's overrides: the environment variable
    `HUAWEICLOUD_SDK_REGION_SERVICESTAGE_CN_NORTH_4`, then `$HUAWEICLOUD_SDK_REGIONS_FILE` or
    `~/.huaweicloud/regions.yaml`, which is read once in the life of the process.

    Raises:
        ValueError: that file cannot be used.
    """
    try:
        endpoints = _table().value_of(region).endpoints
    except KeyError:
        return None
    except (AttributeError, OSError, TypeError, ValueError, yaml.YAMLError) as error:
        msg = f"the regions file of the Huawei Cloud SDK cannot be used: {error}"
        raise ValueError(msg) from error
    return str(endpoints[0]).strip().rstrip("/")


def known_regions() -> frozenset[str]:
    """The regions of the SDK's own table; overrides can add others."""
    return frozenset(_table().static_fields)


def iam_endpoint(region: str | None) -> str:
    """The base URL of IAM: `$HUAWEICLOUD_SDK_IAM_ENDPOINT`, else of `region`, else the global one.

    A token of a region's own IAM is accepted only in that region. Every entry of the SDK's own
    table has the form that is used here.
    """
    if override := os.environ.get("HUAWEICLOUD_SDK_IAM_ENDPOINT"):
        return override.rstrip("/")
    return f"https://iam.{region}.myhuaweicloud.com" if region else GLOBAL_IAM_ENDPOINT


def _table() -> Any:
    # Imports the SDK's whole client and writes ~/.huaweicloud/application_id: not at import time.
    from huaweicloudsdkservicestage.v2.region.servicestage_region import (  # noqa: PLC0415 # above
        ServiceStageRegion,
    )

    return ServiceStageRegion
