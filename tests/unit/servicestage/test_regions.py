from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditd.servicestage.regions import iam_endpoint, known_regions, servicestage_endpoint


@pytest.fixture(autouse=True)
def no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", raising=False)


def test_a_region_of_the_table_has_an_endpoint() -> None:
    assert (
        servicestage_endpoint("cn-north-4") == "https://servicestage.cn-north-4.myhuaweicloud.com"
    )


@pytest.mark.parametrize("region", ["", "MOS", "xx-nowhere-9", "CN-NORTH-4"])
def test_an_unknown_region_has_none(region: str) -> None:
    assert servicestage_endpoint(region) is None


def test_every_known_region_has_an_endpoint_of_its_own() -> None:
    assert len(known_regions()) >= 22
    assert len({servicestage_endpoint(region) for region in known_regions()}) == len(
        known_regions()
    )


def test_the_environment_overrides_and_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "HUAWEICLOUD_SDK_REGION_SERVICESTAGE_AE_AD_1", "https://a.example/, https://b"
    )
    assert servicestage_endpoint("ae-ad-1") == "https://a.example"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("ServiceStage: [{id: ae-ad-1, endpoint: 'https://a.example'}]", "https://a.example"),
        ("ServiceStage: [", "ValueError the regions file"),
        ("- 1", "ValueError the regions file"),
    ],
)
def test_the_regions_file_is_read_or_refused(text: str, outcome: str, tmp_path: Path) -> None:
    """In a process of its own: the SDK reads the file once in a life."""
    path = tmp_path / "regions.yaml"
    path.write_text(text)
    program = (
        "from auditd.servicestage.regions import servicestage_endpoint\n"
        "try: print(servicestage_endpoint('ae-ad-1'))\n"
        "except ValueError as error: print('ValueError', error)\n"
    )
    environment = {"HUAWEICLOUD_SDK_REGIONS_FILE": str(path), "HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith(outcome)


def test_iam_is_the_regions_own_or_the_global_one() -> None:
    assert iam_endpoint("cn-north-4") == "https://iam.cn-north-4.myhuaweicloud.com"
    assert iam_endpoint(None) == "https://iam.myhuaweicloud.com"


def test_the_environment_overrides_iam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", "https://iam.example/")
    assert iam_endpoint("cn-north-4") == iam_endpoint(None) == "https://iam.example"


def test_the_client_of_the_sdk_is_not_loaded_for_its_table() -> None:
    program = (
        "import sys\n"
        "from auditd.servicestage.regions import known_regions\n"
        "assert known_regions()\n"
        "print([name for name in sys.modules if name.startswith('huaweicloudsdkservicestage')])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout == b"[]\n"
