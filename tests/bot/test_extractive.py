"""The extractive answerer: whole passages in order, under the article's title, with the opening first."""

from dataclasses import replace

from bot.domain import Outcome
from bot.llm.extractive import extract
from knowledge.document import Article, Document, DocumentId, Found, Passage, PassageId

TEXTS = [
    ("", "You can cancel broadband with 30 days' notice."),
    ("Before you start", "Check when your contract ends."),
    ("Cancel your broadband", "To cancel broadband:\n\n1. Sign in.\n2. Choose an end date.\n3. Confirm."),
    ("Cancel your broadband", "You can take it back until two working days before."),
    ("Early termination charge", "The charge is 60% of the price for each month left."),
]


def article(texts=TEXTS):
    passages = tuple(
        Passage(
            id=PassageId(f"cancel#{position}"),
            document=DocumentId("cancel"),
            title="Cancel broadband",
            heading=heading,
            text=text,
            position=position,
        )
        for position, (heading, text) in enumerate(texts)
    )
    return Article(document=Document(id=DocumentId("cancel"), title="Cancel broadband", text=""), passages=passages)


def found(scores, whole):
    passages = tuple(replace(whole.passages[position], score=score) for position, score in scores.items())
    return Found(passages=passages, answerability=0.9, version="v")


def quoted(scores, texts=TEXTS):
    whole = article(texts)
    answer = extract(found(scores, whole), whole)
    assert answer.outcome is Outcome.ANSWERED
    return [block.text for block in answer.blocks], [passage.position for passage in answer.passages]


def test_the_answer_is_the_opening_and_the_best_section_whole_under_title_and_heading():
    blocks, positions = quoted({2: 0.9, 0: 0.5})
    assert blocks[0] == "**Cancel broadband**"
    assert positions == [0, 2, 3]
    assert blocks[2] == "**Cancel your broadband**"
    assert "1. Sign in.\n2. Choose an end date.\n3. Confirm." in blocks[3]


def test_another_section_joins_only_when_it_scores_nearly_as_well():
    assert quoted({4: 0.9, 1: 0.85})[1] == [0, 1, 4]
    assert quoted({4: 0.9, 1: 0.5})[1] == [0, 4]


def test_every_quoted_block_cites_the_passage_it_stands_in():
    whole = article()
    answer = extract(found({4: 0.9}, whole), whole)
    for block in answer.blocks:
        for number in block.cites:
            assert block.text == answer.passages[number - 1].text


def test_a_long_list_is_quoted_whole_even_when_it_takes_the_place_of_the_rest():
    steps = "To do it:\n\n" + "\n".join(f"{n}. Step number {n} with several words in it." for n in range(1, 40))
    blocks, positions = quoted({1: 0.9}, [("", "Opening."), ("How", steps), ("How", "After the list.")])
    assert positions == [1]
    assert steps in blocks


def test_an_article_without_headings_is_quoted_from_its_best_passage_outwards():
    texts = [("", f"Paragraph {n} " + "word " * 90) for n in range(5)]
    assert quoted({3: 0.9}, texts)[1] == [3, 4]
