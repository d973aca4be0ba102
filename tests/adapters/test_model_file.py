import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from wine_slo import train
from wine_slo.adapters.model_file import ModelFileError, load
from wine_slo.domain.classifier import Engine
from wine_slo.domain.wine import Sample

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for name in ("model.pkl", "model.json"):
        shutil.copy(Path("models") / name, tmp_path)
    return tmp_path / "model.pkl"


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = load_wine()
    path = tmp_path_factory.mktemp("forest") / "forest.pkl"
    estimator = RandomForestClassifier(n_estimators=5, random_state=1).fit(data.data, data.target)
    train.save(estimator, path, data.data, version="forest", scores={})
    return path


def change(path: Path, edit: Change) -> None:
    card = json.loads(path.with_suffix(".json").read_text())
    edit(card)
    path.with_suffix(".json").write_text(json.dumps(card))


class Bomb:
    """Unpickling it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.trace,)


def test_a_model_that_cannot_be_folded_is_served_by_its_estimator(forest: Path) -> None:
    data = load_wine()
    model = load(forest)
    assert model.engine is Engine.ESTIMATOR
    samples = [Sample(tuple(row)) for row in data.data.tolist()]
    assert model.classify(samples) == joblib.load(forest).predict_proba(data.data).tolist()


def test_a_pickle_that_the_card_does_not_name_is_never_loaded(path: Path) -> None:
    trace = path.parent / "trace"
    joblib.dump(Bomb(trace), path)
    change(path, lambda card: card.update(folded=None))
    with pytest.raises(ModelFileError, match=r"sha256 .* its card says .* it was not loaded"):
        load(path)
    assert not trace.exists()


def test_a_folded_model_is_refused_too_when_its_pickle_is_another(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelFileError, match="was not loaded"):
        load(path)


def test_another_scikit_learn_than_the_cards_is_refused(forest: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(forest, tmp_path / "model.pkl"))
    shutil.copy(forest.with_suffix(".json"), tmp_path / "model.json")
    change(path, lambda card: card.update(sklearn="0.1"))
    with pytest.raises(ModelFileError, match=r"is of scikit-learn 0\.1, but .* is installed; train it anew"):
        load(path)


def test_a_folded_model_does_not_care_which_scikit_learn_is_installed(path: Path) -> None:
    change(path, lambda card: card.update(sklearn="0.1"))
    assert load(path).engine is Engine.FOLDED


@pytest.mark.parametrize("suffix", [".pkl", ".json"])
def test_a_missing_file_is_named_with_what_writes_it(path: Path, suffix: str) -> None:
    path.with_suffix(suffix).unlink()
    with pytest.raises(ModelFileError, match=rf"model\{suffix} cannot be read .*`wine-slo train` writes it"):
        load(path)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda card: card["features"].reverse(), id="features in another order"),
        pytest.param(lambda card: card.pop("sha256"), id="no hash"),
        pytest.param(lambda card: card["folded"]["weights"][0].pop(), id="a weight too few"),
        pytest.param(lambda card: card["examples"][0]["values"].pop(), id="an example of twelve values"),
    ],
)
def test_a_card_that_is_none_is_refused(path: Path, edit: Change) -> None:
    change(path, edit)
    with pytest.raises(ModelFileError, match="is no model card"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]"])
def test_junk_for_a_card_is_refused(path: Path, content: bytes) -> None:
    path.with_suffix(".json").write_bytes(content)
    with pytest.raises(ModelFileError, match="is no model card"):
        load(path)


def test_a_pickle_of_something_else_is_refused(tmp_path: Path, forest: Path) -> None:
    path = tmp_path / "model.pkl"
    joblib.dump({"no": "classifier"}, path)
    shutil.copy(forest.with_suffix(".json"), tmp_path / "model.json")
    change(path, lambda card: card.update(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    with pytest.raises(ModelFileError, match="does not load as a classifier"):
        load(path)
