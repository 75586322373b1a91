"""Chainlit's data layer as a read-only window on the log: the sidebar's list, a conversation, and nothing to write."""

from typing import Any

from chainlit.data.base import BaseDataLayer
from chainlit.step import StepDict
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from chainlit.user import PersistedUser, User

from bot.bot import Bot
from bot.domain import Conversation, ConversationId, CustomerId
from bot.webchat.screen import MOST_SHOWN
from bot.webchat.view import show_conversation, show_title

MOST_LISTED = 100
MOST_SEARCHED = 500


class History(BaseDataLayer):
    """What Chainlit's routes may read. Entries are appended by the bot; whatever else Chainlit would store is dropped."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """A page of the customer's conversations, latest first; `filters.userId` is set by the server from the cookie."""
        customer = CustomerId(filters.userId or "")
        first = max(1, min(pagination.first, MOST_LISTED))
        offset = _read_offset(pagination.cursor)
        if filters.search:
            found = (await self._search(customer, filters.search))[offset : offset + first + 1]
        else:
            found = list(await self._bot.log.conversations(customer, first + 1, offset))
        more = len(found) > first
        return PaginatedResponse(
            pageInfo=PageInfo(hasNextPage=more, startCursor=str(offset), endCursor=str(offset + first) if more else None),
            data=[_thread(show_title(conversation)) for conversation in found[:first]],
        )

    async def _search(self, customer: CustomerId, words: str) -> list[Conversation]:
        """The customer's latest conversations whose title holds these words."""
        latest = await self._bot.log.conversations(customer, MOST_SEARCHED)
        return [conversation for conversation in latest if words.casefold() in conversation.title.casefold()]

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A conversation as the page shows it; whose it is was checked by `get_thread_author`."""
        conversation = await self._bot.log.conversation(ConversationId(thread_id))
        if conversation is None:
            return None
        entries = await self._bot.log.before(conversation.id, conversation.last_seq + 1, MOST_SHOWN)
        return _thread(show_conversation(conversation, entries, self._bot.settings.assistant))

    async def get_thread_author(self, thread_id: str) -> str:
        """Whose conversation it is; empty if there is none."""
        conversation = await self._bot.log.conversation(ConversationId(thread_id))
        return conversation.customer if conversation else ""

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """A visitor is what the cookie says; there are no user rows."""
        return PersistedUser(id=identifier, identifier=identifier, createdAt="")

    async def create_user(self, user: User) -> PersistedUser | None:
        """See get_user."""
        return await self.get_user(user.identifier)

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Never called: our own route rates, because this call does not say who rates."""
        raise NotImplementedError

    async def delete_feedback(self, feedback_id: str) -> bool:
        """Never called; see upsert_feedback."""
        raise NotImplementedError

    async def get_element(self, thread_id: str, element_id: str) -> None:
        """There are no elements."""

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:
        """There are no favourites."""
        return []

    async def build_debug_url(self) -> str:
        """There is no debugger."""
        return ""

    async def close(self) -> None:
        """The bot closes its log itself."""

    async def _drop(self, *arguments: object, **named: object) -> None:
        """Not stored: the log is the record."""

    create_element = delete_element = create_step = update_step = delete_step = delete_thread = update_thread = _drop


def _thread(fields: dict[str, Any]) -> ThreadDict:
    return ThreadDict(**fields)  # type: ignore[typeddict-item, no-any-return]


def _read_offset(cursor: str | None) -> int:
    """Our cursors are offsets; anything else starts over."""
    return int(cursor) if cursor and len(cursor) <= 6 and cursor.isascii() and cursor.isdigit() else 0
