"""What a message is about says how surely the article found first answers it, where the intents suit the articles."""

from collections import Counter
from dataclasses import replace

import pytest

from bot.bearing import Bearing, BearingModel, agreement, load_bearing, sections
from bot.domain import Reading
from bot.errors import SettingsInvalid
from bot.intents import Route
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId

ABOUT = {
    "bill": {"billing": 0.9, "faults": 0.1},
    "hub": {"billing": 0.1, "faults": 0.9},
    "vague": {"billing": 0.3, "faults": 0.3},
}
MODEL = BearingModel(origin="test", bias=0.0, weights=(1.0, 1.0, 0.0, 0.0, 0.0))


def passage(document, score):
    return Passage(
        id=PassageId(f"{document}#0"),
        document=DocumentId(document),
        title=document,
        heading="How",
        text="So.",
        position=0,
        score=score,
    )


class Articles:
    """A help centre of these articles."""

    def __init__(self, *documents):
        self.documents = documents

    async def search(self, question, history=(), limit=8):
        raise NotImplementedError

    async def article(self, document):
        return Article(document=Document(id=document, title=document, text="So."), passages=(passage(document, 0.0),))

    async def contents(self):
        return Contents(some=tuple(map(DocumentId, self.documents)))


class Intents:
    """Knows what the articles are about by their titles."""

    def __init__(self):
        self.read = Counter()

    def subject(self, texts):
        self.read[texts[0]] += 1
        return ABOUT[texts[0].split(".")[0]]


def reading(**topics):
    return Reading(intent=max(topics, key=topics.get), confidence=0.9, in_scope=True, route=Route.ANSWER, topics=topics)


FOUND = Found(passages=(passage("bill", 0.5), passage("hub", 0.4)), answerability=0.6, version="v1")


async def test_an_article_about_the_messages_subject_is_surer_and_one_about_another_is_less_sure():
    bearing = Bearing(Intents(), Articles("bill", "hub"), MODEL)
    same, other = await bearing.weigh(FOUND, reading(billing=0.9)), await bearing.weigh(FOUND, reading(faults=0.9))
    assert other.answerability < FOUND.answerability < same.answerability
    assert same.passages == other.passages == FOUND.passages


async def test_intents_that_do_not_suit_the_articles_change_nothing():
    bearing = Bearing(Intents(), Articles("vague"), MODEL)
    assert await bearing.weigh(FOUND, reading(billing=0.9)) == FOUND


async def test_where_nothing_is_known_of_subjects_nothing_changes():
    nothing = replace(FOUND, passages=())
    assert await Bearing(Intents(), Articles("bill", "hub"), MODEL).weigh(nothing, reading(billing=0.9)) == nothing
    assert await Bearing(Intents(), Articles(), MODEL).weigh(FOUND, reading(billing=0.9)) == FOUND


async def test_an_article_is_read_once_for_each_version():
    intents = Intents()
    bearing = Bearing(intents, Articles("bill", "hub"), MODEL)
    for version in ("v1", "v1", "v2"):
        await bearing.weigh(replace(FOUND, version=version), reading(billing=0.9))
    assert intents.read == {"bill. How": 2, "hub. How": 2}


def test_agreement_is_a_log_ratio_to_any_article():
    average = {"billing": 0.5, "faults": 0.5}
    assert agreement({"billing": 1.0}, average, average) == pytest.approx(0, abs=0.05)
    assert agreement({"billing": 1.0}, ABOUT["bill"], average) > 0 > agreement({"billing": 1.0}, ABOUT["hub"], average)
    assert agreement({}, ABOUT["bill"], average) == 0


def test_an_article_is_read_by_its_title_and_headings():
    article = Article(
        document=Document(id=DocumentId("a"), title="Bills", text=""),
        passages=tuple(replace(passage("a", 0.0), heading=heading) for heading in ("", "Paper", "Paper", "By app")),
    )
    assert sections(article) == ["Bills. Paper", "Bills. By app"]
    assert sections(replace(article, passages=())) == ["Bills"]


@pytest.mark.parametrize("damage", ["", "{", '{"origin": "x", "bias": 0, "weights": [1, 2]}'])
def test_a_damaged_model_names_its_file_and_how_to_make_it_anew(tmp_path, damage):
    file = tmp_path / "bearing.json"
    file.write_text(damage, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"bearing\.json.*tune bearing"):
        load_bearing(file)


def test_the_products_model_loads_and_weighs_every_feature():
    assert len(load_bearing().weights) == 5
