from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from steps.evaluate.inference import Answers
from steps.evaluate.mistakes import SIDE, thumbnail, worst_mistakes


def answers(
    true: list[int], predicted: list[int], confidence: list[float], champion: list[int] | None = None
) -> Answers:
    photos = len(true)

    def rows(classes: list[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        probabilities = np.tile(((1 - np.array(confidence)) / 4)[:, None], 5)
        probabilities[np.arange(photos), classes] = confidence
        return probabilities

    models = (predicted,) if champion is None else (predicted, champion)
    return Answers(
        labels=("1", "2", "3", "4", "5"),
        ids=[f"p{index}" for index in range(photos)],
        positions=[10 * index for index in range(photos)],
        true=np.array(true),
        groups=np.arange(photos),
        probabilities=tuple(rows(classes) for classes in models),
    )


def test_the_largest_error_comes_first_and_then_the_surest() -> None:
    case = answers([0, 0, 4, 2, 1], [1, 4, 0, 2, 2], [0.99, 0.5, 0.7, 1.0, 0.6])
    assert [mistake.id for mistake in worst_mistakes(case, 10)] == ["p2", "p1", "p0", "p4"]
    worst = worst_mistakes(case, 1)[0]
    assert (worst.true, worst.predicted, worst.error, worst.position) == ("5", "1", -4, 20)


def test_right_answers_are_no_mistakes() -> None:
    assert worst_mistakes(answers([0, 1], [0, 1], [0.9, 0.9]), 5) == []


def test_the_champions_answer_stands_beside() -> None:
    case = answers([0], [3], [0.9], champion=[0])
    assert worst_mistakes(case, 5)[0].champion == "1"


def test_a_thumbnail_is_small_and_keeps_the_whole_frame(make_photo: Callable[..., bytes]) -> None:
    file = io.BytesIO()
    Image.new("RGB", (1000, 500), "red").save(file, "JPEG")
    uri = thumbnail(file.getvalue())
    assert uri is not None
    image = Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))
    assert image.size == (SIDE, SIDE // 2)


def test_a_photo_that_does_not_decode_has_no_thumbnail() -> None:
    assert thumbnail(b"no photo") is None
