"""ERIANLO: SDTM from the flat export and from ODM-XML is the same, byte for byte, where the two exports agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from trialmill.cli import main


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory, project: Path) -> dict[str, dict[str, bytes]]:
    """Every XPT file of the first transfer, by the export that was mapped."""
    found = {}
    for reading in ("data", "odm"):
        out = tmp_path_factory.mktemp(reading)
        study = str(project / "mappings/anlotinib-breast")
        result = CliRunner().invoke(main, ["sdtm", study, "--reading", reading, "--out", str(out)])
        assert result.exit_code == 0, result.output
        found[reading] = {path.name: path.read_bytes() for path in sorted((out / "sdtm").glob("*.xpt"))}
    return found


def test_both_readings_give_the_same_bytes(datasets: dict[str, dict[str, bytes]]) -> None:
    """The two exports of the first transfer agree everywhere, so do all datasets."""
    assert len(datasets["data"]) > 25
    assert datasets["data"].keys() == datasets["odm"].keys()
    assert [name for name, content in datasets["data"].items() if content != datasets["odm"][name]] == []
