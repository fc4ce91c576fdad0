from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.gate import Comparison
from pipeline.cli.options import Target
from pipeline.cli.outcome import Outcome
from pipeline.cli.summary import escape, markdown
from tests.pipeline.cli.conftest import Make

FIGURES: dict[str, Any] = {
    "multiclass_classification_metrics": {
        "confusion_matrix": {"1": {"1": 8, "2": 2}, "2": {"1": 3, "2": 7}},
        "macro_f1": {"value": 0.75, "confidence_interval": {"lower": 0.6, "upper": 0.9}},
        "accuracy": {"value": 0.75},
    }
}
ENDED = Outcome(
    status="Succeeded",
    seconds=754.0,
    gate=(Comparison("macro_f1", 0.75, ">=", 0.4, held=True),),
    version="version 3 of bincount-demo (PendingManualApproval)",
    staging="bincount-demo-staging is InService, smoke test passed",
    report="s3://bucket/a b/report.html",
    figures=FIGURES,
)


def test_all_that_there_is_to_tell(make: Make) -> None:
    text = markdown(make.execution(status="Succeeded"), ENDED, "about $1.20", Target.LOCAL)
    for line in (
        r"## bincount\-demo m08kb4bksw24: Succeeded",
        "| took | 12\\:34 |",
        r"| gate | passed\: macro\_f1 0.75 \>= 0.4 |",
        r"| cost | about \$1.20 |",
        r"| macro\-F1 | 0.750 | 0.600 to 0.900 |",
        "| accuracy | 0.750 |  |",
        "| true, predicted | 1 | 2 |",
        "| **2** | 3 | 7 |",
    ):
        assert line in text.splitlines(), line
    assert "https" not in text


def test_on_aws_there_are_links(make: Make) -> None:
    made = "arn:aws:sagemaker:us-east-1:1:model-package/bincount-demo/3"
    execution = make.execution(make.step("Register", made=made), status="Succeeded")
    text = markdown(execution, ENDED, "", Target.AWS)
    studio = "https://us-east-1.console.aws.amazon.com/sagemaker/home?region=us-east-1#/studio-landing"
    assert rf"- [registry]({studio}) \(Models, Registered models, bincount\-demo, version 3\)" in text
    report = "https://us-east-1.console.aws.amazon.com/s3/object/bucket?region=us-east-1&prefix=a%20b/report.html"
    assert f"- [report]({report})" in text
    assert "cost" not in text


def test_an_execution_without_figures_has_no_empty_tables(make: Make) -> None:
    failed = Outcome("Failed", 5.0, reason="Train: out of <b>cheese</b> | `rm`", resume="bincount resume x")
    text = markdown(make.execution(status="Failed"), failed, "", Target.LOCAL)
    assert r"| reason | Train\: out of \<b\>cheese\</b\> \| \`rm\` |" in text
    assert "metric" not in text
    odd = Outcome("Succeeded", 5.0, figures={"multiclass_classification_metrics": {"confusion_matrix": {"1": 3}}})
    assert "predicted" not in markdown(make.execution(status="Succeeded"), odd, "", Target.LOCAL)


@given(st.text(st.characters(min_codepoint=1)))
def test_no_text_is_markup(text: str) -> None:
    shown = escape(text)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(\\\\)*[`*_<>|\[\]]", shown)
    assert not re.search(r"https?:|(?i:www)\.", shown)
