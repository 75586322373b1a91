from pathlib import Path

import numpy as np
import pytest

from knowledge.answerability import FEATURES, Answerability, load_answerability
from knowledge.calibrate import FOREIGN, calibrate
from knowledge.collection import Collection
from knowledge.errors import IndexCorrupt
from knowledge.index import build_index
from knowledge.priors import PRIOR, PRIOR_ASKED, SPREADS
from knowledge.rank import rank, understand
from tests.knowledge.articles import ARTICLES, embedder


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    root = tmp_path_factory.mktemp("knowledge")
    version = build_index(ARTICLES, root, embedder()).manifest.id
    return Collection(root / "versions" / version / "public")


def probability(model: Answerability, collection: Collection, question: str) -> float:
    query = understand(embedder(), question)
    return model.probability(collection, query, rank(collection, query))


def test_a_saved_model_is_the_model_loaded(tmp_path: Path) -> None:
    PRIOR.save(tmp_path)
    assert load_answerability(tmp_path) == PRIOR


@pytest.mark.parametrize("content", ["", "[]", '{"weights": [1], "bias": 0}', '{"weights": ["x"], "bias": 0}'])
def test_a_damaged_model_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "answerability.json").write_text(content)
    with pytest.raises(IndexCorrupt, match=r"answerability\.json"):
        load_answerability(tmp_path)


@pytest.mark.parametrize("prior", [PRIOR, PRIOR_ASKED])
def test_what_the_search_found_speaks_for_an_answer_and_what_is_missing_against_it(prior: Answerability) -> None:
    weights = dict(zip(FEATURES, prior.weights, strict=True))
    assert weights.pop("words missing for a question of its own") < 0
    weights.pop("something was said before")
    assert all(weight >= 0 for weight in weights.values())


def test_calibration_hardly_moves_a_model_that_fits(collection: Collection) -> None:
    documents = [one for one in ARTICLES if not one.internal]
    fitted = calibrate(collection, documents, embedder())
    assert np.allclose(fitted.weights * SPREADS, PRIOR.weights * SPREADS, atol=0.2)
    assert probability(fitted, collection, "how do I cancel my broadband") == pytest.approx(
        probability(PRIOR, collection, "how do I cancel my broadband"), abs=0.1
    )


def test_calibration_corrects_a_model_that_takes_foreign_questions_for_answerable(
    collection: Collection,
) -> None:
    gullible = Answerability(weights=PRIOR.weights, bias=PRIOR.bias + 4)
    fitted = calibrate(collection, [one for one in ARTICLES if not one.internal], embedder(), gullible)
    rain = "will it rain in manchester tomorrow"
    assert probability(fitted, collection, rain) < probability(gullible, collection, rain) - 0.05


def test_the_foreign_questions_are_many_and_none_comes_twice() -> None:
    questions = FOREIGN.read_text(encoding="utf-8").splitlines()
    assert len(set(questions)) == len(questions) >= 50
    assert all(questions)


def test_an_empty_knowledge_base_answers_nothing(tmp_path: Path) -> None:
    version = build_index([], tmp_path, embedder()).manifest.id
    empty = Collection(tmp_path / "versions" / version / "public")
    assert probability(load_answerability(tmp_path / "versions" / version), empty, "how do I cancel") == 0.0
    empty.close()
