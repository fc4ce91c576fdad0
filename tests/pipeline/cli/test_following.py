from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.following import patience

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Ran

ROOT = Path(__file__).parents[3]


def in_terminal(*arguments: str) -> tuple[int, str]:
    """Run a command line in a terminal, and return its exit code and all that the terminal got."""
    terminal, end = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100"}
    command = [sys.executable, "-m", "pipeline.cli.main", *arguments]
    got = b""
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=environment) as process:
        os.close(end)
        try:
            while chunk := os.read(terminal, 4096):
                got += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
        finally:
            os.close(terminal)
    return process.returncode, got.decode()


def test_a_terminal_gets_a_picture_and_others_get_lines(ran: Ran) -> None:
    code, drawn = in_terminal("watch", "good")
    assert code == 0
    assert "\x1b[" in drawn
    for text in ("✔", "Publish", "auc 0.6 >= 0.5", "succeeded"):
        assert text in drawn
    code, lines = in_terminal("watch", "weak", "--plain")
    assert code == 1
    assert "\x1b[?25l" not in lines  # the cursor stays
    assert "TooWeak" in lines


def test_looks_are_further_apart_the_longer_an_execution_runs() -> None:
    slept: list[float] = []
    times = iter([100.0, 101.0, 160.0, 4000.0, 4000.0])
    sleep = patience(slept.append, lambda: next(times))
    for asked in (0.3, 0.3, 0.3, 5.0):
        sleep(asked)
    assert slept == [0.3, 0.6, 2.0, 5.0]
