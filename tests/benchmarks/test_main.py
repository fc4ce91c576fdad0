from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks.document import Result
from benchmarks.figures import Figure
from benchmarks.machine import machine, processor
from benchmarks.running import benchmarks, run


def test_modules_that_measure_are_benchmarks(tmp_path: Path) -> None:
    (tmp_path / "speed.py").write_text('"""How fast\nit is.\n\nMore."""\n\ndef measure():\n    return []\n')
    (tmp_path / "helper.py").write_text("def other():\n    pass\n")
    assert benchmarks(tmp_path) == {"speed": "How fast\nit is.\n\nMore."}


def test_every_benchmark_of_ours_says_what_it_is() -> None:
    known = benchmarks()
    assert {"engine", "fetch"} <= known.keys()
    assert all(known.values())


def test_a_benchmark_that_fails_is_a_result_with_its_reason() -> None:
    result = run("not_there", "about")
    assert result.figures == ()
    assert result.failure == "ModuleNotFoundError: No module named 'benchmarks.not_there'"


def test_an_unknown_name_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["engine", "engines"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("no benchmark engines: there are ")
    assert "engine, fetch" in message


def test_others_run_and_are_written_when_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    results = {
        "engine": Result("engine", "The engine.", failure="OSError: gone"),
        "fetch": Result("fetch", "Fetch.", [Figure("fetch", "9 objects/s")]),
    }
    monkeypatch.setattr(runner, "PAGE", page)
    monkeypatch.setattr(runner, "run", lambda name, _about: results[name])
    assert runner.main(["engine", "fetch"]) == 1
    assert "**Failed**: OSError: gone" in page.read_text()
    assert "| fetch | 9 objects/s |" in page.read_text()


def test_the_machine_is_told(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU @ 3GHz\nflags\t\t: fpu avx2 avx512f avx512_bf16\n")
    assert processor(cpuinfo) == "Some CPU @ 3GHz (AVX2 AVX-512 BF16)"
    assert "cores" in machine()
