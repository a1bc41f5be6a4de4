"""Where the services of a region are."""

from __future__ import annotations

import os
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

GLOBAL_IAM_ENDPOINT = "https://iam.myhuaweicloud.com"
"""Its tokens are accepted in all regions. Source: IAM API reference, "Endpoints"."""


def servicestage_endpoint(region: str) -> str | None:
    """The base URL of ServiceStage in `region`, None when the region is not known.

    The first call imports and may read a file.

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


@cache
def _table() -> Any:
    """The class in that one file of the SDK.

    Imported as a part of its package it would bring the whole client, which is 240 modules and
    25 MB. What it does import writes ~/.huaweicloud/application_id: not at import time.
    """
    package = find_spec("huaweicloudsdkservicestage")
    (directory,) = (package and package.submodule_search_locations) or ("",)
    path = Path(directory, "v2", "region", "servicestage_region.py")
    loader = SourceFileLoader("servicestage_region", str(path))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module.ServiceStageRegion
