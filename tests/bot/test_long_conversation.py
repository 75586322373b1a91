"""Two hundred turns with a bot whose model remembers: the prompt stays within its budget, and turn 3 still counts."""

import asyncio

from bot.accounts_memory import MemoryAccounts
from bot.bot import Bot
from bot.cells import LocalCells
from bot.domain import ConversationId, CustomerId
from bot.llm.stream import Finished, Text
from bot.llm.tokens import PER_LINE, estimate_tokens
from bot.log_memory import MemoryLog
from bot.memory import CachedMemory
from bot.mind import Mind
from bot.profile_memory import MemoryProfiles
from bot.seal import Seal
from bot.settings import Settings
from bot.writer import Writer
from tests.bot.test_writer import PRICES, PROMPTS, OneArticle

ANN, CHAT = CustomerId("ann"), ConversationId("chat")
ORDER = "Your order number is LF-204815."
FEE = "There is a late payment fee of £7.50 if your bill is unpaid 7 days after it was due. [1]"
NOTES = "The customer asks about fees again and again."
TURNS, BUDGET = 200, 600


class RemindingLLM:
    """Repeats the customer's order number whenever it is asked, and keeps the notes; keeps its last request."""

    name = model = "reminding"

    def __init__(self):
        self.notes = 0

    async def stream(self, request, limits):
        if "You keep the notes" in request.lines[0].text:
            self.notes += 1
            yield Text(text=NOTES)
        else:
            self.last = request
            yield Text(text=f"{ORDER} {FEE}")
        yield Finished(reason="stop", provider=self.name, model=self.model, prompt_tokens=1, completion_tokens=1)

    async def close(self):
        """Nothing to release."""


def build(llm):
    settings = Settings(_env_file=None, max_conversation_history=BUDGET, messages_per_minute=10_000)
    log = MemoryLog()
    memory = CachedMemory(LocalCells(), Seal([b"k" * 32]), log, settings)
    writer = Writer(llm, PROMPTS, PRICES, settings, MemoryAccounts())
    mind = Mind(memory, MemoryProfiles(), settings, log, writer.summariser)
    return Bot(settings=settings, log=log, search=OneArticle(), writer=writer, mind=mind)


async def ask(bot, text):
    asked = await bot.accept(CHAT, ANN, text)
    async with asyncio.timeout(60):
        async for entry in bot.log.follow(CHAT, asked.seq):
            if entry.answers == asked.seq:
                return entry.text


def conversation_tokens(request):
    """What the prompt holds of the conversation: the turns before the question, and what is known."""
    lines = request.lines[1:-1]
    _, _, known = request.lines[0].text.partition("<known>\n")
    return sum(PER_LINE + estimate_tokens(line.text) for line in lines) + estimate_tokens(known.partition("\n</known>")[0])


async def test_two_hundred_turns_fit_into_the_budget_and_the_number_of_turn_three_is_told_in_turn_two_hundred():
    llm = RemindingLLM()
    bot = build(llm)
    most = 0
    for number in range(1, TURNS + 1):
        said = "My order number is LF-204815." if number == 3 else f"And what is the late fee of bill {number}? " * 3
        reply = await ask(bot, said)
        assert (ORDER in reply) == (number > 3), (number, reply)  # before, it rests on nothing
        most = max(most, conversation_tokens(llm.last))
    assert most <= BUDGET
    assert most > BUDGET / 2
    assert llm.notes
    assert NOTES in llm.last.lines[0].text
    assert await ask(bot, "what was my order number again?") == "The order number you gave me is LF-204815."
    await bot.close()


async def test_a_number_of_another_conversation_is_not_told():
    bot = build(RemindingLLM())
    assert ORDER not in await ask(bot, "what is the late fee?")
    assert "LF-204815" not in await ask(bot, "what was my order number again?")
    await bot.close()
