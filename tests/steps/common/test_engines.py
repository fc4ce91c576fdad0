from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import pytest

from steps.common.artifact import ArtifactError
from steps.common.engines import number_format, open_graph
from steps.common.predictor import Predictor

Make = Callable[..., Path]
SIZE = 16


def photos(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(number).integers(0, 256, (number, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize("threads", [0, 1])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_both_engines_give_the_same_logits_in_the_photos_order(make_artifact: Make, number: int, threads: int) -> None:
    graph = make_artifact() / "model.onnx"
    exact = open_graph(graph, "onnxruntime", SIZE, threads)(photos(number))
    fast = open_graph(graph, "openvino", SIZE, threads)(photos(number))
    assert fast.shape == exact.shape == (number, 5)
    assert np.allclose(fast, exact, rtol=0.02, atol=0.02 * np.abs(exact).max())


@pytest.mark.parametrize(("threads_a_call", "callers"), [(0, 1), (1, 1), (1, 3)])
def test_threads_share_a_graph(make_artifact: Make, threads_a_call: int, callers: int) -> None:
    run = open_graph(make_artifact() / "model.onnx", "openvino", SIZE, threads_a_call, callers)
    expected = [run(photos(number)) for number in range(1, 7)]
    answers: dict[int, bool] = {}

    def ask(number: int) -> None:
        answers[number] = all(np.array_equal(run(photos(number)), expected[number - 1]) for _ in range(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == dict.fromkeys(range(1, 7), True)


@pytest.mark.parametrize("callers", [1, 3])
def test_no_more_networks_than_callers_are_compiled(
    make_artifact: Make, monkeypatch: pytest.MonkeyPatch, callers: int
) -> None:
    compile_model, compiled = openvino.Core.compile_model, []

    def counted(core: openvino.Core, *arguments: object) -> object:
        compiled.append(arguments)
        return compile_model(core, *arguments)

    monkeypatch.setattr(openvino.Core, "compile_model", counted)
    open_graph(make_artifact() / "model.onnx", "openvino", SIZE, threads=1, callers=callers)
    assert len(compiled) == callers


@pytest.mark.parametrize(
    "junk", [b"\x08\x09" + b"junk" * 50, b"", b'<?xml version="1.0"?><net name="x" version="11"/>']
)
def test_openvino_takes_nothing_for_a_graph_that_is_none(make_artifact: Make, junk: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"model\.onnx cannot be loaded") as caught:
        Predictor(make_artifact(files={"model.onnx": junk}, engine="openvino"))
    assert str(caught.value).isprintable()


def test_openvino_s_answers_are_checked_too(make_artifact: Make) -> None:
    with pytest.raises(ArtifactError, match="promises"):
        Predictor(make_artifact(class_labels=["1", "2", "3"], engine="openvino"))


def test_an_engine_that_is_not_installed_is_named(make_artifact: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ArtifactError, match="served by openvino, which is not installed: pip install openvino"):
        Predictor(make_artifact(engine="openvino"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16"}, "bf16"),
        ({"avx512f", "avx512_bf16"}, "bf16"),
        ({"asimd", "bf16"}, "bf16"),
        ({"avx512f", "avx512_vnni", "avx512_fp16"}, "f32"),
        (set(), "f32"),
    ],
)
def test_no_format_is_emulated(flags: set[str], expected: str) -> None:
    assert number_format(frozenset(flags)) == expected


def test_openvino_tells_nobody_that_it_runs(tmp_path: Path, make_artifact: Make) -> None:
    home, folder = tmp_path / "home", make_artifact(engine="openvino")
    home.mkdir()
    program = (
        "import sys, pathlib; from steps.common.predictor import Predictor;"
        "sys.addaudithook(lambda event, _: event.startswith('socket.') and sys.exit('it calls home'));"
        f"Predictor(pathlib.Path({str(folder)!r}));"
        "assert 'openvino' in sys.modules and 'openvino_telemetry' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")},
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert list(home.iterdir()) == []
