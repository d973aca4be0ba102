"""MLServer, its adaptive batching on. Its protocol is V2, so the body is a tensor of 1 x 13."""

import sys
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

sys.path.insert(0, str(Path(__file__).parents[1]))
from model import ESTIMATOR


class Wines(MLModel):
    """The shipped model."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Classify a batch."""
        shares = ESTIMATOR.predict_proba(NumpyCodec.decode_input(payload.inputs[0]))
        return InferenceResponse(model_name="wine", outputs=[NumpyCodec.encode_output("probabilities", shares)])
