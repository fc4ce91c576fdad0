"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# No deadlines: on a busy machine they fail what is right. Every run draws the same examples.
settings.register_profile("bincount", deadline=None, derandomize=True)
settings.load_profile("bincount")


@pytest.fixture(scope="session")
def abid() -> Path:
    """Return the folder of real bin photos; the test is skipped where there is none."""
    folder = Path(os.environ.get("BINCOUNT_ABID", ROOT.parent / "shared" / "data" / "abid"))
    if not (folder / "bin-images").is_dir():
        pytest.skip("no real bin photos: set BINCOUNT_ABID to a folder with bin-images/ and metadata/")
    return folder
