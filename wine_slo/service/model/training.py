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
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import joblib
import numpy as np
import sklearn
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from wine_slo.exit_status import ExitStatus
from wine_slo.service.model.classifier import FoldedClassifier
from wine_slo.service.model.features import FEATURES, WineSample

VERSION = "1.0.0"  # of the recipe: raise it when predictions change
SEED = 20
HELD_OUT = 0.2  # of the wines, by strata
FOLDS, REPEATS = 5, 20
SCORES = {"accuracy": "accuracy", "log_loss": "neg_log_loss"}
LARGEST_DIFFERENCE = 1e-9  # between a fold's probabilities and its classifier's
TWO_CLASSES = 2  # scikit-learn keeps a single row of weights for them, so they do not fold like this

CULTIVARS = {"class_0": "Barolo", "class_1": "Grignolino", "class_2": "Barbera"}  # Forina et al. name them


def train(path: Path) -> dict[str, Any]:
    """Fit the shipped classifier to four fifths of the data set, write it, and return its card."""
    data = load_wine()
    seen, held_out, seen_labels, held_out_labels = train_test_split(
        data.data, data.target, test_size=HELD_OUT, stratify=data.target, random_state=SEED
    )
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED))
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SEED)
    crossed = cross_validate(estimator, seen, seen_labels, cv=folds, scoring=SCORES)
    estimator.fit(seen, seen_labels)
    scores: dict[str, Any] = {
        name: {
            "mean": round(float(np.abs(crossed[f"test_{name}"]).mean()), 4),
            "standard_deviation": round(float(crossed[f"test_{name}"].std()), 4),
        }
        for name in SCORES
    }
    scores["held_out_accuracy"] = round(float(estimator.score(held_out, held_out_labels)), 4)
    scores["how"] = f"stratified {FOLDS}-fold cross-validation, {REPEATS} times; {len(held_out)} wines held out"
    return save(estimator, path, seen, version=VERSION, scores=scores)


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
