"""The lifecycle rules of a bucket. Amazon's own client says what there is before and afterwards."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fairground.kernel.zones import SystemClock
from fairground.platform.module import CheckResult, CheckStatus
from fairground.platform.storage.lifecycle_rules import StorageClass
from fairground.platform.storage.s3.bucket_lifecycle import BucketLifecycle, LifecycleConfiguration
from fairground.platform.storage.s3.client import S3Address, S3Client
from fairground.platform.storage.s3.signing import Credentials
from fairground.platform.storage.store import StorageRefused, StorageUnavailable
from tests.platform.storage.test_s3 import answer_of, front_of
from tests.support.storage import Bucket, fresh_bucket
from tools.guardian import Server
from tools.s3 import KEY_ID, SECRET

OURS = {
    "ID": "fairground-cold-originals",
    "Status": "Enabled",
    "Filter": {"Prefix": "fair/original/"},
    "Transitions": [{"Days": 60, "StorageClass": "GLACIER_IR"}],
}
LOGS = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}
PARTS = {
    "ID": "parts",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
}
TAGGED = {
    "ID": "tagged",
    "Status": "Disabled",
    "Filter": {"And": {"Prefix": "a b&c/", "Tags": [{"Key": "kind", "Value": "<old>"}, {"Key": "x", "Value": "y"}]}},
    "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}, {"Days": 400, "StorageClass": "DEEP_ARCHIVE"}],
    "NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "STANDARD_IA"}],
}


@pytest.fixture
def bucket(s3_server: Server) -> Iterator[Bucket]:
    with fresh_bucket(s3_server, prefix="fair") as bucket:
        yield bucket


@asynccontextmanager
async def lifecycle_at(url: str) -> AsyncIterator[BucketLifecycle]:
    address = S3Address.from_url(url)
    client = S3Client(address, Credentials(KEY_ID, SECRET), timeout_seconds=30, clock=SystemClock())
    yield BucketLifecycle(client, address)
    await client.close()


async def add_cold_rule(url: str) -> list[CheckResult]:
    async with lifecycle_at(url) as lifecycle:
        return await lifecycle.add_cold_rule(days=60, storage_class=StorageClass.GLACIER_IR)


async def remove_cold_rule(url: str) -> list[CheckResult]:
    async with lifecycle_at(url) as lifecycle:
        return await lifecycle.remove_cold_rule()


async def check(url: str) -> list[CheckResult]:
    async with lifecycle_at(url) as lifecycle:
        return await lifecycle.check()


def harm(results: list[CheckResult]) -> list[str]:
    return [result.text for result in results if result.status is CheckStatus.FAILED]


async def test_bucket_without_rules_has_no_cold_tier(bucket: Bucket) -> None:
    results = await check(bucket.url)
    assert {result.status for result in results} == {CheckStatus.OK}
    assert [result.text.partition(":")[0] for result in results[:3]] == [
        "fair/original/",
        "fair/derivative/",
        "fair/upload/",
    ]
    assert "originals stay in their storage class" in results[-1].text


async def test_cold_rule_names_the_prefix_of_the_installation(bucket: Bucket) -> None:
    results = await add_cold_rule(bucket.url)
    assert bucket.rules() == [OURS]
    assert results[-1] == CheckResult(CheckStatus.OK, "originals move to GLACIER_IR after 60 days")
    assert results == await check(bucket.url)


async def test_cold_rule_replaces_itself_and_keeps_all_other_rules(bucket: Bucket) -> None:
    async with lifecycle_at(bucket.url) as lifecycle:
        bucket.set_rules(LOGS, PARTS, TAGGED)
        before = bucket.rules()
        await lifecycle.add_cold_rule(days=30, storage_class=StorageClass.STANDARD_IA)
        await lifecycle.add_cold_rule(days=60, storage_class=StorageClass.GLACIER_IR)
        assert bucket.rules() == [*before, OURS]
        await lifecycle.remove_cold_rule()
        assert bucket.rules() == before
        await lifecycle.remove_cold_rule()
        assert bucket.rules() == before


async def test_removing_the_last_rule_deletes_the_configuration(bucket: Bucket) -> None:
    await add_cold_rule(bucket.url)
    await remove_cold_rule(bucket.url)
    with pytest.raises(bucket.client.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        bucket.rules()


async def test_cold_rule_has_the_older_form_beside_rules_of_that_form(bucket: Bucket) -> None:
    """Amazon refuses both forms in one configuration, and so does the server of the tests."""
    older = {"ID": "older", "Status": "Enabled", "Prefix": "logs/", "Expiration": {"Days": 3}}
    bucket.set_rules(older)
    await add_cold_rule(bucket.url)
    ours = {name: value for name, value in OURS.items() if name != "Filter"}
    assert bucket.rules() == [older, {**ours, "Prefix": "fair/original/"}]
    assert "GLACIER_IR after 60 days" in (await check(bucket.url))[-1].text


async def test_each_installation_in_a_bucket_has_its_own_cold_rule(bucket: Bucket) -> None:
    await add_cold_rule(bucket.url)
    await add_cold_rule(bucket.url.replace("/fair?", "/second/fair?"))
    second = {**OURS, "ID": "fairground-cold-originals-second-fair-original"}
    second["Filter"] = {"Prefix": "second/fair/original/"}
    assert bucket.rules() == [OURS, second]
    await remove_cold_rule(bucket.url)
    assert bucket.rules() == [second]


@pytest.mark.parametrize(
    "scope",
    [{"Filter": {"Prefix": ""}}, {"Filter": {"Prefix": "fair/"}}, {"Prefix": "fair/orig"}, {"Filter": {}}],
)
async def test_expiring_rule_fails_the_check(bucket: Bucket, scope: dict[str, Any]) -> None:
    bucket.set_rules({"ID": "tidy", "Expiration": {"Days": 1}, **scope})
    [text, *_] = harm(await check(bucket.url))
    assert text.startswith('fair/original/: the rule "tidy" removes objects after 1 day')


async def test_rule_that_expires_some_objects_fails_the_check(bucket: Bucket) -> None:
    bucket.set_rules(
        {"ID": "tidy", "Expiration": {"Date": "2040-01-01T00:00:00Z"}, "Filter": {"Prefix": "fair/upload/0"}}
    )
    [text] = harm(await check(bucket.url))
    assert text.startswith('fair/upload/: the rule "tidy" removes some objects on 2040-01-01')


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
async def test_rule_that_archives_originals_fails_the_check(bucket: Bucket, storage_class: str) -> None:
    bucket.set_rules(
        {
            "ID": "cheap",
            "Transitions": [{"Days": 90, "StorageClass": storage_class}],
            "Filter": {"Prefix": "fair/original/"},
        }
    )
    [text] = harm(await check(bucket.url))
    assert text.startswith(f'fair/original/: the rule "cheap" moves objects to {storage_class} after 90 days')


async def test_rules_for_other_objects_and_older_versions_pass_the_check(bucket: Bucket) -> None:
    bucket.set_rules(LOGS, PARTS, {**LOGS, "ID": "off", "Status": "Disabled", "Filter": {"Prefix": "fair/"}})
    assert {result.status for result in await check(bucket.url)} == {CheckStatus.OK}


async def test_expiring_rule_for_tagged_objects_is_a_warning(bucket: Bucket) -> None:
    bucket.set_rules({"ID": "bad", "Expiration": {"Days": 1}, "Filter": {"Tag": {"Key": "scan", "Value": "bad"}}})
    results = await check(bucket.url)
    assert harm(results) == []
    assert CheckStatus.WARNING in {result.status for result in results}


def test_unknown_parts_of_other_rules_are_written_unchanged() -> None:
    """Also a carriage return, which a reader would take for a line feed if it were written bare."""
    rule = (
        b"<Rule><ID>x</ID><Filter><And><Prefix>a&#13;b &amp; \xc3\xbc </Prefix>"
        b"<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter>"
        b"<Status>Enabled</Status><NewThing unit='day'>7</NewThing></Rule>"
    )
    head = b"<?xml version='1.0' encoding='UTF-8'?>\n"
    namespace = b'<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    tail = b"</LifecycleConfiguration>"
    kept = rule.replace(b"unit='day'", b'unit="day"')
    for opening in (namespace, b"<LifecycleConfiguration>"):
        found = LifecycleConfiguration.from_xml(opening + rule + tail)
        assert found.to_xml() == head + namespace + kept + tail


async def test_minimum_size_of_transitions_is_written_unchanged(s3_server: Server) -> None:
    """A write without the header sets it back, so objects of others would move that must not."""
    name, value = "x-amz-transition-default-minimum-object-size", "varies_by_storage_class"
    body = LifecycleConfiguration().to_xml()
    found = answer_of(200, body).replace(b"\r\n\r\n", f"\r\n{name}: {value}\r\n\r\n".encode(), 1)
    async with front_of(s3_server, found, answer_of(200), found) as front, lifecycle_at(front.url) as lifecycle:
        results = await lifecycle.add_cold_rule(days=60, storage_class=StorageClass.GLACIER_IR)
    assert f"{name}: {value}".encode() in front.requests[1]
    assert results[-1].status is CheckStatus.WARNING, "the server has taken the rule and does not show it"


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (403, b"AccessDenied", "may not manage the bucket's lifecycle rules"),
        (501, b"NotImplemented", "support lifecycle rules"),
        (405, b"MethodNotAllowed", "support lifecycle rules"),
    ],
)
async def test_store_that_refuses_its_rules_is_reported(s3_server: Server, status: int, code: bytes, text: str) -> None:
    refusal = answer_of(status, b"<Error><Code>%s</Code></Error>" % code)
    async with front_of(s3_server, refusal) as front, lifecycle_at(front.url) as lifecycle:
        with pytest.raises(StorageRefused, match=text):
            await lifecycle.check()


@pytest.mark.parametrize("body", [b"<html>", b"<ListBucketResult/>"])
async def test_unreadable_rules_are_not_overwritten(s3_server: Server, body: bytes) -> None:
    async with front_of(s3_server, answer_of(200, body)) as front, lifecycle_at(front.url) as lifecycle:
        with pytest.raises(StorageUnavailable):
            await lifecycle.add_cold_rule(days=60, storage_class=StorageClass.GLACIER_IR)
        assert front.connections == 1
