from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from pipeline.cli import main as module
from pipeline.cli.docs import helps
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

ROOT = Path(__file__).parents[3]
VERBS = (
    "bootstrap",
    "teardown",
    "run",
    "upsert",
    "start",
    "compile",
    "status",
    "watch",
    "logs",
    "list",
    "stop",
    "cost",
    "resume",
    "models",
    "endpoints",
    "drift",
    "cleanup",
    "invoke",
    "evaluate",
    "predict",
    "validate",
)
NAMES = [
    "bincount",
    *(f"bincount {verb}" for verb in VERBS),
    *(f"bincount endpoint{verb}" for verb in ("", " predict", " rollback", " reconcile")),
    *(f"bincount models {verb}" for verb in ("show", "compare", "approve", "reject")),
    *(f"bincount data{verb}" for verb in ("", " synth", " fetch", " manifest", " import")),
    *(f"bincount images{verb}" for verb in ("", " list", " build", " push")),
]


def commands(command: Any, name: str = "bincount") -> dict[str, Any]:
    inner = getattr(command, "commands", {})
    found = {name: command}
    for key, one in inner.items():
        found |= commands(one, f"{name} {key}")
    return found


def test_every_verb_is_there() -> None:
    assert sorted(name for name, _ in helps()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_says_what_it_does_and_shows_an_example_of_itself(name: str) -> None:
    text = dict(helps())[name]
    assert commands(get_command(module.app))[name].help
    assert re.search(rf"\n  Examples?:\n    {name}", text), f"{name} has no example"


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_argument_has_help(name: str) -> None:
    without = [one.name for one in commands(get_command(module.app))[name].params if not getattr(one, "help", None)]
    assert without == []


def test_examples_name_options_that_there_are() -> None:
    every = commands(get_command(module.app))
    for name, text in helps():
        known = {option for one in every[name].params for option in [*one.opts, *one.secondary_opts]}
        for line in re.findall(rf"^    ({name} .*)$", text, re.MULTILINE):
            if name not in {"bincount", "bincount data"}:
                assert set(re.findall(r"(?<= )--?[a-z][a-z-]*", line)) <= known, line


def test_help_imports_nothing_heavy() -> None:
    heavy = "rich", "pydantic", "boto3", "botocore", "sagemaker", "numpy", "PIL", "optuna", "sqlite3", "multiprocessing"
    code = f"import sys; from pipeline.cli.main import app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(module, "app", fail)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("two\n lines"), "error: two lines\n"),
        (FileNotFoundError(2, "No such file or directory", "x.json"), "error: No such file or directory: x.json\n"),
        (OSError("odd"), "error: OSError: odd (not foreseen: add --debug to see where it comes from)\n"),
        (KeyError("x"), "error: KeyError: 'x' (not foreseen: add --debug to see where it comes from)\n"),
    ],
)
def test_an_error_is_one_line(
    error: Exception, line: str, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, error)
    assert (called := call("list")).code == 1
    assert (called.out, called.err) == ("", line)


def test_a_file_of_the_home_says_how_to_name_another(
    tmp_path: Path, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BINCOUNT_HOME", str(tmp_path))
    fail_with(monkeypatch, OSError(30, "Read-only file system", str(tmp_path / "compiled")))
    assert f"{tmp_path / 'compiled'}: set BINCOUNT_HOME to a folder that can be written" in call("list").err


@pytest.mark.parametrize("arguments", [("--debug", "list"), ("list", "--debug")])
def test_debug_lets_the_traceback_through(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, UserError("seen"))
    with pytest.raises(UserError, match="seen"):
        module.main(list(arguments))


def test_a_mistyped_command_or_option_is_exit_code_2(call: Callable[..., Called]) -> None:
    assert call("rnu").code == call("run", "--porfile", "x").code == call("list", "--limit", "0").code == 2
    assert "No such command" in call("rnu").err


def test_no_command_shows_help(call: Callable[..., Called]) -> None:
    called = call()
    assert "Usage: bincount" in called.out + called.err
