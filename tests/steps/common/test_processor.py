from __future__ import annotations

from steps.common.processor import cores, cpu_flags

X86 = "processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16\n\nprocessor\t: 1\nflags\t\t: fpu\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\n"


def test_flags_are_the_first_processor_s() -> None:
    assert cpu_flags(X86) == {"fpu", "avx512f", "avx512_bf16"}
    assert cpu_flags(ARM) == {"fp", "asimd", "bf16"}
    assert cpu_flags("") == frozenset()


def test_there_is_a_core() -> None:
    assert cores() >= 1
