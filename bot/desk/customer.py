"""What a customer may do about the people: go back to the assistant, leave, rate. Whose conversation it is was checked."""

from bot.desk import words
from bot.desk.cases import LEFT, RETURNED, Case
from bot.domain import Conversation, Draft, Entry, Held, Holder, Kind, Speaker
from bot.errors import ConversationUnknown
from bot.guard import clean_text
from bot.log import ConversationLog

MOST_COMMENT_CHARS = 2000
PEOPLE = (Holder.QUEUE, Holder.AGENT)


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
    """1 to 5 stars and perhaps a comment on a time with people, told by the number of the entry that began it.

    Raises ConversationUnknown if there was none or it goes on, MessageTooLong or MessageUnreadable for the comment.
    """
    record = next((record for record in case.records if record.seq == episode), None)
    if record is None or record.ended is None or record.claimed is None:
        raise ConversationUnknown(f"nothing to rate at entry {episode} of conversation {case.id}")
    text = clean_text(comment, MOST_COMMENT_CHARS) if comment.strip() else ""
    return await log.append(
        Draft(
            conversation=case.id,
            speaker=Speaker.CUSTOMER,
            kind=Kind.FEEDBACK,
            text=text,
            data={"of": case.ended_by, "value": None, "episode": episode, "rating": stars, "agent": record.agent},
        )
    )
