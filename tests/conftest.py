"""What all tests share: the folder beside the project with standards, oracles and the studies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"


@pytest.fixture(scope="session")
def project() -> Path:
    """Return the root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Return a function that finds a file of ../shared, skips without it, and fails without it on CI."""

    def find(relative: str) -> Path:
        path = SHARED / relative
        if not path.exists():
            reason = f"needs ../shared/{relative}, which is not on this machine"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return find
