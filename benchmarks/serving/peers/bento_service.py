"""BentoML, its adaptive batching on. It batches lists, so the body is {"wines": [[13 numbers]]}."""

from typing import Any

import bentoml
from model import predict


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Wines:
    """The shipped model."""

    @bentoml.api(batchable=True, route="/predict", max_batch_size=64, max_latency_ms=1000)
    def classify(self, wines: list[list[float]]) -> list[dict[str, Any]]:
        """Classify a batch."""
        return predict(wines)
