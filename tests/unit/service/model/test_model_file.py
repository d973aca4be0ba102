import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from wine_slo.service.model import training
from wine_slo.service.model.classifier import Engine
from wine_slo.service.model.features import WineSample
from wine_slo.service.model.model_file import ModelFileError, load

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
    training.save(estimator, path, data.data, version="forest", scores={})
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
    samples = [WineSample(tuple(row)) for row in data.data.tolist()]
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
        pytest.param(lambda card: card["examples"][0]["values"].__setitem__(0, 1e300), id="an example of no wine"),
        pytest.param(lambda card: card["folded"]["intercepts"].pop(), id="an intercept too few"),
        pytest.param(lambda card: card["folded"]["intercepts"].append(1.0), id="an intercept too many"),
        pytest.param(lambda card: card["folded"]["weights"][0].__setitem__(0, 1e308), id="a weight of 1e308"),
        pytest.param(lambda card: card["folded"]["intercepts"].__setitem__(0, -1e308), id="an intercept of -1e308"),
        pytest.param(lambda card: card.update(classes=[], folded={"weights": [], "intercepts": []}), id="no classes"),
        pytest.param(
            lambda card: card.update(
                classes=card["classes"][:1],
                folded={"weights": card["folded"]["weights"][:1], "intercepts": card["folded"]["intercepts"][:1]},
            ),
            id="one class",
        ),
        pytest.param(lambda card: card["classes"][1].update(name=card["classes"][0]["name"]), id="a class twice"),
        pytest.param(lambda card: card["classes"][0].update(name=""), id="a class without a name"),
        pytest.param(lambda card: card["classes"][0].update(name="a\nb"), id="a class of two lines"),
        pytest.param(lambda card: card["classes"][0].update(cultivar="x" * 101), id="a very long grape"),
        pytest.param(lambda card: card.update(version="\x1b[31m"), id="a version that paints the terminal"),
        pytest.param(lambda card: card.update(version=""), id="no version"),
        pytest.param(lambda card: card["features"][0].update(unit="furlong"), id="an unknown unit"),
        pytest.param(lambda card: card["features"][0].update(unit="g/L"), id="a unit that is another feature's"),
        pytest.param(lambda card: card["features"][0].update(lowest=99, highest=1), id="a range upside down"),
        pytest.param(lambda card: card["features"][0].update(name="alcohol\ud800"), id="a lone surrogate"),
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


@pytest.mark.parametrize("content", ["[" * 100_000, '{"version": 1e999}'])
def test_json_that_nobody_means_for_a_card_is_refused(path: Path, content: str) -> None:
    path.with_suffix(".json").write_text(content)
    with pytest.raises(ModelFileError, match="is no model card"):
        load(path)


@pytest.mark.parametrize("suffix", [".pkl", ".json"])
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["a pipe", "a folder"])
def test_what_is_no_file_is_refused_at_once(path: Path, suffix: str, make: Callable[[Path], None]) -> None:
    path.with_suffix(suffix).unlink()
    make(path.with_suffix(suffix))
    with pytest.raises(ModelFileError, match=r"is no regular file|cannot be read"):
        load(path)


def swap_classes(card: dict[str, Any]) -> None:
    card["classes"][:2] = reversed(card["classes"][:2])


@pytest.mark.parametrize("kind", ["folded", "forest"])
def test_a_card_that_names_the_classes_in_another_order_is_refused(path: Path, forest: Path, kind: str) -> None:
    if kind == "forest":
        path = Path(shutil.copy(forest, path))
        shutil.copy(forest.with_suffix(".json"), path.with_suffix(".json"))
    change(path, swap_classes)
    with pytest.raises(ModelFileError, match="it calls a typical Barolo Grignolino"):
        load(path)


@pytest.mark.parametrize(("suffix", "size"), [(".pkl", 2**29 + 1), (".json", 2**20 + 1)])
def test_a_file_that_is_too_large_is_refused_before_it_is_read(path: Path, suffix: str, size: int) -> None:
    os.truncate(path.with_suffix(suffix), size)
    with pytest.raises(ModelFileError, match=rf"model\{suffix} is larger than \d+ MiB"):
        load(path)


def test_a_card_that_an_editor_has_saved_with_a_byte_order_mark_is_read(path: Path) -> None:
    change(path, lambda card: card.update(sha256=card["sha256"].upper()))  # as some programs write it
    card = path.with_suffix(".json")
    card.write_bytes(b"\xef\xbb\xbf" + card.read_bytes())
    assert load(path).engine is Engine.FOLDED


def test_a_pickle_that_is_swapped_after_it_was_checked_is_not_loaded(
    forest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(forest, tmp_path / "model.pkl"))
    shutil.copy(forest.with_suffix(".json"), tmp_path / "model.json")
    trace = tmp_path / "trace"
    loads = joblib.load

    def swap_and_load(file: object) -> object:
        path.unlink()
        joblib.dump(Bomb(trace), path)
        return loads(file)

    monkeypatch.setattr(joblib, "load", swap_and_load)  # the moment that cannot be hit from outside every time
    assert load(path).engine is Engine.ESTIMATOR
    assert not trace.exists()


class Confused:
    """A classifier of three classes that answers with something else."""

    def __init__(self, answer: Any) -> None:
        self.classes_ = [0, 1, 2]
        self.answer = answer

    def predict_proba(self, rows: Any) -> Any:
        return np.array([self.answer] * len(rows))


@pytest.mark.parametrize("answer", [[0.5, 0.5], [0.5, 0.5, 0.5], [float("nan")] * 3, [2.0, -1.0, 0.0], "junk"], ids=str)
def test_an_estimator_that_gives_no_probabilities_is_refused_when_it_is_loaded(
    forest: Path, tmp_path: Path, answer: Any
) -> None:
    path = tmp_path / "model.pkl"
    joblib.dump(Confused(answer), path)
    shutil.copy(forest.with_suffix(".json"), tmp_path / "model.json")
    change(path, lambda card: card.update(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    with pytest.raises(ModelFileError, match="does not classify the examples of its card"):
        load(path)


def test_a_pickle_of_something_else_is_refused(tmp_path: Path, forest: Path) -> None:
    path = tmp_path / "model.pkl"
    joblib.dump({"no": "classifier"}, path)
    shutil.copy(forest.with_suffix(".json"), tmp_path / "model.json")
    change(path, lambda card: card.update(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    with pytest.raises(ModelFileError, match="does not load as a classifier"):
        load(path)
