"""Reads what the customer asks: the question to search for, with what was said before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain import Entry, Kind, Speaker
from bot.llm.stream import Line
from bot.personal import mask
from knowledge.document import DocumentId, PassageId
from knowledge.lexical import words

_HISTORY = 3
_PLACES = {"1": 0, "first": 0, "1st": 0, "2": 1, "second": 1, "2nd": 1, "3": 2, "third": 2, "3rd": 2, "last": -1}
_FILLER = frozenset("one ones mean meant please yes thanks want need number option article s".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to search for.

    `history` is what the customer said before, oldest first, `context` the same with the titles of the articles they were
    answered from between; `document` is an article they chose.
    """

    text: str
    history: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    document: DocumentId | None = None
    tone: str = ""
    """What a model that writes the reply is told of the customer's mood."""
    quoted: frozenset[PassageId] = frozenset()
    """Passages that the customer has been shown in this conversation."""
    template: DocumentId | None = None
    """An article whose vetted answer the message's intent gives."""
    is_small_talk: bool = False
    """What the intents say of the message; patterns know the usual words without them."""
    facts: str = ""
    """What is remembered of the conversation and its customer, a statement a line, for a model."""
    stated: tuple[str, ...] = ()
    """Sentences of that which a reply may rest on: what the customer gave, or a tool established."""
    lines: tuple[Line, ...] = ()
    """The recent turns, for a model; without them it is told the `history`."""


def read_question(asked: Entry, earlier: Sequence[Entry], country: str = "GB") -> Question:
    """The question in `asked`, given the entries before it, oldest first; personal data stay out of it.

    What was said before counts as it was understood then: after a choice of "2" it is the question with the chosen title.
    A short reply to articles that the bot offered ("the mobile one") chooses one, and the question asked first is searched.
    """
    turns = _turns(earlier)[-_HISTORY:]
    offered = _offered(earlier)
    quoted = _quoted(earlier)
    if offered and turns and (chosen := _chosen(asked.text, offered)):
        document = DocumentId(chosen["document"])
        question = _question(f"{turns[-1][0]} {chosen['title']}", turns[:-1], country)
        return replace(question, document=document, quoted=quoted)
    return replace(_question(asked.text, turns, country), quoted=quoted)


def _question(text: str, turns: Sequence[tuple[str, str]], country: str) -> Question:
    turns = [(mask(said, country).text, title) for said, title in turns]
    return Question(
        text=mask(text, country).text,
        history=tuple(said for said, _ in turns),
        context=tuple(words for turn in turns for words in turn if words),
    )


def _turns(earlier: Sequence[Entry]) -> list[tuple[str, str]]:
    """What the customer said, as it was understood, with the title of the article that answered it, or ""."""
    replies = {entry.answers: entry.data for entry in earlier if entry.answers is not None}
    turns = []
    for entry in earlier:
        if entry.speaker is Speaker.CUSTOMER and entry.kind is Kind.MESSAGE:
            reply = replies.get(entry.seq, {})
            citations = reply.get("citations") or [{"title": ""}]
            turns.append((reply.get("turn", {}).get("question") or entry.text, citations[0]["title"]))
    return turns


def _quoted(earlier: Sequence[Entry]) -> frozenset[PassageId]:
    """The passages that the bot's messages cited."""
    return frozenset(PassageId(one["passage"]) for entry in earlier for one in entry.data.get("citations") or ())


def _offered(earlier: Sequence[Entry]) -> list[dict[str, str]]:
    """The articles that the bot's last message let the customer choose from."""
    replies = [entry for entry in earlier if entry.speaker is Speaker.BOT and entry.kind is Kind.MESSAGE]
    return list(replies[-1].data.get("choices", [])) if replies else []


def _chosen(text: str, offered: Sequence[dict[str, str]]) -> dict[str, str] | None:
    """The one offered article that a short reply names: by its place, or by words that only its title has."""
    said = {word for word in words(text) if word not in _FILLER}
    naming = [choice for choice in offered if said and said <= set(words(choice["title"]))]
    if naming:
        return naming[0] if len(naming) == 1 else None
    places = {_PLACES[word] % len(offered) for word in said if _PLACES.get(word, len(offered)) < len(offered)}
    return offered[places.pop()] if len(places) == 1 and said <= _PLACES.keys() else None
