from __future__ import annotations

import io

from PIL import Image

from steps.train.curve import training_curve


def test_the_curve_is_a_picture_even_of_one_epoch() -> None:
    entry = {"train_loss": 1.0, "val_loss": 1.1, "val_accuracy": 0.5, "val_macro_f1": 0.4}
    image = Image.open(io.BytesIO(training_curve([{"epoch": 1, **entry}], 1)))
    assert image.format == "PNG"
    assert image.width > 600
