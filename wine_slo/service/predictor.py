"""Predictions: call the model, count, and describe the result.

Calls that wait in the same turn of the event loop go to the estimator together: one call of scikit-learn costs nearly
the same for 64 wines as for one. The folded model has nothing to gain from that and answers at once.
"""

import asyncio
from collections.abc import Sequence
from operator import le
from time import perf_counter
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wine_slo.service.metrics.after_answers import AfterAnswers
from wine_slo.service.metrics.instruments import ServerInstruments
from wine_slo.service.model.classifier import Engine, Model, Probabilities, are_probabilities
from wine_slo.service.model.features import NAMES, WineSample

Probability = Annotated[float, Meta(ge=0, le=1)]


class Prediction(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The model's answer about one wine."""

    status: Literal["ok"]
    prediction: Annotated[int, Meta(ge=0, description="The class's number.")]  # the class's place in the card
    label: Annotated[str, Meta(examples=["class_0"])]
    cultivar: Annotated[str, Meta(examples=["Barolo"])]
    probabilities: Annotated[dict[str, Probability], Meta(description="Of each label; they add up to 1.")]
    out_of_range: Annotated[
        list[Annotated[str, Meta(extra_json_schema={"enum": NAMES})]],
        Meta(description="Measurements beyond the range seen in training."),
    ]
    version: Annotated[str, Meta(description="The model's.")]


class Predictor:
    """Calls one model, and has what it does counted."""

    def __init__(self, model: Model, instruments: ServerInstruments, after: AfterAnswers) -> None:
        self._model = model
        self._instruments = instruments
        self._after = after
        self._is_folded = model.engine is Engine.FOLDED
        card = model.card
        self._version = card.version
        self._labels = [each.name for each in card.classes]
        self._cultivars = [each.cultivar for each in card.classes]
        self._lowest = [feature.lowest for feature in card.features]
        self._highest = [feature.highest for feature in card.features]
        self._waiting: list[tuple[Sequence[WineSample], asyncio.Future[Sequence[Probabilities]]]] = []

    async def predict(self, samples: Sequence[WineSample]) -> list[Prediction]:
        """Return an answer for each sample, in order."""
        probabilities = self._classify(samples) if self._is_folded else await self._classify_together(samples)
        return [self._answer(*pair) for pair in zip(samples, probabilities, strict=True)]

    def _classify(self, samples: Sequence[WineSample]) -> Sequence[Probabilities]:
        started = perf_counter()
        probabilities = self._model.classify(samples)
        self._after.do(self._instruments.count_inference, len(samples), perf_counter() - started)
        if not all(map(are_probabilities, probabilities)):
            raise ValueError("the model gave what are no probabilities")
        return probabilities

    async def _classify_together(self, samples: Sequence[WineSample]) -> Sequence[Probabilities]:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Sequence[Probabilities]] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._classify_waiting)
        self._waiting.append((samples, answered))
        return await answered

    def _classify_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            probabilities = self._classify([sample for samples, _ in waiting for sample in samples])
        except Exception as error:  # noqa: BLE001  # the estimator is someone else's code; each waiting request gets it
            for _, answered in waiting:
                if not answered.done():
                    answered.set_exception(error)
            return
        first = 0
        for samples, answered in waiting:
            if not answered.done():  # who waited may have been cancelled
                answered.set_result(probabilities[first : first + len(samples)])
            first += len(samples)

    def _answer(self, sample: WineSample, probabilities: Probabilities) -> Prediction:
        confidence = max(probabilities)
        prediction = probabilities.index(confidence)
        label = self._labels[prediction]
        out_of_range = [] if self._is_in_range(sample) else self._model.card.out_of_range(sample)
        self._after.do(self._instruments.count_prediction, label, confidence, out_of_range)
        return Prediction(
            "ok",
            prediction,
            label,
            self._cultivars[prediction],
            dict(zip(self._labels, probabilities, strict=True)),
            out_of_range,
            self._version,
        )

    def _is_in_range(self, sample: WineSample) -> bool:
        """Return whether all is within the range seen in training; nearly always so, and quickly found."""
        values = sample.values
        return all(map(le, self._lowest, values)) and all(map(le, values, self._highest))
