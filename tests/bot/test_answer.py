"""The answer step on its own: what is quoted, beside what, and what is asked back."""

from collections.abc import Sequence

from bot.answer import Answerer, join_found, leading, rank_articles
from bot.domain import Outcome
from bot.question import Question
from bot.settings import Settings
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId

TEXTS = {
    "move-home": ("Move your broadband to a new home", ["Tell us 14 days before you move.", "You can keep your number."]),
    "cancel": ("Cancel broadband", ["You cancel with 30 days' notice.", "A charge may apply."]),
}


def article(name: str) -> Article:
    title, texts = TEXTS[name]
    passages = tuple(
        Passage(
            id=PassageId(f"{name}#{place}"),
            document=DocumentId(name),
            title=title,
            heading=f"Part {place}",
            text=text,
            position=place,
        )
        for place, text in enumerate(texts)
    )
    return Article(document=Document(id=DocumentId(name), title=title, text=""), passages=passages)


def found(scores: dict[str, float], answerability: float = 0.9) -> Found:
    known = {passage.id: passage for name in TEXTS for passage in article(name).passages}
    scored = sorted(scores.items(), key=lambda pair: -pair[1])
    passages = tuple(
        Passage(**{name: getattr(known[PassageId(one)], name) for name in Passage.__slots__ if name != "score"}, score=score)
        for one, score in scored
    )
    return Found(passages=passages, answerability=answerability, version="v")


class Canned:
    """Finds for each text what it is told to, and nothing for others."""

    def __init__(self, answers: dict[str, Found]) -> None:
        self.answers = answers

    async def search(self, question: str, history: Sequence[str] = (), limit: int = 8) -> Found:
        return self.answers.get(question, found({}, 0.0))

    async def article(self, document: DocumentId) -> Article | None:
        return article(document)

    async def contents(self) -> Contents:
        return Contents()


async def answer(text: str, what: Found, parts: dict[str, Found] | None = None, **known):
    answerer = Answerer(Canned(parts or {}), Settings(database_url=None))
    return await answerer.answer(Question(text=text, **known), what)


def cited(reply) -> list[str]:
    return [passage.id for passage in reply.passages]


async def test_an_article_that_leads_is_quoted_alone():
    reply = await answer("how do I move my line", found({"move-home#0": 0.9, "cancel#0": 0.5}))
    assert reply.outcome is Outcome.ANSWERED
    assert {one.partition("#")[0] for one in cited(reply)} == {"move-home"}


async def test_two_articles_of_about_the_same_worth_are_quoted_beside_each_other():
    reply = await answer("can the line go with me", found({"move-home#1": 0.9, "cancel#0": 0.88}))
    assert {"move-home#1", "cancel#0"} <= set(cited(reply))


async def test_below_the_threshold_the_bot_asks_back():
    reply = await answer("can the line go with me", found({"move-home#1": 0.9, "cancel#0": 0.88}, answerability=0.7))
    assert reply.outcome is Outcome.ASKED_BACK


async def test_what_was_shown_gives_way_to_another_passage_of_about_the_same_worth():
    what = found({"move-home#0": 0.9, "move-home#1": 0.89})
    fresh = await answer("and my number", what, quoted=frozenset({PassageId("move-home#0")}))
    assert "move-home#1" in cited(fresh)


async def test_several_questions_are_answered_under_one_reply_each_from_its_article():
    parts = {
        "do I have to tell you early": found({"move-home#0": 0.9}),
        "is there a charge for leaving?": found({"cancel#1": 0.9}),
    }
    text = "do I have to tell you early and is there a charge for leaving?"
    reply = await answer(text, found({"move-home#1": 0.5}, 0.3), parts)
    assert {"move-home#0", "cancel#1"} <= set(cited(reply))


async def test_a_question_of_several_that_finds_nothing_is_named():
    parts = {
        "do I have to tell you early": found({"move-home#0": 0.9}),
        "is there a charge for leaving": found({"cancel#1": 0.9}),
    }
    text = "do I have to tell you early, is there a charge for leaving, will it rain on the day?"
    reply = await answer(text, found({"move-home#1": 0.5}, 0.3), parts)
    assert "will it rain on the day?" in reply.blocks[-1].text


async def test_one_answer_among_several_questions_is_not_given_for_all():
    parts = {"is there a charge for leaving?": found({"cancel#1": 0.9})}
    text = "do I have to tell you early and is there a charge for leaving?"
    reply = await answer(text, found({"move-home#1": 0.5}, 0.7), parts)
    assert reply.outcome is Outcome.ASKED_BACK


def test_passages_found_for_several_questions_count_by_their_share_of_the_best():
    joined = join_found(found({}), [found({"move-home#0": 0.8, "move-home#1": 0.4}), found({"move-home#1": 0.2})])
    assert {one.id: one.score for one in joined.passages} == {"move-home#0": 1.0, "move-home#1": 1.0}


def test_an_article_leads_alone_only_by_enough():
    articles = rank_articles(found({"move-home#0": 0.9, "cancel#0": 0.75}))
    assert leading(articles, 1.1) == ("move-home",)
    assert leading(articles, 1.3) == ("move-home", "cancel")
