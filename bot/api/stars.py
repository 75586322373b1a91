"""For customers: 1 to 5 stars on a time with people or with the assistant. `/api/v1/chat/rating`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from bot.api.access import Customer, Parts
from bot.api.chat import limits_of, owned
from bot.api.problems import UNKNOWN, Refused
from bot.api.shapes import MOST_SEQ, UUID4, Body, Done, Id, Whole
from bot.desk.board import read_case
from bot.desk.cases import Case
from bot.desk.customer import MOST_COMMENT_CHARS, Episode, find_unrated, rate_episode
from bot.domain import ConversationId
from bot.errors import ConversationUnknown

router = APIRouter(prefix="/chat", tags=["chat"])


class Rateable(BaseModel):
    """What the customer may be asked to rate; `episode` is null when there is nothing."""

    episode: int | None = Field(description="The number of the entry that began it.")
    of: Literal["people", "assistant"]
    name: str = Field(description="The person's name.")
    over: bool = Field(description="Whether it is over; else ask once the customer has been quiet for a while.")


class Stars(Body):
    """A customer's rating of one episode; the last one counts."""

    conversation: Id
    episode: Annotated[int, Field(ge=1, le=MOST_SEQ), Whole]
    stars: Annotated[int, Field(ge=1, le=5), Whole]
    comment: Annotated[str, StringConstraints(max_length=MOST_COMMENT_CHARS)] = ""


@router.get("/rating")
async def rateable(
    conversation: Annotated[str, Query(pattern=UUID4, max_length=36)], session: Customer, parts: Parts
) -> Rateable:
    """What may be rated in a conversation now: the time with a person that ended last, else that with the assistant."""
    id = ConversationId(conversation)
    await owned(parts, session, id)
    return _show(find_unrated(await _case(parts, id)))


@router.post("/rating")
async def rate(given: Stars, request: Request, session: Customer, parts: Parts) -> Done:
    """Stars, and perhaps a comment, on one episode of the customer's own conversation."""
    id = ConversationId(given.conversation)
    await owned(parts, session, id)
    await limits_of(request).message(session.customer)
    try:
        await rate_episode(parts.bot.log, await _case(parts, id), given.episode, given.stars, given.comment)
    except ConversationUnknown:
        raise Refused(404, "unknown", UNKNOWN) from None
    if parts.rated:
        await parts.rated(await _case(parts, id))
    return Done()


async def _case(parts: Parts, conversation: ConversationId) -> Case:
    case = await read_case(parts.bot.log, conversation)
    if case is None:
        raise Refused(404, "unknown", UNKNOWN)
    return case


def _show(unrated: Episode | None) -> Rateable:
    if unrated is None:
        return Rateable(episode=None, of="assistant", name="", over=False)
    whose: Literal["people", "assistant"] = "people" if unrated.name else "assistant"
    return Rateable(episode=unrated.seq, of=whose, name=unrated.name, over=unrated.is_over)
