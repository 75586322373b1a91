"""What a customer may do: go back to the assistant, leave, rate people and the assistant. Whose chat it is was checked."""

from dataclasses import dataclass

from bot.desk import words
from bot.desk.cases import LEFT, RETURNED, Case
from bot.domain import Conversation, Draft, Entry, Held, Holder, Kind, Speaker
from bot.errors import ConversationUnknown
from bot.guard import clean_text
from bot.log import ConversationLog

MOST_COMMENT_CHARS = 2000
PEOPLE = (Holder.QUEUE, Holder.AGENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A time that may be rated: with a person (`name`), or with the assistant (""), which may go on."""

    seq: int
    name: str
    is_over: bool


def find_unrated(case: Case) -> Episode | None:
    """What the customer may be asked to rate: the time with people that ended last, else the one with the assistant."""
    last = case.records[-1] if case.records else None
    if last and last.ended and last.claimed and last.rating is None:
        return Episode(seq=last.seq, name=case.agent_name, is_over=True)
    talk = case.talk
    if talk and talk.replies and talk.rating is None:
        return Episode(seq=talk.seq, name="", is_over=talk.is_over)
    return None


async def return_to_bot(log: ConversationLog, conversation: Conversation) -> Entry | None:
    """Give the conversation back to the bot; None if people do not have it. Raises HolderChanged in a race."""
    return await _end(log, conversation, words.CUSTOMER_RETURNED, Holder.BOT, RETURNED)


async def leave(log: ConversationLog, conversation: Conversation) -> Entry | None:
    """The customer is gone; None if people do not have the conversation. Raises HolderChanged in a race."""
    return await _end(log, conversation, words.CUSTOMER_LEFT, Holder.CLOSED, LEFT)


async def _end(log: ConversationLog, conversation: Conversation, text: str, to: Holder, outcome: str) -> Entry | None:
    if conversation.holder not in PEOPLE:
        return None
    return await log.append(
        Draft(
            conversation=conversation.id,
            speaker=Speaker.SYSTEM,
            kind=Kind.NOTICE,
            text=text,
            data={"notice": outcome, "outcome": outcome, "by": "customer"},
            only_if=conversation.held,
            moves_to=Held(holder=to),
        )
    )


async def rate_episode(log: ConversationLog, case: Case, episode: int, stars: int, comment: str = "") -> Entry:
    """1 to 5 stars and perhaps a comment on a time with people or the assistant, told by the entry that began it.

    The entry names the agent; none means the assistant. Raises ConversationUnknown if there was no such time, or people
    have the chat still; MessageTooLong or MessageUnreadable for the comment.
    """
    talk = case.talk if case.talk and case.talk.seq == episode and case.talk.replies else None
    record = next((record for record in case.records if record.seq == episode), None)
    if talk is None and (record is None or record.ended is None or record.claimed is None):
        raise ConversationUnknown(f"nothing to rate at entry {episode} of conversation {case.id}")
    of, agent = (talk.began_by, None) if talk else (case.ended_by, record.agent if record else None)
    text = clean_text(comment, MOST_COMMENT_CHARS) if comment.strip() else ""
    return await log.append(
        Draft(
            conversation=case.id,
            speaker=Speaker.CUSTOMER,
            kind=Kind.FEEDBACK,
            text=text,
            data={"of": of, "value": None, "episode": episode, "rating": stars, "agent": agent},
        )
    )
