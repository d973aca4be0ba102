"""The model on disk: a pickle, and beside it the card that says what it is, as JSON of the same name.

A pickle is code: it is read once, and loaded from the very bytes whose sha256 the card says. A model that the card
holds in folded form is not loaded at all. Whoever may write the folder can change both files, and so run code as the
server.
"""

import hashlib
import os
import stat
from codecs import BOM_UTF8
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from wine_slo.service.model.classifier import Classify, Engine, Model, ModelCard

LARGEST_PICKLE, LARGEST_CARD = 2**29, 2**20  # bytes; ours have 1 and 6 kB, and the container has 512 MB


class ModelFileError(Exception):
    """The model cannot be used; the text says why, in one sentence."""


def load(path: Path) -> Model:
    """Return the model at `path`, a .pkl with its .json beside it.

    Raises:
        ModelFileError: one of the two is missing or damaged, they do not belong together, the pickle was written by
            another scikit-learn, or it is no classifier of the card's classes.
    """
    card = read_card(path.with_suffix(".json"))
    content = read_file(path, LARGEST_PICKLE)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != card.sha256.lower():  # some programs write capitals
        raise ModelFileError(f"{path} has sha256 {sha256[:12]}…, its card says {card.sha256[:12]}…; it was not loaded")
    if card.folded:
        return proved(Model(card, Engine.FOLDED, card.folded), path)
    try:
        installed = version("scikit-learn")
    except PackageNotFoundError as error:
        raise ModelFileError(f"{path} needs scikit-learn {card.sklearn}: pip install 'wine-slo[server]'") from error
    if card.sklearn != installed:
        raise ModelFileError(f"{path} is of scikit-learn {card.sklearn}, but {installed} is installed; train it anew")
    return proved(Model(card, Engine.ESTIMATOR, unpickle(content, path, card)), path)


def read_file(path: Path, largest: int) -> bytes:
    """Return what is in a file of so many bytes at the most.

    Raises:
        ModelFileError: it cannot be read, is larger, or is none: a pipe would have us wait for ever.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(file, "rb") as opened:  # noqa: PTH123 - a path cannot be opened like this
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise ModelFileError(f"{path} is no regular file; `wine-slo train` writes one")
            if found.st_size > largest:
                raise ModelFileError(f"{path} is larger than {largest // 2**20} MiB")
            return opened.read()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror}); `wine-slo train` writes it") from error


def read_card(path: Path) -> ModelCard:
    """Return the card at `path`.

    Raises:
        ModelFileError: it is missing or no card.
    """
    try:
        return msgspec.json.decode(read_file(path, LARGEST_CARD).removeprefix(BOM_UTF8), type=ModelCard)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelFileError(f"{path} is no model card: {error}") from error


def proved(model: Model, path: Path) -> Model:
    """Return the model once it has classified the examples of its card.

    Raises:
        ModelFileError: it gives no probabilities of the card's classes.
    """
    try:
        model.prove()
    except Exception as error:  # an estimator is someone else's code and may raise anything
        raise ModelFileError(f"{path} does not classify the examples of its card: {error}") from error
    return model


def unpickle(content: bytes, path: Path, card: ModelCard) -> Classify:
    """Return the estimator's `predict_proba`; the caller has checked the content.

    Args:
        content: what was read from the file.
        path: where it was, for the reasons.
        card: the model's.

    Raises:
        ModelFileError: it does not load, or is no classifier of the card's classes.
    """
    import joblib  # noqa: PLC0415  # brings numpy and scikit-learn with it: 90 MB that a folded model does without

    try:
        estimator: Any = joblib.load(BytesIO(content))
        classes = len(estimator.classes_)
        predict = estimator.predict_proba
    except Exception as error:  # a pickle is code and may raise anything
        raise ModelFileError(f"{path} does not load as a classifier: {error}") from error
    if classes != len(card.classes):
        raise ModelFileError(f"{path} knows {classes} classes, its card {len(card.classes)}")
    return lambda samples: predict([sample.values for sample in samples]).tolist()
