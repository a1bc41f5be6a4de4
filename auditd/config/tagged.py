"""Mappings of several kinds in one list: credentials, discoveries and hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from auditd.config.node import Node
from auditd.config.reading import Reading, RefusedError, Schema
from auditd.config.record import Record
from auditd.config.suggestion import did_you_mean, one_of

T = TypeVar("T")


class Tagged(Generic[T]):
    """A mapping whose key `type` tells which record it is."""

    def __init__(self, records: Mapping[str, Record[T]]) -> None:
        self._records = records

    def read(self, node: Node, reading: Reading) -> T:
        """See Form."""
        kind = node.table().get("type")
        if kind and isinstance(kind.value, str) and kind.value in self._records:
            return self._records[kind.value].read(node, reading)
        expected = f"expected {one_of(self._records)}"
        if kind is None:
            reading.complain(node.absent("type"), f"this key is required: {expected}")
        else:
            hint = did_you_mean(kind.value, self._records) if isinstance(kind.value, str) else ""
            reading.complain(kind, expected + hint)
        raise RefusedError

    def schema(self, definitions: Schema) -> Schema:
        """See Form."""
        return {"oneOf": [record.schema(definitions) for record in self._records.values()]}
