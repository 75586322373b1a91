"""The desk: what an agent does with a conversation. Each act is one entry of the log, and the log lets one win."""

from bot.desk import words
from bot.desk.cases import RETURNED
from bot.desk.policy import Policy
from bot.domain import ClientId, Conversation, ConversationId, Draft, Entry, Held, Holder, Kind, Speaker
from bot.errors import ConversationUnknown, DeskRefused, HolderChanged, MessageEmpty, MessageTooLong, MessageUnreadable
from bot.guard import clean_text
from bot.log import ConversationLog
from bot.staff import Agent, Staff

MOST_CHARS = 8000
"""Characters of an agent's message or note."""
QUEUE = Held(holder=Holder.QUEUE)
TEXT_KEPT = "What you wrote is kept here."


class Desk:
    """Claim, say, note, hand back, pass on, close. DeskRefused has a sentence for the agent; then nothing was stored.

    Every method also raises ConversationUnknown, and LogUnavailable when the log cannot be used.
    """

    def __init__(self, log: ConversationLog, staff: Staff, policy: Policy) -> None:
        self._log, self._staff, self._policy = log, staff, policy

    async def claim(self, agent: Agent, conversation: ConversationId) -> None:
        """Take a conversation from the queue, or over from the bot; of several who try, one has it. Mine stays mine."""
        found = await self._find(conversation)
        if found.held == held_by(agent):
            return
        if found.holder is Holder.AGENT:
            raise DeskRefused(await self._whose(found))
        if found.holder is Holder.CLOSED:
            raise DeskRefused("This chat is closed. It comes back to the assistant when the customer writes again.")
        await self._check_room(agent)
        notice = words.JOINED.format(agent=agent.name)
        await self._append(agent, _notice(conversation, notice, "joined", found.held, held_by(agent), author=agent.name))

    async def say(
        self, agent: Agent, conversation: ConversationId, text: object, client_id: str, citations: object = ()
    ) -> Entry:
        """A message to the customer; the same client id is one message. `citations` are those of a suggested reply."""
        cited = [citation for citation in citations if isinstance(citation, dict)] if isinstance(citations, list) else []
        data = {"author": agent.name, "agent": agent.id} | ({"citations": cited} if cited else {})
        draft = Draft(
            conversation=conversation,
            speaker=Speaker.AGENT,
            kind=Kind.MESSAGE,
            text=read_text(text),
            data=data,
            client_id=ClientId(f"desk-{agent.id}-{client_id}"),
            only_if=held_by(agent),
        )
        return await self._append(agent, draft)

    async def note(self, agent: Agent, conversation: ConversationId, text: object, client_id: str | None = None) -> Entry:
        """Something for the staff only; whoever is signed in may write one."""
        await self._find(conversation)
        id = ClientId(f"desk-{agent.id}-{client_id}") if client_id else None
        data = {"author": agent.name, "agent": agent.id}
        draft = Draft(
            conversation=conversation, speaker=Speaker.AGENT, kind=Kind.NOTE, text=read_text(text), data=data, client_id=id
        )
        return await self._append(agent, draft)

    async def hand_back(self, agent: Agent, conversation: ConversationId, note: object = "") -> Entry:
        """Give the conversation to the bot, with a note on what was done."""
        await self._leave_note(agent, conversation, note)
        notice = words.HANDED_BACK.format(agent=agent.name)
        to = Held(holder=Holder.BOT)
        return await self._append(
            agent, _notice(conversation, notice, "handed_back", held_by(agent), to, author=agent.name, outcome=RETURNED)
        )

    async def pass_on(self, agent: Agent, conversation: ConversationId, to: str, note: object = "") -> Entry:
        """Pass it on to `team:NAME`, `agent:ID`, or with "" to whoever is next; it goes to the front of the queue."""
        kind, _, name = to.partition(":")
        known = await self._staff.agents() if kind == "agent" else ()
        is_known = kind == "team" and name in self._policy.teams
        if not is_known and not any(other.id == name and not other.disabled and other.id != agent.id for other in known):
            if to:
                raise DeskRefused("There is no such colleague or team. Please choose again.")
            kind = ""
        await self._leave_note(agent, conversation, note)
        data = {"front": True, **({"for": name} if kind == "agent" else {"team": name} if kind == "team" else {})}
        notice = words.PASSED_ON.format(agent=agent.name)
        return await self._append(agent, _notice(conversation, notice, "passed_on", held_by(agent), QUEUE, **data))

    async def close(self, agent: Agent, conversation: ConversationId, outcome: str, note: object = "") -> Entry:
        """End the conversation with an outcome of the policy; the customer's next message opens it again with the bot."""
        if outcome not in self._policy.outcomes:
            raise DeskRefused("Please choose how it went.")
        await self._leave_note(agent, conversation, note)
        notice = words.CLOSED.format(agent=agent.name)
        to = Held(holder=Holder.CLOSED)
        return await self._append(
            agent, _notice(conversation, notice, "closed", held_by(agent), to, author=agent.name, outcome=outcome)
        )

    async def _find(self, conversation: ConversationId) -> Conversation:
        found = await self._log.conversation(conversation)
        if found is None:
            raise ConversationUnknown(f"there is no conversation {conversation}")
        return found

    async def _check_room(self, agent: Agent) -> None:
        mine = sum(held.agent == agent.id for held in await self._log.held(Holder.AGENT))
        if mine >= agent.capacity:
            raise DeskRefused(f"You have {mine} of {agent.capacity} chats. Close one or pass one on first.")

    async def _leave_note(self, agent: Agent, conversation: ConversationId, note: object) -> None:
        found = await self._find(conversation)
        if found.held != held_by(agent):
            raise DeskRefused(await self._whose(found))
        if isinstance(note, str) and note.strip():
            await self.note(agent, conversation, note)

    async def _append(self, agent: Agent, draft: Draft) -> Entry:
        try:
            return await self._log.append(draft)
        except HolderChanged:
            raise DeskRefused(await self._whose(await self._find(draft.conversation))) from None

    async def _whose(self, found: Conversation) -> str:
        """Who holds it now, in a sentence for the agent who does not."""
        if found.holder is Holder.AGENT and found.agent:
            other = await self._staff.agent(found.agent)
            return f"{other.name if other else found.agent} has this chat now. {TEXT_KEPT}"
        where = {
            Holder.QUEUE: "is back in the queue. Claim it to go on.",
            Holder.BOT: "is with the assistant again.",
            Holder.CLOSED: "is closed.",
        }
        return f"This chat {where.get(found.holder, 'has changed.')} {TEXT_KEPT}"


def held_by(agent: Agent) -> Held:
    """A conversation as this agent's."""
    return Held(holder=Holder.AGENT, agent=agent.id)


def read_text(text: object) -> str:
    """What an agent wrote, cleaned like a customer's message. Raises DeskRefused."""
    try:
        return clean_text(text, MOST_CHARS)
    except MessageTooLong:
        told = f"{len(text):,}" if isinstance(text, str) else "too many"
        raise DeskRefused(f"That is {told} characters; {MOST_CHARS:,} can be sent at a time. {TEXT_KEPT}") from None
    except MessageEmpty:
        raise DeskRefused("There is nothing to send yet.") from None
    except MessageUnreadable:
        raise DeskRefused(f"This text holds characters that cannot be sent. {TEXT_KEPT}") from None


def _notice(conversation: ConversationId, text: str, notice: str, only_if: Held, moves_to: Held, **data: object) -> Draft:
    return Draft(
        conversation=conversation,
        speaker=Speaker.SYSTEM,
        kind=Kind.NOTICE,
        text=text,
        data={"notice": notice, **data},
        only_if=only_if,
        moves_to=moves_to,
    )
