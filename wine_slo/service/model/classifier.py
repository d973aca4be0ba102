"""A classifier of wines: its card, and the arithmetic of the shipped one.

A standard scaler followed by a logistic regression is one affine map and a softmax. Folded like this it needs neither
scikit-learn nor a pickle, costs 6 µs instead of 700, and gives the same probabilities to 1e-9; training proves that on
every wine of the data set before it writes the fold into the model's card.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from math import exp, inf, isfinite
from operator import mul

from wine_slo.service.model.features import FEATURES, WineSample

HEAVIEST = 1e100  # of a weight or intercept; no product with a measurement and no sum of such overflows
LONGEST_TEXT = 100  # letters of a version or a name; they are labels of metrics and stand on the page
FEWEST_CLASSES = 2
LARGEST_MISS = 1e-6  # of the sum of probabilities; what an estimator counts in float32 is further off than in float64
Probabilities = Sequence[float]  # one for each class, in the card's order; they add up to 1
Classify = Callable[[Sequence[WineSample]], Sequence[Probabilities]]


@dataclass(frozen=True, slots=True)
class FoldedClassifier:
    """Scaler and logistic regression in one: for each class its weights, one a feature, and its intercept."""

    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]

    def check(self, classes: int) -> None:
        """Accept the numbers as those of a classifier of so many classes.

        Raises:
            ValueError: there is not one for each class and feature, or some are no usable numbers.
        """
        if [len(weights) for weights in self.weights] != [len(FEATURES)] * classes or len(self.intercepts) != classes:
            raise ValueError("the fold has not a weight for each class and feature, and an intercept for each class")
        if not all(abs(each) <= HEAVIEST for each in chain(self.intercepts, *self.weights)):
            raise ValueError("a number of the fold is too large to be one")

    def __call__(self, samples: Sequence[WineSample]) -> list[Probabilities]:
        """Return the probabilities of each class for each sample."""
        answers: list[Probabilities] = []
        for sample in samples:
            scores = [
                sum(map(mul, weights, sample.values), intercept)
                for weights, intercept in zip(self.weights, self.intercepts, strict=True)
            ]
            top = max(scores)  # subtracted, so that exp cannot overflow
            powers = [exp(score - top) for score in scores]
            total = sum(powers)
            answers.append([power / total for power in powers])
        return answers


@dataclass(frozen=True, slots=True)
class SeenFeature:
    """A feature, and the lowest and highest value of it in training."""

    name: str
    unit: str
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class WineClass:
    """A label, and the grape that it stands for."""

    name: str
    cultivar: str


@dataclass(frozen=True, slots=True)
class Example:
    """A typical wine of a class."""

    cultivar: str
    values: tuple[float, ...]


def is_plain(text: str) -> bool:
    """Return whether a text is short and can be shown as it is."""
    return 0 < len(text) <= LONGEST_TEXT and text.isprintable()


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known about a model without loading it."""

    version: str
    trained_at: datetime
    sha256: str  # of the model's file
    sklearn: str  # the scikit-learn that wrote the file
    classes: tuple[WineClass, ...]
    features: tuple[SeenFeature, ...]
    examples: tuple[Example, ...]
    folded: FoldedClassifier | None  # None where the model's kind cannot be folded

    def __post_init__(self) -> None:
        """Reject a card of something else.

        Raises:
            ValueError: it is not about these features, or its parts do not fit together.
        """
        if [(each.name, each.unit) for each in self.features] != [(each.name, each.unit) for each in FEATURES]:
            raise ValueError(f"its features are not the {len(FEATURES)} measurements of a wine in their units")
        if not all(isfinite(each.lowest) and each.lowest <= each.highest < inf for each in self.features):
            raise ValueError("the range of a feature is none")
        labels = [each.name for each in self.classes]
        if not FEWEST_CLASSES <= len(labels) == len(set(labels)):
            raise ValueError("it has not two classes or more, each of another name")
        grapes = [each.cultivar for each in self.classes] + [each.cultivar for each in self.examples]
        if not all(is_plain(text) for text in (self.version, self.sklearn, *labels, *grapes)):
            raise ValueError(f"a version or a name is not 1 to {LONGEST_TEXT} letters that can be printed")
        for example in self.examples:
            if len(example.values) != len(FEATURES):
                raise ValueError("an example has not a value for each feature")
            WineSample(example.values)
        if self.folded:
            self.folded.check(len(labels))

    def out_of_range(self, sample: WineSample) -> list[str]:
        """Return the names of the features whose value was not seen in training."""
        return [
            feature.name
            for feature, value in zip(self.features, sample.values, strict=True)
            if not feature.lowest <= value <= feature.highest
        ]


class Engine(StrEnum):
    """What computes the probabilities."""

    FOLDED = "folded"  # the arithmetic in the card
    ESTIMATOR = "estimator"  # the pickled scikit-learn estimator itself


@dataclass(frozen=True, slots=True)
class Model:
    """A classifier that is ready to use."""

    card: ModelCard
    engine: Engine
    classify: Classify

    def prove(self) -> None:
        """Classify the card's examples.

        Raises:
            ValueError: what comes out are no probabilities of the card's classes, or they are in another order.
        """
        samples = [WineSample(example.values) for example in self.card.examples]
        answers = self.classify(samples)
        if len(answers) != len(samples) or any(len(each) != len(self.card.classes) for each in answers):
            raise ValueError("it does not give a probability for each class and wine")
        if not all(map(are_probabilities, answers)):
            raise ValueError("what it gives are no probabilities")
        for example, probabilities in zip(self.card.examples, answers, strict=True):
            found = self.card.classes[list(probabilities).index(max(probabilities))].cultivar
            if found != example.cultivar:
                raise ValueError(f"it calls a typical {example.cultivar} {found}")


def are_probabilities(numbers: Probabilities) -> bool:
    """Return whether the numbers add up to 1, none of them negative; NaN makes them none."""
    return abs(sum(numbers) - 1) < LARGEST_MISS and min(numbers) >= 0
