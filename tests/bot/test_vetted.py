"""Vetted answers: given word for word and cited, before quotes and models, and only as long as the article bears them."""

import logging

import pytest

from bot.answer import Answerer
from bot.check import check_answer
from bot.domain import Outcome
from bot.llm.scripted import ScriptedLLM
from bot.question import Question
from bot.settings import Settings
from bot.vetted import Vetted, vetted_answer
from knowledge.document import Article, Document, DocumentId, Found, Passage, PassageId
from tests.bot.test_writer import GOOD, PASSAGES, TEXTS, Chat, OneArticle, says

VETTED = (
    "I'm happy to help with that.\n\n"
    "A **late payment fee** of £7.50 is charged when a bill is unpaid 7 days after it was due.\n\n"
    "- Pay by card under Billing > Pay now."
)


def article(answer, texts=TEXTS):
    passages = tuple(
        Passage(
            id=PassageId(f"late#{n}"), document=DocumentId("late"), title="Late payments", heading="", text=t, position=n
        )
        for n, t in enumerate(texts)
    )
    return Article(
        document=Document(id=DocumentId("late"), title="Late payments", text="", answer=answer), passages=passages
    )


class Library(OneArticle):
    def __init__(self, answer, texts=TEXTS):
        self.held = {"late": article(answer, texts)}

    async def article(self, document):
        return self.held.get(document)


FOUND = Found(passages=PASSAGES, answerability=0.9, version="v1")


def test_each_paragraph_cites_the_passages_it_rests_on_and_a_courtesy_none():
    vetted = vetted_answer(article(VETTED))
    assert [block.cites for block in vetted.blocks] == [(), (1,), (2,)]
    assert [passage.id for passage in vetted.passages] == ["late#0", "late#1"]
    reply = check_answer(vetted, lambda: pytest.fail("everything held"))
    assert reply.outcome is Outcome.ANSWERED
    assert reply.text.replace(" [1]", "").replace(" [2]", "") == VETTED
    assert reply.dropped == ()


def test_a_paragraph_over_two_passages_cites_both():
    vetted = vetted_answer(article(f"{TEXTS[0]} {TEXTS[1]}"))
    assert [block.cites for block in vetted.blocks] == [(1, 2)]


@pytest.mark.parametrize(
    "answer",
    [
        VETTED.replace("£7.50", "£9.00"),
        f"{VETTED}\n\nWe always waive the charge for customers of Northwind Energy.",
        "Hello, and thank you for asking.",
        "",
        " \n\n ",
    ],
)
def test_what_the_article_does_not_bear_is_given_in_no_part(answer):
    assert vetted_answer(article(answer)) is None


def test_an_article_without_passages_bears_nothing():
    assert vetted_answer(article(VETTED, texts=())) is None


def test_an_author_reads_in_the_log_which_sentence_does_not_hold(caplog):
    with caplog.at_level(logging.WARNING):
        vetted_answer(article(VETTED.replace("£7.50", "£9.00")))
    assert "£9.00" in caplog.text
    assert "late" in caplog.text


async def answered(answer, question="what is the late fee?", template=None):
    answerer = Answerer(Library(answer), Settings(_env_file=None))
    return answerer, await answerer.answer(Question(text=question), FOUND, template)


async def test_the_vetted_answer_comes_before_the_quote_and_before_a_model():
    answerer, answer = await answered(VETTED)
    assert isinstance(answer, Vetted)
    assert not answerer.is_writable(answer, FOUND)
    answerer, answer = await answered("")
    assert not isinstance(answer, Vetted)
    assert answerer.is_writable(answer, FOUND)


async def test_an_answer_that_no_longer_holds_gives_way_to_the_quote():
    _, answer = await answered(VETTED.replace("£7.50", "£9.00"))
    assert answer.outcome is Outcome.ANSWERED
    assert any(TEXTS[0] in block.text for block in answer.blocks)


async def test_an_intents_template_is_given_whatever_was_found_but_not_for_a_courtesy():
    nothing = Found(passages=(), answerability=0.0, version="v1")
    answerer = Answerer(Library(VETTED), Settings(_env_file=None))
    late, gone = DocumentId("late"), DocumentId("gone")
    assert isinstance(await answerer.answer(Question(text="fee?"), nothing, late), Vetted)
    assert (await answerer.answer(Question(text="fee?"), nothing, gone)).outcome is Outcome.ABSTAINED
    assert (await answerer.answer(Question(text="hello"), nothing, late)).outcome is Outcome.GREETED


async def test_in_a_whole_turn_no_provider_is_asked_and_the_article_is_cited():
    model = ScriptedLLM([says(GOOD)])
    chat = Chat(model)
    chat.bot._flow._answerer = Answerer(Library(VETTED), chat.settings)
    reply = await chat.ask()
    assert model.requests == []
    assert reply.text.startswith("I'm happy to help with that.")
    assert [citation["passage"] for citation in reply.data["citations"]] == ["late#0", "late#1"]
    await chat.bot.close()
