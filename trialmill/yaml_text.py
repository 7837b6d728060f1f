"""Spell values as YAML that reads back as the same text (``specs.yamlfile``)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

# Plain where neither YAML nor our reader of it sees anything but text.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ ./+-][A-Za-z0-9_]+)*")
_WORDS = ("true", "false", "null")


def spell_text(text: str) -> str:
    """Spell a text as a YAML scalar, in double quotes where a plain one would be read otherwise."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def spell_column(name: str) -> str:
    """Spell the name of a raw column."""
    return spell_text(name)


def spell_flow(parts: Mapping[str, str]) -> str:
    """Spell a mapping on one line; keys and values are spelled already."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"


def spell_comment(text: str) -> str:
    """Spell a text as one line of a comment: no line ends, no other control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
