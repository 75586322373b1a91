"""The check: a sentence that its passages do not bear never reaches the customer."""

from bot.check import check_answer
from bot.domain import Answer, Block, Outcome
from knowledge.document import DocumentId, Passage, PassageId


def passage(text, position=0, document="late-fee", title="Late payment fee", url=None):
    return Passage(
        id=PassageId(f"{document}#{position}"),
        document=DocumentId(document),
        title=title,
        heading="When we charge it",
        text=text,
        position=position,
        url=url,
    )


FEE = passage("We charge a late payment fee of £7.50 if a bill is unpaid 7 days after it was due.")
DUE = passage("A bill is due 14 days after the bill date.", position=3)


def unknown():
    return Answer(outcome=Outcome.ABSTAINED, blocks=(Block(text="I don't know."),))


def answer(*blocks, passages=(FEE, DUE)):
    return Answer(outcome=Outcome.ANSWERED, blocks=blocks, passages=passages)


def test_words_taken_from_the_passage_are_shown_with_a_citation_of_it():
    reply = check_answer(answer(Block(text=FEE.text, cites=(1,))), unknown)
    assert reply.text == FEE.text + " [1]"
    assert [(c.number, c.document, c.url, c.support) for c in reply.citations] == [(1, "late-fee", "/help/late-fee#p0", 1.0)]


def test_a_sentence_with_a_number_that_no_cited_passage_has_is_dropped():
    claim = "The late payment fee is £7.50. It rises to £25 after a week."
    reply = check_answer(answer(Block(text=claim, cites=(1,))), unknown)
    assert reply.text == "The late payment fee is £7.50. [1]"
    assert reply.dropped == ("It rises to £25 after a week.",)


def test_an_answer_of_which_nothing_is_borne_out_is_replaced_and_says_what_was_dropped():
    reply = check_answer(answer(Block(text="Penguins swim south in winter.", cites=(1,))), unknown)
    assert reply.outcome is Outcome.ABSTAINED
    assert reply.text == "I don't know."
    assert reply.dropped == ("Penguins swim south in winter.",)


def test_citations_are_numbered_without_gaps_when_a_block_before_them_was_dropped():
    blocks = (Block(text="Fees are waived for astronauts.", cites=(1,)), Block(text=DUE.text, cites=(2,)))
    reply = check_answer(answer(*blocks), unknown)
    assert reply.text.endswith("[1]")
    assert [citation.url for citation in reply.citations] == ["/help/late-fee#p3"]


def test_a_courtesy_without_citation_passes():
    reply = check_answer(answer(Block(text="Sorry about that."), Block(text=DUE.text, cites=(2,))), unknown)
    assert reply.text.startswith("Sorry about that.")


def test_an_article_with_its_own_address_is_cited_by_it():
    own = passage(FEE.text, url="https://www.example.com/help/late-fee")
    reply = check_answer(answer(Block(text=own.text, cites=(1,)), passages=(own,)), unknown)
    assert reply.citations[0].url == "https://www.example.com/help/late-fee"


def test_a_link_between_articles_leads_to_the_help_page_and_other_links_stay():
    text = "See [Refunds](refunds-and-credits) or [the status page](https://status.example.com/now)."
    quoted = passage(text)
    reply = check_answer(answer(Block(text=text, cites=(1,)), passages=(quoted,)), unknown)
    assert "[Refunds](/help/refunds-and-credits)" in reply.text
    assert "(https://status.example.com/now)" in reply.text


def test_the_mark_of_a_table_stands_below_it_where_it_is_no_cell():
    table = passage("| Light | Meaning |\n|---|---|\n| red | no signal |")
    assert check_answer(answer(Block(text=table.text, cites=(1,)), passages=(table,)), unknown).text.endswith("|\n\n[1]")
