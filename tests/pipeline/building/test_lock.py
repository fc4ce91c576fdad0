from pipeline.building.lock import split

LOCKED = """\
cuda-bindings==13.5.0 \\
    --hash=sha256:00
numpy==2.4.6 \\
    --hash=sha256:01 \\
    --hash=sha256:02
nvidia-cublas==13.1.1.3 ; platform_system == 'Linux' \\
    --hash=sha256:03
torch==2.14.1 \\
    --hash=sha256:04
torchvision==0.29.1 \\
    --hash=sha256:05
triton==3.8.0 \\
    --hash=sha256:06
tzdata==2026.6 \\
    --hash=sha256:07
"""


def test_pytorch_and_its_cuda_are_a_list_of_their_own() -> None:
    others, torch = split(LOCKED)
    assert [line.split("==")[0] for line in others.splitlines() if "==" in line] == ["numpy", "tzdata"]
    assert "numpy==2.4.6 \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\n" in others
    assert [line.split("==")[0] for line in torch.splitlines() if not line.startswith(" ")] == [
        "cuda-bindings",
        "nvidia-cublas",
        "torch",
        "torchvision",
        "triton",
    ]
    assert sorted((others + torch).splitlines()) == sorted(LOCKED.splitlines())


def test_without_pytorch_there_is_one_list() -> None:
    assert split("numpy==2.4.6 \\\n    --hash=sha256:01\n") == ("numpy==2.4.6 \\\n    --hash=sha256:01\n", "")
