"""What every step shares: the job contract, the dataset format, pre-processing, metrics."""

import os

# ONNX Runtime writes to the home and to its makers while it is imported. A job tells nobody that it runs.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
