from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.compiling import compiled, write_whole
from pipeline.errors import UserError
from pipeline.settings import Settings, load_settings

CHURN = Path(__file__).parents[2] / "fixtures" / "definitions" / "churn.json"


def test_a_definition_is_compiled_once_for_the_same_settings(tmp_path: Path) -> None:
    seen: list[Settings] = []

    def compile_(settings: Settings) -> str:
        seen.append(settings)
        return CHURN.read_text()

    demo, more = load_settings("demo"), load_settings("demo", {"tune.trials": 5})
    texts = [compiled(settings, tmp_path, compile_) for settings in (demo, demo, more, demo)]
    assert seen == [demo, more]
    assert set(texts) == {CHURN.read_text()}


def test_what_is_not_valid_is_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(UserError, match=r"has \d+ fault\(s\), the first is"):
            compiled(load_settings("demo"), tmp_path, lambda _: "{}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", "one")
    write_whole(tmp_path / "x", "two")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["two"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "x", "one")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_two_processes_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from pipeline.cli.compiling import write_whole\n"
        "for _ in range(300): write_whole(Path(sys.argv[1]), sys.argv[2] * 9999)"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "x")]
    root = Path(__file__).parents[3]
    writers = [subprocess.Popen([*words, letter], cwd=root) for letter in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert [path.read_text() for path in tmp_path.iterdir()] in (["a" * 9999], ["b" * 9999])
