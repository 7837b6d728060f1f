"""ERIANLO: SDTM from the flat export and from ODM-XML is the same, byte for byte, where the two exports agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def datasets(run_study: Callable[..., Path]) -> dict[str, dict[str, bytes]]:
    """Every XPT file of the first transfer, by the export that was mapped."""
    folders = {"data": run_study("anlotinib-breast"), "odm": run_study("anlotinib-breast", reading="odm")}
    return {
        reading: {path.name: path.read_bytes() for path in sorted((out / "sdtm").glob("*.xpt"))}
        for reading, out in folders.items()
    }


def test_both_readings_give_the_same_bytes(datasets: dict[str, dict[str, bytes]]) -> None:
    """The two exports of the first transfer agree everywhere, so do all datasets."""
    assert len(datasets["data"]) > 25
    assert datasets["data"].keys() == datasets["odm"].keys()
    assert [name for name, content in datasets["data"].items() if content != datasets["odm"][name]] == []
