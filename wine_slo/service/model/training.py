"""Trains the shipped model and writes `models/model.pkl` and its card, `models/model.json`.

The recipe: the Wine data set of scikit-learn (178 wines, 3 cultivars), a fifth of it held out by strata, a standard
scaler and a logistic regression with a fixed seed, scored by repeated stratified cross-validation. The same recipe on
the same versions gives the same predictions.

`save` does the writing for any other scikit-learn classifier of these thirteen features too; the server takes what it
wrote from WINE_SLO_MODEL.
"""

import hashlib
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import joblib
import numpy as np
import sklearn
from scipy.stats import binomtest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from wine_slo.exit_status import ExitStatus
from wine_slo.service.model.classifier import FoldedClassifier
from wine_slo.service.model.features import FEATURES, WineSample

VERSION = "1.0.0"  # of the recipe: raise it when predictions change
SEED = 20
HELD_OUT = 0.2  # of the wines, by strata
FOLDS, REPEATS = 5, 20
BINS = 10  # of a probability, for the calibration error
CONFIDENCE = 0.95  # of an interval
SCORES = {"accuracy": "accuracy", "log_loss": "neg_log_loss"}
LARGEST_DIFFERENCE = 1e-9  # between a fold's probabilities and its classifier's
TWO_CLASSES = 2  # scikit-learn keeps a single row of weights for them, so they do not fold like this

DATA = {
    "name": "Wine (UCI Machine Learning Repository, 109), as scikit-learn ships it",
    "what": "178 wines of three cultivars from one region, Piedmont in Italy, in 13 laboratory measurements",
    "source": "https://doi.org/10.24432/C5PC7J",
    "licence": "CC BY 4.0",
    "by": "S. Aeberhard and M. Forina (1992); the wines: M. Forina et al., Vitis 25 (1986), 189-201, and PARVUS",
}
USE = {
    "intended": "an example to monitor: to show a classifier as a service with objectives, and to teach with",
    "not_intended": "decisions about real wines, such as their origin, authenticity or price",
    "limits": "it knows three classes and no other, so that any other wine is called one of them; values outside the "
    "range seen in training are answered as well, and often with a high probability: see out_of_range",
}
CULTIVARS = {"class_0": "Barolo", "class_1": "Grignolino", "class_2": "Barbera"}  # Forina et al. name them


@dataclass(frozen=True, slots=True)
class Wines:
    """The data set, split by strata.

    Attributes:
        seen: The rows that are trained on: an array of wines x thirteen features, in the order and units of `FEATURES`.
        seen_labels: The class of each of them: 0, 1 or 2, as in `load_wine`.
        held_out: The rows that neither training nor cross-validation uses.
        held_out_labels: The class of each of these.
    """

    seen: Any
    seen_labels: Any
    held_out: Any
    held_out_labels: Any


def split() -> Wines:
    """Return the data set of scikit-learn with a fifth held out; the same split each time."""
    data = load_wine()
    seen, held_out, seen_labels, held_out_labels = train_test_split(
        data.data, data.target, test_size=HELD_OUT, stratify=data.target, random_state=SEED
    )
    return Wines(seen, seen_labels, held_out, held_out_labels)


