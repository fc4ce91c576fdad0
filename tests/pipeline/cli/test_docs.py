from __future__ import annotations

from pipeline.cli.docs import DOCS, markdown, picture


def test_the_reference_is_what_help_says() -> None:
    written = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert written == markdown(), "run `python -m pipeline.cli.docs` and commit docs/cli.md"


def test_the_picture_shows_the_dag() -> None:
    drawn = picture()
    assert drawn.startswith("<svg")
    for text in ("Split", "trial&#160;2", "best", "learning_rate", "BelowGate"):
        assert text in drawn
    assert "url(http" not in drawn.replace('"', "")
