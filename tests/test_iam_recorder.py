"""The recorder tells who calls, and what is new or no longer called."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.iam_calls import FILE, RECORDING, ROOT, caller, seen
from tests.iam_recorder import beyond


def called_from(*files: str) -> str | None:
    """Return whose a call is whose stack has code of these files, the innermost first."""
    found: list[str | None] = []
    run: Callable[[], None] = lambda: found.append(caller(sys._getframe(1)))  # noqa: E731 - has no name of its own
    for file in files:
        run = partial(execute, "run()", file, run)
    run()
    return found[0]


def execute(source: str, file: str, run: Callable[[], None]) -> None:
    """Run code as if it stood in a file of the repository."""
    exec(compile(source, str(ROOT / file), "exec"), {"run": run})  # noqa: S102


def test_a_function_is_told_by_its_folder_whoever_calls_it() -> None:
    assert called_from("lambda/deploy/endpoints.py", "pipeline/aws/x.py", "pipeline/cli/running.py") == "deploy"


def test_a_verb_is_told_by_the_outermost_module_of_the_command() -> None:
    files = ("pipeline/aws/logs.py", "pipeline/cli/following.py", "pipeline/cli/executions.py", "pipeline/cli/main.py")
    assert called_from(*files) == "cli executions.<module>"


def test_without_a_verb_it_is_the_modules() -> None:
    assert called_from("pipeline/aws/logs.py", "tests/pipeline/aws/test_logs.py") == "pipeline/aws/logs.py"


def test_tests_and_the_local_account_are_nobody() -> None:
    assert called_from("tests/pipeline/aws/test_logs.py", "pipeline/cli/running.py") is None
    assert called_from("pipeline/local/aws/bus.py", "pipeline/aws/logs.py") is None


def test_a_thread_calls_for_who_started_it() -> None:
    thread = threading.Thread(target=int)
    execute("run()", "pipeline/cli/data.py", thread.start)
    thread.join()
    assert vars(thread)["component"] == "cli data.<module>"


def test_new_calls_are_those_that_their_component_has_not() -> None:
    known = {"deploy": {"s3:GetObject"}, "predict": {"s3:PutObject"}}
    assert beyond({"deploy": {"s3:GetObject", "s3:PutObject"}}, known) == ["deploy s3:PutObject"]
    assert beyond({"drift": {"s3:GetObject"}}, known) == ["drift s3:GetObject"]
    assert beyond({"deploy": set()}, known) == []


def test_calls_of_child_processes_are_written_down(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(
        "import boto3\n"
        "client = boto3.client('sts', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')\n"
        "client.meta.events.register('before-call', lambda **_: (type('Http', (), {'status_code': 200}), {}))\n"
        f"code = compile('call()', {str(ROOT / 'lambda' / 'drift' / 'child.py')!r}, 'exec')\n"
        "exec(code, {'call': client.get_caller_identity})\n",
        encoding="utf-8",
    )
    record = tmp_path / "calls"
    variables = {**os.environ, "PYTHONPATH": str(RECORDING), FILE: str(record)}
    subprocess.run([sys.executable, str(script)], env=variables, check=True, timeout=60)
    assert record.read_text(encoding="utf-8") == "drift\tsts:GetCallerIdentity\n"
    assert "sts:GetCallerIdentity" not in seen.get("drift", set())
