"""The model on disk: a pickle, and beside it the card that says what it is, as JSON of the same name.

A pickle is code: it is only ever loaded after its sha256 was found in the card. A model that the card holds in folded
form is not loaded at all.
"""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from wine_slo.domain.classifier import Card, Classify, Engine, Model


class ModelFileError(Exception):
    """The model cannot be used; the text says why, in one sentence."""


def load(path: Path) -> Model:
    """Return the model at `path`, a .pkl with its .json beside it.

    Raises:
        ModelFileError: one of the two is missing or damaged, they do not belong together, or the pickle was written by
            another scikit-learn.
    """
    card = read_card(path.with_suffix(".json"))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror}); `wine-slo train` writes it") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != card.sha256:
        raise ModelFileError(f"{path} has sha256 {sha256[:12]}…, its card says {card.sha256[:12]}…; it was not loaded")
    if card.folded:
        return Model(card, Engine.FOLDED, card.folded)
    if card.sklearn != (installed := version("scikit-learn")):
        raise ModelFileError(f"{path} is of scikit-learn {card.sklearn}, but {installed} is installed; train it anew")
    return Model(card, Engine.ESTIMATOR, unpickle(path, card))


def read_card(path: Path) -> Card:
    """Return the card at `path`.

    Raises:
        ModelFileError: it is missing or no card.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror}); `wine-slo train` writes it") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path} is no model card: {error}") from error


def unpickle(path: Path, card: Card) -> Classify:
    """Return the estimator's `predict_proba`; the caller has checked the file.

    Raises:
        ModelFileError: it does not load, or is no classifier of the card's classes.
    """
    import joblib  # noqa: PLC0415  # brings numpy and scikit-learn with it: 90 MB that a folded model does without

    try:
        estimator: Any = joblib.load(path)
        classes = len(estimator.classes_)
        predict = estimator.predict_proba
    except Exception as error:  # a pickle is code and may raise anything
        raise ModelFileError(f"{path} does not load as a classifier: {error}") from error
    if classes != len(card.classes):
        raise ModelFileError(f"{path} knows {classes} classes, its card {len(card.classes)}")
    return lambda samples: predict([sample.values for sample in samples]).tolist()
