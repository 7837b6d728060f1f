"""Walk a YAML document with its addresses: closed sets of keys, typed values, every fault collected."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sdtm.conventions import Address
from sdtm.parameters import suggest
from specs.findings import Fault
from specs.yamlfile import YamlFile


@dataclass(frozen=True)
class Node:
    """One place of a document; ``faults`` is shared by all nodes of a compilation and only ever grows."""

    file: YamlFile
    path: tuple[str | int, ...]
    value: Any
    faults: list[Fault]

    @property
    def address(self) -> Address:
        """File and line of this place."""
        return Address(self.file.name, self.file.line(*self.path))

    def fault(self, reason: str, cure: str = "") -> None:
        """Note a fault at this place."""
        self.faults.append(self.address.fault(reason, cure))

    def child(self, key: str | int) -> Node:
        """Go to a key or an item; its value is None where there is none."""
        known = isinstance(self.value, dict | list) and (not isinstance(self.value, dict) or key in self.value)
        return Node(self.file, (*self.path, key), self.value[key] if known else None, self.faults)

    def only(self, keys: Collection[str], *, what: str) -> bool:
        """Say whether this is a mapping; keys that are not in *keys* are faults."""
        if not isinstance(self.value, dict):
            self.fault(f"{what} must be a mapping of keys, not {_kind(self.value)}")
            return False
        for key in self.value:
            if key not in keys:
                self.child(key).fault(f"{key} is not a key of {what}", suggest(key, keys))
        return True

    def pairs(self, *, what: str) -> Iterator[tuple[str, Node]]:
        """Go through the keys of a mapping; nothing at all is an empty mapping."""
        if self.value is None:
            return
        if not isinstance(self.value, dict):
            self.fault(f"{what} must be a mapping of keys, not {_kind(self.value)}")
            return
        for key in self.value:
            yield key, self.child(key)

    def items(self, *, what: str) -> Iterator[Node]:
        """Go through a list; nothing at all is an empty list, a single mapping a list of one."""
        if self.value is None:
            return
        if isinstance(self.value, dict):
            yield self
            return
        if not isinstance(self.value, list):
            self.fault(f"{what} must be a list, not {_kind(self.value)}")
            return
        for index in range(len(self.value)):
            yield self.child(index)

    def text(self, key: str, *, default: str = "", required: bool = False) -> str:
        """Read a text (a number is taken as written); a required one that is missing is a fault."""
        node = self.child(key)
        if node.value is None:
            if required:
                self.fault(f"{key} is missing here", f"add {key}: ...")
            return default
        if isinstance(node.value, bool | dict | list):
            node.fault(f"{key} must be text, not {_kind(node.value)}")
            return default
        return str(node.value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Read one text or a list of texts."""
        node = self.child(key)
        if node.value is None:
            return ()
        values = node.value if isinstance(node.value, list) else [node.value]
        if any(isinstance(value, dict | list | bool) for value in values):
            node.fault(f"{key} must be text or a list of texts")
            return ()
        return tuple(str(value) for value in values)


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", type(None): "nothing", bool: "true/false"}
    return names.get(type(value), "a number")
