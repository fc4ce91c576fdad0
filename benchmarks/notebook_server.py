"""The endpoint's peer: the notebook's handler behind one uvicorn process; `uvicorn benchmarks.notebook_server:app`.

The notebook is the usual tutorial for this data set: a ResNet-50 of torchvision with a head of five classes, and
inference code that opens the photo with PIL, resizes it to 256, crops 224 from its centre, normalises, and runs the
model eagerly in fp32. It handles one request at a time, with torch's threads on all cores, as SageMaker's handlers do.
"""

from __future__ import annotations

import io
import json
from typing import Any

import torch
from PIL import Image
from torchvision.models import resnet50
from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

LABELS = ("1", "2", "3", "4", "5")

model = resnet50(weights=None, num_classes=len(LABELS)).eval()
transform = Compose([Resize(256), CenterCrop(224), ToTensor(), Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def predict(photo: bytes) -> dict[str, Any]:
    """Answer one photo."""
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    with torch.no_grad():
        probabilities = torch.softmax(model(transform(image).unsqueeze(0)), dim=1)[0]
    index = int(probabilities.argmax())
    return {"predicted_label": LABELS[index], "probabilities": probabilities.tolist()}


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has them
    """Answer one request, whatever its path."""
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = json.dumps(predict(body) if body else {}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
