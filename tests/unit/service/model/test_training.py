import json
import re
from contextlib import chdir
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wine_slo.service.model import model_file, training
from wine_slo.service.model.classifier import Engine
from wine_slo.service.model.features import WineSample

SHIPPED = Path("models/model.pkl")
ROWS = load_wine().data


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained anew."""
    path = tmp_path_factory.mktemp("trained") / "model.pkl"
    training.main(path)
    return path


def test_training_anew_gives_the_committed_models_predictions(trained: Path) -> None:
    anew, shipped = joblib.load(trained), joblib.load(SHIPPED)
    np.testing.assert_allclose(anew.predict_proba(ROWS), shipped.predict_proba(ROWS), atol=1e-9)


def test_training_anew_gives_the_committed_card_but_for_its_date_and_its_files_hash(trained: Path) -> None:
    anew, shipped = (json.loads(path.with_suffix(".json").read_text()) for path in (trained, SHIPPED))
    for card in (anew, shipped):
        del card["trained_at"], card["sha256"]
        folded = card.pop("folded")
        assert folded["largest_difference"] < 1e-9
    assert anew == shipped


def test_the_shipped_fold_gives_the_pickles_probabilities_for_every_wine_of_the_data_set() -> None:
    model = model_file.load(SHIPPED)
    assert model.engine is Engine.FOLDED
    probabilities = model.classify([WineSample(tuple(row)) for row in ROWS.tolist()])
    np.testing.assert_allclose(probabilities, joblib.load(SHIPPED).predict_proba(ROWS), rtol=0, atol=1e-9)


def test_a_wine_is_scored_only_by_classifiers_that_were_not_fitted_to_it() -> None:
    wines = training.split()
    crossed = training.cross_validate_recipe(wines)
    folds = list(zip(crossed["indices"]["train"], crossed["indices"]["test"], strict=True))
    assert all(not set(fitted) & set(judged) for fitted, judged in folds)
    judged = np.concatenate([judged for _, judged in folds]).reshape(training.REPEATS, len(wines.seen))
    assert all(sorted(each) == [*range(len(wines.seen))] for each in judged.tolist())
    probabilities = training.out_of_fold(wines, crossed)
    anew = crossed["estimator"][7].predict_proba(wines.seen[folds[7][1]])  # a fold of the second repetition
    np.testing.assert_array_equal(probabilities[1, folds[7][1]], anew)


def test_the_wines_that_are_held_out_take_no_part_in_training_or_cross_validation() -> None:
    wines = training.split()
    assert (len(wines.seen), len(wines.held_out)) == (142, 36)
    assert not {*map(tuple, wines.seen)} & {*map(tuple, wines.held_out)}


@pytest.mark.parametrize(
    ("confidences", "is_right", "error"),
    [
        pytest.param([0.75] * 4, [True, True, True, False], 0.0, id="right as often as it is sure"),
        pytest.param([1.0] * 4, [True, False, True, False], 0.5, id="always sure and right half of the time"),
        pytest.param([0.5, 1.0], [True, False], 0.75, id="errors of two bins do not make up for one another"),
    ],
)
def test_the_calibration_error_is_how_much_confidence_and_accuracy_differ(
    confidences: list[float], is_right: list[bool], error: float
) -> None:
    assert training.calibration_error(np.array(confidences), np.array(is_right)) == pytest.approx(error)


def test_the_card_names_its_data_its_use_and_how_sure_its_scores_are() -> None:
    card = json.loads(SHIPPED.with_suffix(".json").read_text())
    assert card["data"]["licence"] == "CC BY 4.0"
    assert {"intended", "not_intended", "limits"} <= card["use"].keys()
    scores = card["scores"]
    low, high = scores["held_out_accuracy_interval"]
    assert 0.8 < low < scores["held_out_accuracy"] < high < 1
    assert min(scores["recall"].values()) > 0.9
    assert scores["calibration_error"] < 0.05


def test_the_page_about_the_api_says_how_another_classifier_is_written(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", Path("docs/reference/api.md").read_text(), re.DOTALL)
    with chdir(tmp_path):
        exec(example, {})
        assert model_file.load(Path("models/forest.pkl")).engine is Engine.ESTIMATOR


def test_a_fold_that_is_wrong_is_refused() -> None:
    data = load_wine()
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(data.data, data.target)
    with pytest.raises(ValueError, match="differ from the classifier's"):
        training.fold(estimator, data.data, largest_difference=0.0)


def test_two_classes_do_not_fold_like_three() -> None:
    data = load_wine()
    two = data.target < 2
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(data.data[two], data.target[two])
    assert training.fold(estimator, data.data) is None


def test_where_it_cannot_be_written_a_sentence_says_so_before_the_training_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file" / "model.pkl"
    path.parent.write_text("no folder")
    with pytest.raises(SystemExit) as ended:
        training.main(path)
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"{path} and its card cannot be written (File exists); wanted: a folder that this user may write to\n"
    )
