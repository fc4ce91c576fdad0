"""What every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.iam_recorder import (  # noqa: F401 - hooks and a fixture of every test
    only_known_calls,
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
    pytest_testnodedown,
    pytest_unconfigure,
)

if TYPE_CHECKING:
    import boto3

    from tests.extended_moto import Endpoints

ROOT = Path(__file__).parents[1]

# No deadlines: on a busy machine they fail what is right. Every run draws the same examples.
settings.register_profile("bincount", deadline=None, derandomize=True)
settings.load_profile("bincount")

# A shell without job control starts what goes on in the background with SIGINT ignored, and every process of a test
# would inherit that: Ctrl-C is tested with commands as a terminal starts them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def abid() -> Path:
    """Return the folder of real bin photos; the test is skipped where there is none."""
    folder = Path(os.environ.get("BINCOUNT_ABID", ROOT.parent / "shared" / "data" / "abid"))
    if not (folder / "bin-images").is_dir():
        pytest.skip("no real bin photos: set BINCOUNT_ABID to a folder with bin-images/ and metadata/")
    return folder


@pytest.fixture(scope="session")
def kept_session() -> boto3.Session:
    """Return the session of all tests on moto: making a client takes longer than calling it."""
    import boto3
    import moto.core  # noqa: F401 - a session made before it would reach the network

    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@pytest.fixture
def moto_endpoints(monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    """Return the switch of moto's endpoint states; with `hold`, changes stay under way until the test ends them."""
    from tests.extended_moto import extend

    return extend(monkeypatch)


@pytest.fixture
def moto_session(
    kept_session: boto3.Session, moto_endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> Iterator[boto3.Session]:
    """Return a session, the default one too, whose calls go out as HTTP requests that a mended moto answers."""
    import boto3
    from moto import mock_aws

    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", kept_session)
        yield kept_session


@pytest.fixture
def make_spec() -> Callable[..., dict[str, Any]]:
    """Return the function that gives a valid model.json with the changes asked for."""
    from tests.artifacts import spec

    return spec


@pytest.fixture
def make_artifact(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a model folder, or its model.tar.gz where `archive` names one."""
    from tests.artifacts import artifact

    return lambda name="model", **options: artifact(tmp_path / name, **options)


@pytest.fixture
def make_photo() -> Callable[..., bytes]:
    """Return a function that makes a gray photo of the level that stands for a label."""
    from tests.artifacts import photo

    return photo
