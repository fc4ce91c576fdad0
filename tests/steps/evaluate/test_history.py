from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steps.evaluate.history import read_curve, read_history

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def test_a_history_is_a_list_of_epochs_with_numbers(tmp_path: Path) -> None:
    epochs = [{"epoch": 1, "val_loss": 0.5, "note": "text"}, {"epoch": 2, "val_loss": 0.4}]
    (tmp_path / "metrics.json").write_text(json.dumps(epochs))
    assert read_history(tmp_path) == [{"epoch": 1, "val_loss": 0.5}, {"epoch": 2, "val_loss": 0.4}]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_values)
def test_any_json_gives_finite_numbers_or_nothing(tmp_path: Path, value: object) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps(value))
    for epoch in read_history(tmp_path):
        assert all(abs(number) < 1e12 for number in epoch.values())


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"[NaN", b"1" * 10_000])
def test_a_faulty_file_is_no_history(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "metrics.json").write_bytes(content)
    assert read_history(tmp_path) == []


def test_only_a_png_is_a_curve(tmp_path: Path) -> None:
    assert read_curve(tmp_path) is None
    (tmp_path / "training_curve.png").write_bytes(b"<script>")
    assert read_curve(tmp_path) is None
    (tmp_path / "training_curve.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    curve = read_curve(tmp_path)
    assert curve is not None
    assert curve.startswith("data:image/png;base64,iVBORw0KGgpy")
