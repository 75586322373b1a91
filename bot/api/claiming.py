"""What an anonymous customer said becomes the customer's who signs in, whichever way they came."""

from collections.abc import Awaitable, Callable

from bot.bot import Bot
from bot.domain import CustomerId
from bot.records import Records


async def claim(
    bot: Bot, records: Records, visitor: CustomerId, customer: CustomerId, end: Callable[[], Awaitable[None]]
) -> int:
    """Make the visitor's conversations the customer's and `end` the visit; how many they were.

    Raises LogUnavailable; signing in again then goes on where it was, and nothing is lost.
    """
    claimed = await records.claim(visitor, customer)
    await end()
    claimed += await records.claim(visitor, customer)  # what was begun before the visit was over
    bot.forget(visitor)
    return claimed
