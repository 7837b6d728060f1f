"""
Read YAML with the line of every key, refuse duplicate keys, and keep text as text.

YAML 1.1 turns ``NO`` into false and ``012`` into ten; in a clinical specification both are codes. Here a plain
scalar is a boolean only as ``true``/``false``, null only when empty, ``~`` or ``null``, a number only when it is
written as a decimal number without leading zeros; everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from specs.findings import Fault, SpecificationError

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """A parsed file: its content, and the line of every key and item by its path in the document."""

    path: Path
    name: str
    content: Any
    lines: dict[Path_, int] = field(repr=False)

    def line(self, *path: str | int) -> int:
        """Return the line of *path*, or of its nearest ancestor that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1

    def fault(self, *path: str | int, reason: str, cure: str = "") -> Fault:
        """Make a fault addressed at *path* in this file."""
        return Fault(self.name, self.line(*path), reason, cure)


def read_yaml(path: Path, *, name: str = "") -> YamlFile:
    """Read one YAML file; a syntax fault or a duplicate key raises SpecificationError with its line."""
    shown = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecificationError([Fault(shown, 0, "no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecificationError([Fault(shown, 0, f"cannot be read: {error}", "save it as UTF-8")]) from None
    return parse_yaml(text, path=path, name=shown)


def parse_yaml(text: str, *, path: Path = Path(), name: str = "<text>") -> YamlFile:
    """Parse YAML text as ``read_yaml`` does."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise SpecificationError([Fault(name, line, f"not valid YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        raise SpecificationError([Fault(name, 0, f"not valid YAML: {error}")]) from None
    lines: dict[Path_, int] = {}
    faults: list[Fault] = []
    content = None if node is None else _construct(node, (), name, lines, faults)
    if faults:
        raise SpecificationError(faults)
    return YamlFile(path, name, content, lines)


def _construct(node: yaml.Node, path: Path_, name: str, lines: dict[Path_, int], faults: list[Fault]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, name, lines, faults))
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, index), name, lines, faults) for index, item in enumerate(node.value)]
    return _scalar(node)


def _pairs(
    node: yaml.MappingNode, path: Path_, name: str, lines: dict[Path_, int], faults: list[Fault]
) -> Iterator[tuple[Hashable, Any]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in seen:
            faults.append(Fault(name, line, f"{key!r} stands here twice", "keep one of the two"))
        seen.add(key)
        lines[(*path, key)] = line
        yield key, _construct(value_node, (*path, key), name, lines, faults)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    value = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):  # quoted or block: text, as written
        return value
    if value in ("", "~", "null"):
        return None
    if value in ("true", "false"):
        return value == "true"
    if _INTEGER.match(value):
        return int(value)
    if _DECIMAL.match(value):
        return float(value)
    return value
