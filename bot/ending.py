"""The end of background tasks."""

import asyncio

AGAIN_SECONDS = 5.0


async def end(*tasks: "asyncio.Task[None] | None") -> None:
    """Cancel the tasks until each has ended, whatever it ends with.

    Once is not enough: a cancel in the very moment in which a time limit inside the task ends is taken for the limit, by our
    own `except OSError` as by a library's, and a loop then goes on for ever with somebody waiting for its end.
    """
    left = {task for task in tasks if task is not None}
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
        await asyncio.gather(*ended, return_exceptions=True)
