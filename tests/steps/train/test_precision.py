from __future__ import annotations

import pytest

from steps.common.job import JobError
from steps.train.precision import on_cpu, on_gpu


@pytest.mark.parametrize(
    ("asked", "flags", "machine", "format_"),
    [
        ("auto", {"avx512_bf16"}, "x86_64", "bf16"),
        ("auto", {"amx_bf16"}, "x86_64", "bf16"),
        ("auto", {"bf16"}, "aarch64", "bf16"),
        ("auto", {"avx512f"}, "x86_64", "fp32"),
        ("bf16", {"avx2"}, "x86_64", "bf16"),
        ("fp32", {"avx512_bf16"}, "x86_64", "fp32"),
    ],
)
def test_a_cpu_gets_bf16_where_it_has_units_for_it(asked: str, flags: set[str], machine: str, format_: str) -> None:
    choice = on_cpu(asked, frozenset(flags), machine)
    assert (choice.format, choice.channels_last) == (format_, True)
    assert choice.reason.startswith(f"{format_}: ")


def test_fp16_on_a_cpu_is_refused() -> None:
    with pytest.raises(JobError, match="needs a GPU"):
        on_cpu("fp16", frozenset())


@pytest.mark.parametrize(
    ("asked", "capability", "format_", "channels_last"),
    [
        ("auto", (9, 0), "bf16", True),
        ("auto", (8, 6), "bf16", True),
        ("auto", (7, 5), "fp16", True),
        ("auto", (6, 1), "fp32", False),
        ("fp32", (8, 0), "fp32", False),
        ("fp16", (8, 0), "fp16", True),
    ],
)
def test_a_gpu_gets_what_its_tensor_cores_take(
    asked: str, capability: tuple[int, int], format_: str, channels_last: bool
) -> None:
    choice = on_gpu(asked, capability)
    assert (choice.format, choice.channels_last) == (format_, channels_last)
