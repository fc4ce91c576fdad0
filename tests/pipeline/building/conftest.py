from pathlib import Path

import pytest

from tests.engines import FakeEngine, install


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Return the only engine there is, one that is a script."""
    return install(tmp_path, monkeypatch)
