"""Background tasks end, also those that lose a cancel."""

import asyncio

from bot import ending
from bot.ending import end


async def test_a_task_that_takes_a_cancel_for_its_time_limit_is_cancelled_again(monkeypatch):
    monkeypatch.setattr(ending, "AGAIN_SECONDS", 0.01)
    lost = 0

    async def go_on_for_ever():
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    async def fail():
        raise ValueError("nobody minds")

    stubborn, failing = asyncio.create_task(go_on_for_ever()), asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end(stubborn, failing, None)
    assert stubborn.cancelled()
    assert lost == 2
    await end(stubborn)
    await end()
