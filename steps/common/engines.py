"""The engines that may serve a model: each runs the same `model.onnx` on the CPU, photos in, logits out.

EfficientNet-Lite0, one photo at a time on one core of a Xeon with AMX, milliseconds a photo:

| pixels | ONNX Runtime fp32 | its int8 | OpenVINO bf16 | its int8 | OpenVINO fp32 |
|---|---|---|---|---|---|
| 128 | 3.6 | 2.4 | 1.6 | 1.6 | |
| 160 | 5.8 | 3.7 | 2.4 | 2.4 | 6.0 |
| 192 | 7.8 | 4.7 | 3.0 | 3.0 | |
| 224 | 10.5 | 6.6 | 4.1 | 4.0 | |

EfficientNet-Lite2 at 176 pixels on a core of an AMD EPYC with bf16 and int8 in AVX-512: 5.2, 4.9, 2.8, 2.7 and 4.9.

So there is no int8 graph (QDQ, each channel its scale, calibrated on photos): in OpenVINO it gains nothing over bf16,
and it moves the probabilities further from those in fp32: three times as far on the Xeon, twenty times on the EPYC.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from steps.common.artifact import ArtifactError, Engine, one_line
from steps.common.processor import cores, flags

Run = Callable[[npt.NDArray[np.uint8]], npt.NDArray[Any]]
"""uint8 photos [n, size, size, 3] to logits [n, classes], whatever the graph makes of them. Threads may share one."""


def open_graph(graph: Path, engine: Engine, size: int, threads: int, callers: int = 1) -> Run:
    """Load a graph, which may be anybody's.

    Args:
        graph: an ONNX file.
        engine: which runs it.
        size: side of the square input, pixels.
        threads: cores for one call; 0: all.
        callers: calls at once, where each has one core; others wait, as all do where a call has more cores.

    Raises:
        ArtifactError: the engine is not installed, or cannot load the graph.
    """
    open_with = {"onnxruntime": _onnxruntime, "openvino": _openvino}[engine]
    try:
        return open_with(graph, size, threads, callers)
    except ImportError:
        raise ArtifactError(f"the model is served by {engine}, which is not installed: pip install {engine}") from None
    except Exception as error:  # the engines' exceptions share no base class
        raise ArtifactError(f"{graph.name} cannot be loaded: {one_line(error)}") from None


def _onnxruntime(graph: Path, _size: int, threads: int, _callers: int) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised; the library's own lines would only repeat it
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda photos: session.run(None, {name: photos})[0]


def _openvino(graph: Path, size: int, threads: int, callers: int) -> Run:
    # Imported, this part of OpenVINO tells its makers that it was; without it nothing is sent or written to the home.
    sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]
    import openvino
    from openvino.frontend import FrontEndManager

    # The ONNX reader by name: Core.read_model tries the readers of six formats on whatever the file holds.
    reader = FrontEndManager().load_by_framework("onnx")
    network = reader.convert(reader.load(str(graph)))
    # One photo a run: a graph of a fixed shape takes 15 to 25 % less time for it than one that takes any number, and
    # eight photos in one run take no less than eight runs.
    network.reshape([1, size, size, 3])
    number, core = cores(), openvino.Core()

    def requests(streams: int, threads: int) -> list[Any]:
        """Compile for some runs at once, which share some threads."""
        settings = {
            "INFERENCE_PRECISION_HINT": number_format(flags()),
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_HYPER_THREADING": True,  # else the two cores of a small machine count as one
            "ENABLE_CPU_PINNING": False,  # other processes work on this machine too
        }
        compiled = core.compile_model(network, "CPU", settings)
        return [compiled.create_infer_request() for _ in range(streams)]

    if threads == 1:
        # Compiled for each run apart (15 MB and 0.1 s each), and computed by the caller's own thread. Runs of one
        # network with several streams go to threads of the engine and back, and cores wait for that: with 8 connections
        # two idled 18 % of the time, 7 % so.
        return _Lanes([request for _ in range(callers) for request in requests(1, 1)], 1)
    lanes = _Lanes(requests(number, number), number)
    if number == 1:
        return lanes

    @cache  # compiled for the first photo that comes alone: who has batches only never pays for it
    def whole() -> _Lanes:
        """All cores for a photo: two thirds of the time on two, and fewer photos a second."""
        return _Lanes(requests(1, number), 1)

    return lambda photos: (whole() if len(photos) == 1 else lanes)(photos)


def number_format(instructions: frozenset[str]) -> str:
    """Return OpenVINO's name of the format to compute in: bf16 where the processor has units for it, else fp32.

    A processor without them emulates bf16 when asked for it, in three times the time of fp32. fp16 is slower than fp32
    on processors that have it (11 % at 160 pixels, 26 % at 224).
    """
    return "bf16" if {"avx512_bf16", "amx_bf16", "bf16"} & instructions else "f32"


class _Lanes:
    """Requests to compiled models that run side by side. Callers share them; a call takes up to `width` that idle."""

    def __init__(self, requests: list[Any], width: int) -> None:
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._width = min(width, len(requests))
        for request in requests:
            self._idle.put(request)

    def __call__(self, photos: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        photos = np.ascontiguousarray(photos)
        requests = self._take(min(self._width, len(photos)))
        try:
            starts = range(0, len(photos), len(requests))
            return np.concatenate([_side_by_side(requests, photos[at : at + len(requests)]) for at in starts])
        finally:
            for request in requests:
                self._idle.put(request)

    def _take(self, wanted: int) -> list[Any]:
        taken = [
            self._idle.get()
        ]  # only the first is waited for: two callers that wait for each other's would for ever
        while len(taken) < wanted:
            try:
                taken.append(self._idle.get_nowait())
            except Empty:
                break
        return taken


def _side_by_side(requests: list[Any], photos: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    running = requests[: len(photos)]
    if len(running) == 1:
        running[0].infer({0: photos})
        return np.array(running[0].get_output_tensor(0).data)
    for number, request in enumerate(running):
        request.start_async({0: photos[number : number + 1]})  # copied: should one fail, the others still read theirs
    for request in running:
        request.wait()
    return np.concatenate([request.get_output_tensor(0).data for request in running])
