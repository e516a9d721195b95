"""The lifecycle rules of a bucket, read and written; one of them is ours."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self
from xml.etree import ElementTree as ET

from fairground.platform.module import CheckResult, CheckStatus
from fairground.platform.storage.keys import Retention
from fairground.platform.storage.lifecycle_rules import Rule, StorageClass, Transition, check_rules
from fairground.platform.storage.s3.client import (
    AccessDenied,
    NoLifecycleRules,
    RequestBody,
    S3Address,
    S3Client,
    S3Request,
    Unsupported,
)
from fairground.platform.storage.store import StorageRefused, StorageUnavailable

COLD_RULE_ID: Final = "fairground-cold-originals"
_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_QUERY: Final = {"lifecycle": ""}
# Without this header a write sets it back to its default.
_MINIMUM_SIZE_HEADER: Final = "x-amz-transition-default-minimum-object-size"


@dataclass(frozen=True, slots=True)
class LifecycleConfiguration:
    """All rules of a bucket, as its server returned them; elements unknown to this program stay unchanged."""

    elements: tuple[ET.Element, ...] = ()
    minimum_size: str = ""
    """The value of the header with the smallest size that moves; empty on servers that do not know it."""

    @classmethod
    def from_xml(cls, text: bytes, *, minimum_size: str = "") -> Self:
        """Parse the answer of a server.

        Raises:
            StorageUnavailable: It is something else.
        """
        try:
            root = ET.fromstring(text)  # noqa: S314 - from the operator's own server; expat bounds entities
        except ET.ParseError as error:
            raise StorageUnavailable("The object store returned unreadable lifecycle rules.") from error
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]  # servers differ in the namespace
        if root.tag != "LifecycleConfiguration":
            raise StorageUnavailable("The object store did not return its lifecycle rules.")
        return cls(tuple(root.iterfind("Rule")), minimum_size)

    def to_xml(self) -> bytes:
        root = ET.Element("LifecycleConfiguration", xmlns=_NAMESPACE)
        root.extend(self.elements)
        text: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
        # A reader takes a bare carriage return, which a prefix may hold, for a line feed.
        return text.replace(b"\r", b"&#13;")

    @property
    def rules(self) -> list[Rule]:
        return [_read_rule(element) for element in self.elements]

    def without_cold_rule(self, prefix: str) -> Self:
        """Return the rules without the one that `with_cold_rule` adds for this prefix."""
        return replace(self, elements=tuple(each for each in self.elements if not _is_cold_rule(each, prefix)))

    def with_cold_rule(self, prefix: str, *, days: int, storage_class: StorageClass) -> Self:
        """Return the rules with one that moves objects of this prefix; it replaces an earlier one of ours."""
        others = self.without_cold_rule(prefix)
        rule = ET.Element("Rule")
        ET.SubElement(rule, "ID").text = _free_id(others.elements, prefix)
        # Amazon refuses rules of the older form, with the prefix outside of a filter, beside those of the newer.
        is_older_form = any(each.find("Prefix") is not None for each in others.elements)
        parent = rule if is_older_form else ET.SubElement(rule, "Filter")
        ET.SubElement(parent, "Prefix").text = prefix
        ET.SubElement(rule, "Status").text = "Enabled"
        transition = ET.SubElement(rule, "Transition")
        ET.SubElement(transition, "Days").text = str(days)
        ET.SubElement(transition, "StorageClass").text = storage_class
        return replace(others, elements=(*others.elements, rule))


class BucketLifecycle:
    """The lifecycle rules of the bucket that FAIRGROUND_STORAGE_URL names."""

    def __init__(self, client: S3Client, address: S3Address) -> None:
        self._client = client
        self._path = address.bucket_path
        self._prefix = address.prefix
        self._originals = f"{address.prefix}{Retention.ORIGINAL}/"

    async def check(self) -> list[CheckResult]:
        """Return what the rules do to the objects of this installation."""
        return self._check(await self.read())

    async def add_cold_rule(self, *, days: int, storage_class: StorageClass) -> list[CheckResult]:
        """Move originals to another storage class after so many days, and return what all rules do then."""
        found = await self.read()
        configuration = found.with_cold_rule(self._originals, days=days, storage_class=storage_class)
        await self.write(configuration)
        results = self._check(configuration)
        if configuration.rules[-1] not in (await self.read()).rules:
            unseen = (
                "the store does not show the new rule yet. Check again in a few minutes: fairground storage lifecycle"
            )
            results.append(CheckResult(CheckStatus.WARNING, unseen))
        return results

    async def remove_cold_rule(self) -> list[CheckResult]:
        """Remove the rule that `add_cold_rule` has added, if it exists, and return what the others do."""
        found = await self.read()
        configuration = found.without_cold_rule(self._originals)
        if configuration.elements != found.elements:
            await self.write(configuration)
        return self._check(configuration)

    async def read(self) -> LifecycleConfiguration:
        """Return the rules of the bucket; a bucket without rules has an empty configuration.

        Raises:
            StorageRefused: The key may not read them, or the store has no such rules.
        """
        try:
            async with self._client.stream(S3Request("GET", self._path, query=_QUERY)) as response:
                text = await response.aread()
                minimum_size = response.headers.get(_MINIMUM_SIZE_HEADER, "")
        except NoLifecycleRules:
            return LifecycleConfiguration()
        except (AccessDenied, Unsupported) as error:
            raise _refused(error, right="s3:GetLifecycleConfiguration") from error
        return LifecycleConfiguration.from_xml(text, minimum_size=minimum_size)

    async def write(self, configuration: LifecycleConfiguration) -> None:
        """Replace all rules of the bucket by these.

        Raises:
            StorageRefused: The key may not write them, or the store cannot do what they say.
        """
        try:
            if not configuration.elements:
                await self._client.fetch(S3Request("DELETE", self._path, query=_QUERY))
                return
            await self._put(configuration)
        except (AccessDenied, Unsupported) as error:
            raise _refused(error, right="s3:PutLifecycleConfiguration") from error
        except StorageRefused as error:
            raise StorageRefused(
                error.detail,
                hint="On Amazon S3, STANDARD_IA and ONEZONE_IA need at least 30 days; other stores may have other "
                "classes.",
            ) from error

    async def close(self) -> None:
        await self._client.close()

    def _check(self, configuration: LifecycleConfiguration) -> list[CheckResult]:
        return check_rules(configuration.rules, prefix=self._prefix)

    async def _put(self, configuration: LifecycleConfiguration) -> None:
        text = configuration.to_xml()
        # The one checksum that every server accepts for this call: many do not know Amazon's newer ones.
        md5 = base64.b64encode(hashlib.md5(text, usedforsecurity=False).digest()).decode()
        headers = {"content-md5": md5, "content-type": "application/xml"}
        if configuration.minimum_size:
            headers[_MINIMUM_SIZE_HEADER] = configuration.minimum_size
        await self._client.fetch(
            S3Request("PUT", self._path, query=_QUERY, headers=headers, body=await RequestBody.measure(text))
        )


def _read_rule(rule: ET.Element) -> Rule:
    where = rule.find("Filter/And")
    where = rule.find("Filter") if where is None else where
    conditions = set() if where is None else {child.tag for child in where}
    return Rule(
        name=_id_of(rule),
        prefix=_prefix_of(rule),
        is_enabled=rule.findtext("Status") == "Enabled",
        is_for_some=not conditions <= {"Prefix"},
        is_for_tagged="Tag" in conditions,
        expires=_when(rule.find("Expiration")),
        transitions=tuple(
            Transition(each.findtext("StorageClass") or "", _when(each)) for each in rule.iterfind("Transition")
        ),
    )


def _is_cold_rule(element: ET.Element, prefix: str) -> bool:
    return _id_of(element).startswith(COLD_RULE_ID) and _prefix_of(element) == prefix


def _free_id(others: Iterable[ET.Element], prefix: str) -> str:
    """Return the usual id, or one with the prefix where another installation in this bucket uses it."""
    if COLD_RULE_ID not in {_id_of(element) for element in others}:
        return COLD_RULE_ID
    return f"{COLD_RULE_ID}-{prefix.strip('/').replace('/', '-')}"


def _id_of(element: ET.Element) -> str:
    return element.findtext("ID") or ""


def _prefix_of(element: ET.Element) -> str:
    paths = ("Prefix", "Filter/Prefix", "Filter/And/Prefix")
    return next((found for path in paths if (found := element.findtext(path))), "")


def _when(element: ET.Element | None) -> str:
    """Return when an expiration or a transition happens; empty if it only affects delete markers."""
    if element is None:
        return ""
    if date := element.findtext("Date"):
        return f"on {date.partition('T')[0]}"
    days = element.findtext("Days")
    return "" if days is None else f"after {days} day{'' if days == '1' else 's'}"


def _refused(error: AccessDenied | Unsupported, *, right: str) -> StorageRefused:
    if isinstance(error, Unsupported):
        return StorageRefused("The object store doesn't support lifecycle rules.", hint="")
    return StorageRefused(
        "The access key may not manage the bucket's lifecycle rules.", hint=f"It needs the permission {right}."
    )