def new_classifier() -> Any:
    """Return the recipe's classifier, which is not fitted: a standard scaler and a logistic regression."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED))


def cross_validate_recipe(wines: Wines) -> dict[str, Any]:
    """Return what `cross_validate` says of the recipe on the wines that are trained on.

    One value for each fold, `FOLDS` x `REPEATS` in all: `test_accuracy`, `test_log_loss` (negative), the fitted
    `estimator`, and under `indices` the rows that it was fitted to (`train`) and judged by (`test`).
    """
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SEED)
    with threadpool_limits(1):  # so few wines are no work for more; on a busy machine they only wait for one another
        crossed: dict[str, Any] = cross_validate(
            new_classifier(), wines.seen, wines.seen_labels, cv=folds, scoring=SCORES,
            return_estimator=True, return_indices=True,
        )  # fmt: skip
    return crossed


def out_of_fold(wines: Wines, crossed: dict[str, Any]) -> Any:
    """Return the probabilities that each wine got from classifiers that had not seen it.

    Returns:
        An array of `REPEATS` x wines that are trained on x classes.
    """
    probabilities = np.empty((REPEATS, len(wines.seen), len(CULTIVARS)))
    for fold_number, (estimator, judged) in enumerate(
        zip(crossed["estimator"], crossed["indices"]["test"], strict=True)
    ):
        probabilities[fold_number // FOLDS, judged] = estimator.predict_proba(wines.seen[judged])
    return probabilities


def train(path: Path) -> dict[str, Any]:
    """Fit the shipped classifier to four fifths of the data set, write it, and return its card."""
    wines = split()
    estimator = new_classifier().fit(wines.seen, wines.seen_labels)
    return save(estimator, path, wines.seen, version=VERSION, scores=score_recipe(wines, estimator))


def score_recipe(wines: Wines, estimator: Any) -> dict[str, Any]:
    """Return how good the recipe is, as ratios of 0 to 1 rounded to four digits, for the card.

    Args:
        wines: The split data set.
        estimator: The recipe's classifier, fitted to the wines that are trained on.
    """
    crossed = cross_validate_recipe(wines)
    probabilities = out_of_fold(wines, crossed)
    found: dict[str, Any] = {
        name: {
            "mean": _rounded(np.abs(crossed[f"test_{name}"]).mean()),
            "standard_deviation": _rounded(crossed[f"test_{name}"].std()),
        }
        for name in SCORES
    }
    is_right = probabilities.argmax(axis=2) == wines.seen_labels
    found["recall"] = {
        name: _rounded(is_right[:, wines.seen_labels == label].mean()) for label, name in enumerate(CULTIVARS)
    }
    found["calibration_error"] = _rounded(calibration_error(probabilities.max(axis=2), is_right))
    held_out = len(wines.held_out)
    hits = int((estimator.predict(wines.held_out) == wines.held_out_labels).sum())
    interval = binomtest(hits, held_out).proportion_ci(CONFIDENCE, method="wilson")
    found["held_out_accuracy"] = _rounded(hits / held_out)
    found["held_out_accuracy_interval"] = [_rounded(interval.low), _rounded(interval.high)]
    found["how"] = (
        f"stratified {FOLDS}-fold cross-validation, {REPEATS} times; {held_out} wines held out, "
        f"{CONFIDENCE:.0%} interval of Wilson"
    )
    return found


def calibration_error(confidences: Any, is_right: Any) -> float:
    """Return the expected calibration error: by how much confidence and accuracy differ, 0 to 1, over `BINS` bins.

    Args:
        confidences: The probability of the class that was predicted; an array of any shape.
        is_right: Whether that was the true class, of the same shape.
    """
    bins = np.minimum((confidences.ravel() * BINS).astype(int), BINS - 1)
    differences = is_right.ravel() - confidences.ravel()
    return float(np.abs(np.bincount(bins, differences, BINS)).sum() / differences.size)


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def save(estimator: Any, path: Path, seen: Any, *, version: str, scores: dict[str, Any]) -> dict[str, Any]:
    """Write a classifier to `path` and its card beside it as .json, and return the card.

    Args:
        estimator: a scikit-learn classifier with `predict_proba`, fitted to the labels of `load_wine`.
        path: where the pickle goes.
        seen: the rows that it was fitted to, thirteen features each; the card keeps their ranges.
        version: what the answers of the service will call it.
        scores: how good it is; anything JSON can hold.

    Raises:
        ValueError: it is a scaler and a regression, but their fold gives other probabilities.
    """
    data = load_wine()
    path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(estimator, path)
    classes = [str(data.target_names[label]) for label in estimator.classes_]
    card = {
        "version": version,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "sklearn": sklearn.__version__,
        "numpy": np.__version__,
        "classes": [{"name": name, "cultivar": CULTIVARS[name]} for name in classes],
        "features": [
            {"name": feature.name, "unit": feature.unit, "lowest": float(column.min()), "highest": float(column.max())}
            for feature, column in zip(FEATURES, seen.T, strict=True)
        ],
        "examples": [
            {"cultivar": CULTIVARS[name], "values": most_typical(data.data[data.target == label])}
            for name, label in zip(classes, estimator.classes_, strict=True)
        ],
        "data": DATA,
        "use": USE,
        "scores": scores,
        "folded": fold(estimator, data.data),
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    return card


def most_typical(rows: Any) -> list[float]:
    """Return the row that is nearest to the mean of its kind, each feature counted in standard deviations."""
    distances = np.linalg.norm((rows - rows.mean(axis=0)) / rows.std(axis=0), axis=1)
    return [float(value) for value in rows[distances.argmin()]]


def fold(estimator: Any, rows: Any, largest_difference: float = LARGEST_DIFFERENCE) -> dict[str, Any] | None:
    """Return a scaler and regression as one affine map, proved on `rows`; None where the classifier is another kind.

    Raises:
        ValueError: a probability differs by more than the largest difference allowed.
    """
    match estimator:
        case Pipeline(steps=[(_, StandardScaler() as scaler), (_, LogisticRegression() as regression)]) if (
            len(regression.classes_) > TWO_CLASSES
        ):
            weights = regression.coef_ / scaler.scale_
            intercepts = regression.intercept_ - weights @ scaler.mean_
        case _:
            return None
    folded = FoldedClassifier(tuple(map(tuple, weights.tolist())), tuple(intercepts.tolist()))
    samples = [WineSample(tuple(row)) for row in rows.tolist()]
    difference = float(np.abs(folded(samples) - estimator.predict_proba(rows)).max())
    if difference > largest_difference:
        raise ValueError(f"the fold's probabilities differ from the classifier's by {difference:.1e}")
    return {"weights": weights.tolist(), "intercepts": intercepts.tolist(), "largest_difference": difference}


def main(path: Path = Path("models/model.pkl")) -> None:
    """Train, write, and report how good it is; exit with 2 where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass  # training takes a while; better to know before it
        card = train(path)
    except OSError as error:
        sys.stderr.write(
            f"{path.absolute()} and its card cannot be written ({error.strerror}); "
            "wanted: a folder that this user may write to\n"
        )
        sys.exit(ExitStatus.BAD_INPUT)
    accuracy = card["scores"]["accuracy"]
    sys.stdout.write(
        f"{path}: version {card['version']}, accuracy {accuracy['mean']} ± {accuracy['standard_deviation']}, "
        f"{card['scores']['held_out_accuracy']} on the wines held out\n"
    )


if __name__ == "__main__":
    main()
