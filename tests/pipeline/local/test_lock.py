from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.local.home import Home
from pipeline.local.lock import engine_lock

ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/demo/execution/abc"


def test_an_execution_has_one_engine(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with engine_lock(home, ARN):
        with pytest.raises(UserError, match="already at work"), engine_lock(home, ARN):
            pass
        with engine_lock(home, ARN[:-1] + "d"):
            pass
    with engine_lock(home, ARN):
        pass
