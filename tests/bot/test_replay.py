"""Prompt files act in the next turn, a broken one fails none, and any turn can be run again as things are now."""

import logging

import pytest

from bot.domain import ConversationId, EntryId, Outcome
from bot.errors import ConversationUnknown
from tests.bot.prompted import ask, build_prompted, change_voice, copy_prompts


@pytest.fixture
def prompts(tmp_path):
    return copy_prompts(tmp_path / "prompts")


@pytest.fixture
async def bot(prompts):
    bot = build_prompted(prompts)
    yield bot
    await bot.close()


async def test_a_changed_prompt_file_acts_in_the_next_turn_without_a_restart(bot, prompts):
    before = await ask(bot)
    change_voice(prompts, "Always speak of cards.")
    after = await ask(bot)
    assert "card" not in before.text
    assert "card" in after.text
    hashes = [entry.data["turn"]["writing"]["prompts"] for entry in (before, after)]
    assert hashes[0]["voice"] != hashes[1]["voice"]
    assert hashes[0]["answer"] == hashes[1]["answer"]


async def test_a_prompt_file_that_breaks_while_running_fails_no_turn_the_articles_are_quoted(bot, prompts, caplog):
    change_voice(prompts, "{{ undeclared }}")
    with caplog.at_level(logging.ERROR):
        reply = await ask(bot)
    assert reply.data["outcome"] == Outcome.ANSWERED
    assert "We charge a late payment fee of £7.50 if a bill is unpaid. [1]" in reply.text
    assert reply.conversation in caplog.text
    assert "voice.md" in caplog.text
    assert "voice.md" not in reply.text
    write = next(step for step in reply.data["turn"]["steps"] if step[0] == "write")
    assert "voice.md" in write[3]


async def test_a_prompt_file_that_was_mended_acts_again(bot, prompts, caplog):
    whole = (prompts / "voice.md").read_text(encoding="utf-8")
    change_voice(prompts, "{{ undeclared }}")
    await ask(bot)
    (prompts / "voice.md").write_text(whole, encoding="utf-8")
    assert (await ask(bot)).data["turn"]["writing"]["usage"]


async def test_a_replay_runs_the_turn_again_with_todays_prompts_and_leaves_no_mark(bot, prompts):
    shown = []
    reply = await ask(bot)
    change_voice(prompts, "Always speak of cards.")
    bot.live.watch(reply.conversation, lambda answers, text: shown.append(text))
    turn = await bot.replay(reply.id)
    assert "card" in turn.reply.text
    assert turn.asked.text == "what is the late fee?"
    assert [entry.id for entry in await bot.log.after(reply.conversation, 1)] == [reply.id]
    assert shown == []


async def test_a_replay_knows_what_was_said_before_and_nothing_that_came_later(bot):
    chat = ConversationId("chat")
    await ask(bot, "I pay by card", chat)
    second = await ask(bot, "what is the late fee?", chat)
    await ask(bot, "and when must I pay?", chat)
    asked_before = bot._writer._llm.requests[1]
    await bot.replay(second.id)
    assert bot._writer._llm.requests[-1].lines == asked_before.lines


async def test_only_what_settles_a_message_can_be_replayed(bot):
    reply = await ask(bot)
    asked = (await bot.log.after(reply.conversation))[0]
    for entry in (asked.id, EntryId("none")):
        with pytest.raises(ConversationUnknown):
            await bot.replay(entry)
