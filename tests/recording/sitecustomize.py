"""Python runs this at the start of every process with this folder in PYTHONPATH: it records the process's AWS calls."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

if "BINCOUNT_CALLS" in os.environ:
    # By its path: `tests` may be somebody else's package here.
    _spec = importlib.util.spec_from_file_location("iam_calls", Path(__file__).parents[1] / "iam_calls.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["iam_calls"] = _module
    _spec.loader.exec_module(_module)
    _module.install()
