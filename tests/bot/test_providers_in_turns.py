"""Whole turns over real HTTP while providers fail: one reply, nothing broken or twice, and never a vendor's words."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
import pytest_socket

from bot.domain import Outcome, Speaker
from bot.llm.stream import LLM
from knowledge.document import Article, Contents, Document, DocumentId, Found, Passage, PassageId
from tests.bot.test_writer import Chat
from tests.llm.conftest import build
from tests.llm.vendor_server import OPENAI_ERRORS, Plan, VendorServer

SENTENCES = (
    "You may return a router within fourteen days after delivery without giving any reason.",
    "Please put the power supply and every cable back inside the original cardboard packaging.",
    "A prepaid label for Royal Post is enclosed underneath the lid of each box.",
    "Drop your parcel at whichever counter is nearest and keep its receipt safe.",
    "Our warehouse staff inspect returned equipment on weekday mornings for visible damage.",
    "Scratches from ordinary use cost nothing, whereas cracked housings are charged afterwards.",
    "The deposit goes to the bank account that paid the invoice originally.",
    "Business customers contact their account manager, who arranges collection by courier.",
    "Rented television recorders follow another procedure described in a separate leaflet.",
    "Erase personal recordings beforehand, because nobody can restore them later.",
    "Customers abroad should ask our export team about customs papers first.",
    "Lost parcels are traced together with Royal Post as soon as somebody tells us.",
)
TEXT = " ".join(f"{sentence} [1]" for sentence in SENTENCES)
TOKENS = tuple(f"{word} " for word in TEXT.split())
PASSAGE = Passage(
    id=PassageId("returns#0"),
    document=DocumentId("returns"),
    title="Returns",
    heading="",
    text=" ".join(SENTENCES),
    position=0,
    score=0.9,
)


class Returns:
    async def search(self, question: str, history: object = (), limit: int = 8) -> Found:
        return Found(passages=(PASSAGE,), answerability=0.9, version="v1")

    async def article(self, document: DocumentId) -> Article:
        return Article(document=Document(id=document, title="Returns", text=""), passages=(PASSAGE,))

    async def contents(self) -> Contents:
        return Contents()


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """No test here can reach a real provider."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"])
    yield
    pytest_socket._remove_restrictions()


def chat_with(*llms: LLM, quotes: bool = True) -> Chat:
    patient = {"llm_patience_seconds": 30, "llm_first_token_seconds": 20, "llm_between_tokens_seconds": 20}
    chat = Chat(*llms, quotes=quotes, messages_per_minute=10**6, **patient)
    chat.search = chat.bot.search = Returns()
    chat.bot._flow._answerer._search = chat.search
    return chat


def said(text: str) -> list[str]:
    """The sentences of a reply that stand in the article, in order; what else there is makes this fail."""
    rest, found = " ".join(text.replace("[1]", " ").split()), []
    while rest:
        sentence = next((one for one in SENTENCES if rest.startswith(one)), None)
        assert sentence is not None, f"broken text: {rest[:80]!r}"
        found.append(sentence)
        rest = rest.removeprefix(sentence).strip()
    return found


@pytest.mark.parametrize("fault", ["fin", "clean", "bad_json", "error_event"])
async def test_cut_after_every_token_a_turn_ends_with_one_whole_reply_and_nothing_twice(fault: str) -> None:
    async with VendorServer() as first, VendorServer(Plan(text=TOKENS)) as second:
        models = build("openai", first.url), build("gemini", second.url)
        chat = chat_with(*models, quotes=False)
        for cut in range({"fin": 0, "clean": 1, "bad_json": 2, "error_event": 3}[fault], len(TOKENS) + 1, 4):
            first.plans = [Plan(text=TOKENS, fault=fault, after=cut + 1)]
            chat.shown.clear()
            reply = await chat.ask("how do I send a router back?")
            assert said(reply.text) == list(SENTENCES), f"cut after {cut}"
            assert all(len(set(said(shown))) == len(said(shown)) for shown in chat.shown)
            assert [entry.speaker for entry in chat.entries] == [Speaker.CUSTOMER, Speaker.BOT]
            assert len(reply.data["citations"]) == 1
        await asyncio.gather(*(model.close() for model in models))


async def test_a_thousand_telling_errors_reach_no_customer_and_all_are_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kinds = [*OPENAI_ERRORS, "html"]
    async with VendorServer() as server:
        models = build("openai", server.url), build("azure", server.url)
        server.plans = [
            Plan(error=kinds[number % len(kinds)], detail=f"telling-{number}-end at db.internal") for number in range(1000)
        ] + [Plan(error="bad", detail="telling-rest-end")]
        with caplog.at_level(logging.WARNING):
            while len(server.asked) < 1000:
                chat = chat_with(*models)  # with closed breakers
                reply = await chat.ask("how do I send a router back?")
                seen = " ".join([reply.text, *chat.shown, str(reply.data["citations"])])
                assert "telling" not in seen
                assert "db.internal" not in seen
                assert reply.data["outcome"] == Outcome.ANSWERED
        logged = caplog.text
        assert [number for number in range(1000) if f"telling-{number}-end" not in logged] == []
        await asyncio.gather(*(model.close() for model in models))
