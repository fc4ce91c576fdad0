from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from steps.common.artifact import ModelSpec, Normalization
from steps.common.split_report import Groups, Named, SplitReport, SplitSettings
from steps.evaluate.evaluation import evaluate, model_facts
from steps.evaluate.inference import Answers, Failure
from steps.evaluate.mistakes import worst_mistakes
from steps.evaluate.report import Extras, Gate, percent, readable, render, signed

LABELS = ("1", "2", "3", "4", "5")
EVIL = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>"
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in order; notes what the page would load or run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.elements: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def answers(models: int = 1, **changes: Any) -> Answers:
    random = np.random.default_rng(3)
    raw = random.random((models, 60, 5)) ** 3
    return Answers(
        labels=LABELS,
        ids=[EVIL] * 60,
        positions=list(range(60)),
        true=random.integers(0, 5, 60),
        groups=np.arange(60),
        probabilities=tuple(raw / raw.sum(axis=2, keepdims=True)),
        **changes,
    )


def evaluation(case: Answers, text: str = "lite0", ask_below: float = 0.5) -> dict[str, Any]:
    spec = ModelSpec(
        backbone=text,
        image_size=224,
        class_labels=LABELS,
        normalization=Normalization(mean=(0, 0, 0), std=(1, 1, 1)),
        provenance={text: text},
    )
    result = evaluate(case, [ask_below] * len(case.probabilities), 20, 0)
    result["model"] = model_facts(spec, "0" * 64)
    if result["champion"]["present"]:
        result["champion"] |= {"version": "bincount-demo/3", "model": result["model"]}
    return result


def split_report(text: str) -> SplitReport:
    counts = {name: dict.fromkeys(LABELS, 7) for name in ("train", "validation", "test")}
    return SplitReport(
        hosts=["algo-1"],
        label_form="metadata",
        settings=SplitSettings(salt="s"),
        counts=counts,
        groups=Groups(number=42, largest=3, by_source={"record": 42}, photos_checked=105, crossing=0),
        rejected=Named(counts={text: 2}),
        listed=110,
        missing=Named(counts={"no photo": 5}),
        content_hash="ab" * 32,
        assignment_hash="cd" * 32,
    )


HISTORY = [{"epoch": 1.0, "train_loss": 1.0, "val_loss": 1.1}, {"epoch": 2.0, "train_loss": 0.5, "val_loss": 0.9}]


def full_page(text: str) -> str:
    case = answers(2, failures=[Failure(text, text)])
    mistakes = [(mistake, "data:image/jpeg;base64,AAAA") for mistake in worst_mistakes(case, 4)]
    extras = Extras(LABELS, Gate(0.5, 0.0), [*mistakes, (mistakes[0][0], None)], HISTORY, None, split_report(text))
    return render(evaluation(case, text), extras)


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = Page(full_page("plain"))
    assert page.open == []
    assert page.loaded
    assert all(address.startswith("data:image/") for address in page.loaded)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.elements)


def test_no_style_loads_anything_either() -> None:
    html = full_page("plain")
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_hostile_texts_stay_texts() -> None:
    page = Page(full_page(EVIL))
    assert page.open == []
    assert "script" not in page.elements
    assert all(address.startswith("data:image/") for address in page.loaded)
    assert page.text.count(EVIL) >= 4  # the id under a picture, the one left out, its reason, the provenance


def test_every_part_is_there() -> None:
    page = Page(full_page("plain"))
    for heading in ("taken for what", "Each class", "confidence be trusted", "trained", "worst mistakes", "The photos"):
        assert heading in page.text
    assert "0 groups in two splits, checked on 105" in " ".join(page.text.split())
    assert page.elements.count("svg") == 4


@pytest.mark.parametrize(
    ("ask_below", "words"),
    [
        (0.5, "Where the model is less than 50.0 % sure. It answers"),
        (0.999, "here it was so of every photo"),
        (2.0, "Always: on validation no answers were right as often"),
    ],
)
def test_it_says_when_a_person_is_asked(ask_below: float, words: str) -> None:
    page = Page(render(evaluation(answers(), ask_below=ask_below), Extras(LABELS)))
    assert page.open == []
    assert words in " ".join(page.text.replace("\N{NO-BREAK SPACE}", " ").split())


def test_a_page_with_the_least_there_can_be() -> None:
    case = answers()
    case.probabilities = (np.eye(5)[case.true],)
    html = render(evaluation(case), Extras(LABELS))
    page = Page(html)
    assert page.open == []
    assert "every photo was counted exactly" in page.text
    assert "no approved model yet" in page.text
    assert "the gate" not in page.text
    assert ">gate<" not in html
    assert "The photos" not in page.text
    assert "How it was trained" not in page.text


def test_the_curve_of_the_artifact_stands_in_for_a_history() -> None:
    page = Page(render(evaluation(answers()), Extras(LABELS, curve="data:image/png;base64,AAAA")))
    assert page.loaded == ["data:image/png;base64,AAAA"]


@pytest.mark.parametrize(
    ("gate", "words"),
    [(Gate(0.0), "Passes the gate"), (Gate(1.0), "Below the gate"), (Gate(0.0, 1.0), "Below the gate")],
)
def test_the_verdict_is_that_of_the_gate(gate: Gate, words: str) -> None:
    assert words in Page(render(evaluation(answers(2)), Extras(LABELS, gate))).text


def test_an_improvement_is_not_asked_for_without_a_champion() -> None:
    assert Gate(None, 0.5).checks(evaluation(answers())) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"epochs": 3, "backbone": "lite0"}', "epochs 3, backbone lite0"),
        ("[1]", "[1]"),
        ("12", "12"),
        ("[" * 9**5,) * 2,
    ],
)
def test_hyperparameters_are_shown_without_their_json(text: str, shown: str) -> None:
    assert readable(text) == shown


def test_numbers_are_written_for_people() -> None:
    assert percent(0.6149) == "61.5\N{NO-BREAK SPACE}%"
    assert signed(-0.0314) == "\N{MINUS SIGN}0.031"
    assert signed(0.0314) == "+0.031"
