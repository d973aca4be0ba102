import json
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
        del card["trained_at"], card["sha256"], card["numpy"]  # another Python has another numpy
        folded = card.pop("folded")
        assert folded["largest_difference"] < 1e-9
    assert anew == shipped


def test_the_shipped_fold_gives_the_pickles_probabilities_for_every_wine_of_the_data_set() -> None:
    model = model_file.load(SHIPPED)
    assert model.engine is Engine.FOLDED
    probabilities = model.classify([WineSample(tuple(row)) for row in ROWS.tolist()])
    np.testing.assert_allclose(probabilities, joblib.load(SHIPPED).predict_proba(ROWS), rtol=0, atol=1e-9)


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
