"""Which component makes an AWS call, told by the stack; for pytest's process and, by `recording/`, for its children.

The innermost file of this repository decides. Code below `lambda/<name>` is that function. Code of `pipeline` is the
command, and there of the verb, the outermost function in `pipeline/cli`; where a test calls what verbs are made of, of
its module. A thread without such a file belongs to whoever started it. Calls of the tests themselves, and inside the
local AWS account, are nobody's.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "tests" / "recording"
FILE = "BINCOUNT_CALLS"
"""The variable with the name of the file that child processes write their calls to."""
_CLI, _MAIN, _LAMBDA = "pipeline/cli/", "pipeline/cli/main.py", "lambda/"
# What answers calls, and what compiles, where the SDK's attempts at calls are refused.
_NOBODY = ("tests/", "benchmarks/", "pipeline/local/", "pipeline/definition/", "pipeline/compile.py", "pipeline/sdk.py")
_OURS = (*_NOBODY, "pipeline/", _LAMBDA)

Calls = dict[str, set[str]]
"""By component (`deploy`, `cli executions.status`, `pipeline/aws/logs.py`), calls (`sagemaker:DescribeEndpoint`)."""
seen: Calls = {}
_Actions = dict[str, Callable[[Any], None]]


def caller(frame: FrameType | None) -> str | None:
    """Return the component that a frame belongs to; None for nobody's."""
    ours = [(file, function) for file, function in _files(frame) if file.startswith(_OURS)]
    if not ours:
        inherited: str | None = getattr(threading.current_thread(), "component", None)
        return inherited
    if ours[0][0].startswith(_NOBODY):
        return None
    if ours[0][0].startswith(_LAMBDA):
        return ours[0][0].split("/")[1]
    verbs = [f"cli {Path(file).stem}.{name}" for file, name in ours if file.startswith(_CLI) and file != _MAIN]
    return verbs[-1] if verbs else getattr(threading.current_thread(), "component", None) or ours[0][0]


def _files(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    prefix = f"{ROOT}/"
    while frame is not None:
        # A worker of pytest-xdist is a child and pytest itself: it is wrapped twice.
        if frame.f_code.co_filename.startswith(prefix) and frame.f_code.co_filename != __file__:
            yield frame.f_code.co_filename.removeprefix(prefix), frame.f_code.co_name
        frame = frame.f_back


def install() -> None:
    """Record the calls of this process from now on."""
    start = threading.Thread.start

    @functools.wraps(start)
    def inheriting(self: Any) -> None:
        self.component = caller(sys._getframe(1))
        start(self)

    threading.Thread.start = inheriting  # type: ignore[method-assign]
    actions: _Actions = {"botocore.client": _record_clients, "pipeline.local.functions": _record_functions}
    for name in [name for name in actions if name in sys.modules]:
        actions.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _AfterImport(actions))


class _AfterImport(importlib.abc.MetaPathFinder):
    """Does something with modules when they are imported, so that a child that needs none of them pays nothing."""

    def __init__(self, actions: _Actions) -> None:
        self._actions = actions

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        action = self._actions.pop(fullname, None)
        spec = importlib.util.find_spec(fullname) if action else None
        if action is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def executed(module: ModuleType) -> None:
            execute(module)
            action(module)

        spec.loader.exec_module = executed  # type: ignore[method-assign]
        return spec


def _record_clients(module: Any) -> None:
    from botocore import UNSIGNED

    original = module.BaseClient._make_api_call

    @functools.wraps(original)
    def recorded(self: Any, operation: str, parameters: Any) -> Any:
        component = caller(sys._getframe(1))
        if component and self.meta.config.signature_version is not UNSIGNED:  # what needs no signature needs no role
            _note(component, f"{self.meta.service_model.service_name}:{operation}")
        return original(self, operation, parameters)

    module.BaseClient._make_api_call = recorded


def _record_functions(module: Any) -> None:
    """Let the processes of functions, which inherit nothing, record as well."""
    original = module.environment

    @functools.wraps(original)
    def recording(*arguments: Any) -> dict[str, str]:
        variables: dict[str, str] = original(*arguments)
        if FILE in os.environ:
            path = os.pathsep.join([str(RECORDING), variables["PYTHONPATH"]])
            variables |= {"PYTHONPATH": path, FILE: os.environ[FILE]}
        return variables

    module.environment = recording


def _note(component: str, call: str) -> None:
    calls = seen.setdefault(component, set())
    if call not in calls:
        calls.add(call)
        if name := os.environ.get(FILE):
            with Path(name).open("a", encoding="utf-8") as file:
                file.write(f"{component}\t{call}\n")
