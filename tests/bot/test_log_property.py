"""Any sequence of appends: the databases and the fake say the same."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import AgentId, ClientId, ConversationId, CustomerId, Draft, Entry, Held, Holder, Kind, Speaker
from bot.errors import FrontdeskError
from bot.log import ConversationLog
from bot.log_memory import MemoryLog
from bot.sql.log import open_log

CHATS = [ConversationId(name) for name in ("a", "b", "never opened")]
ANA = CustomerId("ana")

held = st.builds(Held, holder=st.sampled_from([Holder.BOT, *Holder]), agent=st.sampled_from([None, None, AgentId("zoe")]))
drafts = st.builds(
    Draft,
    conversation=st.sampled_from([*CHATS[:2], *CHATS]),
    speaker=st.sampled_from(Speaker),
    kind=st.sampled_from([Kind.MESSAGE, *Kind]),
    text=st.sampled_from(["one", "two", "", "\ud800", "a\x00"]) | st.text(max_size=10),
    data=st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.lists(st.none()), max_size=2),
    client_id=st.none() | st.sampled_from([ClientId("1"), ClientId("2"), ClientId("3"), ClientId("")]),
    answers=st.none() | st.integers(-1, 6),
    only_if=st.none() | held,
    moves_to=st.none() | st.none() | held,
)
# Bursts: the drafts of one are appended at once.
bursts = st.lists(st.lists(drafts, min_size=1, max_size=6), max_size=5)
Said = tuple[object, ...]


def said(entry: Entry, world: str) -> Said:
    """An entry without what differs between two logs: its id and time."""
    conversation = entry.conversation.removeprefix(world)
    head = (conversation, entry.seq, entry.speaker, entry.kind, entry.text, entry.data)
    return (*head, entry.client_id, entry.answers)


async def play(log: ConversationLog, world: str, played: Sequence[Sequence[Draft]]) -> list[object]:
    """Append the bursts to conversations of their own, and return everything that can be seen of it."""
    seen: list[object] = []
    ids = [ConversationId(world + chat) for chat in CHATS]
    for chat in ids[:2]:
        await log.open(chat, CustomerId(world + ANA))
    for burst in played:
        moved = [replace(draft, conversation=ConversationId(world + draft.conversation)) for draft in burst]
        for outcome in await asyncio.gather(*map(log.append, moved), return_exceptions=True):
            if isinstance(outcome, Entry):
                seen.append(said(outcome, world))
            else:
                assert isinstance(outcome, FrontdeskError | ValueError)
                seen.append(type(outcome))
    for chat in ids:
        found = await log.conversation(chat)
        seen.append(found and (found.title, found.last_seq, found.held))
        seen += [[said(entry, world) for entry in page] for page in (await log.after(chat), await log.unanswered(chat))]
        seen.append([said(entry, world) for entry in await log.before(chat, 4, 2)])
    for holder in (Holder.QUEUE, Holder.AGENT):
        seen.append(
            {each.id for each in await log.held(holder) if each.id.startswith(world)}
            == {each.id for each in [await log.conversation(chat) for chat in ids] if each and each.holder is holder}
        )
    seen.append({each.id.removeprefix(world) for each in await log.conversations(CustomerId(world + ANA))})
    return seen


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_any_sequence_of_appends_comes_out_as_in_the_fake(request, tmp_path: Path, kind: str):
    url = None if kind == "sqlite" else request.getfixturevalue("postgres_schema")
    worlds = count()
    with asyncio.Runner() as runner:
        log = open_log(url, tmp_path)

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(bursts)
        def run(played: list[list[Draft]]) -> None:
            world = f"world {next(worlds)} "
            real = runner.run(play(log, world, played))
            assert real == runner.run(play(MemoryLog(), world, played))

        run()
        runner.run(log.close())
