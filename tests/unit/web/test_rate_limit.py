from __future__ import annotations

import pytest

from auditd.web.rate_limit import Bucket, Sources, source_of


def test_a_bucket_gives_a_burst_and_then_one_each_interval() -> None:
    bucket = Bucket(3, 10.0, now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(109.9)
    assert bucket.take(110.0)
    assert not bucket.take(110.0)


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(2, 1.0, now=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]
    bucket.give_back()
    assert [bucket.take(1000.0) for _ in range(2)] == [True, False]


def test_an_empty_bucket_gives_nothing_ever() -> None:
    bucket = Bucket(0, 1.0, now=0.0)
    assert not any(bucket.take(float(second)) for second in range(100))


def test_sources_are_limited_one_by_one_and_the_oldest_is_forgotten() -> None:
    sources = Sources(1, 60.0, capacity=2)
    assert sources.bucket("a", 0.0).take(0.0)
    assert not sources.bucket("a", 0.0).take(0.0)
    assert sources.bucket("b", 0.0).take(0.0)
    assert not sources.bucket("a", 0.0).take(0.0)
    sources.bucket("c", 0.0)
    assert len(sources) == 2
    assert not sources.bucket("a", 0.0).take(0.0)
    assert sources.bucket("b", 0.0).take(0.0)


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::1", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("", ""),
        ("no address", ""),
    ],
)
def test_an_ipv6_network_is_one_source(host: str, source: str) -> None:
    assert source_of(host) == source
