"""How much one address and one customer may ask for: counted in Redis when there is one, else in this process."""

import hashlib
import logging
import time

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from bot.api.places import Places
from bot.api.problems import Refused
from bot.bus import Bus
from bot.domain import CustomerId
from bot.settings import Settings

logger = logging.getLogger(__name__)

LOGINS_PER_MINUTE = 10
"""Passwords of the staff tried from one network address."""
_SCHEMES = {"redis": "async+redis", "rediss": "async+rediss", "unix": "async+redis+unix"}


class Limits:
    """Every limit of the API; what is open is counted on the `bus`, and so in every process."""

    def __init__(self, settings: Settings, bus: Bus | None = None) -> None:
        self._requests = RateLimitItemPerMinute(settings.requests_per_minute, namespace="requests")
        self._sessions = RateLimitItemPerHour(settings.sessions_per_hour, namespace="sessions")
        self._messages = RateLimitItemPerDay(settings.messages_per_day, namespace="messages")
        self._logins = RateLimitItemPerMinute(LOGINS_PER_MINUTE, namespace="logins")
        self.places = Places(settings.max_ws_connections_per_user, bus)
        self._here = FixedWindowRateLimiter(MemoryStorage())
        url = settings.redis_url.get_secret_value() if settings.redis_url else ""
        self._shared = FixedWindowRateLimiter(_redis(url)) if url else None

    async def request(self, network: str) -> None:
        """Count a request. Raises Refused (429)."""
        await self._count(self._requests, network, "Too many requests come from your network.")

    async def session(self, network: str) -> None:
        """Count a new anonymous session. Raises Refused (429)."""
        await self._count(self._sessions, network, "Too many new chats come from your network.")

    async def login(self, network: str) -> None:
        """Count an attempt to log in. Raises Refused (429)."""
        await self._count(self._logins, network, "Too many passwords were tried from your network.")

    async def message(self, customer: CustomerId) -> None:
        """Count a message. Raises Refused (429)."""
        await self._count(self._messages, _pseudonym(customer), "You have sent as many messages today as we can take.")

    async def _count(self, item: RateLimitItem, key: str, sorry: str) -> None:
        limiter = self._shared or self._here
        try:
            allowed = await limiter.hit(item, key)
            resets = 0.0 if allowed else (await limiter.get_window_stats(item, key)).reset_time
        except StorageError as error:
            logger.warning("requests are counted in this process, because Redis does not: %s", type(error).__name__)
            allowed, resets = await self._here.hit(item, key), time.time()
        if not allowed:
            raise Refused(429, f"too_many_{item.namespace}", f"{sorry} Try again later.", retry_after=resets - time.time())


def _redis(url: str) -> Storage:
    scheme, _, rest = url.partition("://")
    return RedisStorage(
        f"{_SCHEMES[scheme]}://{rest}", wrap_exceptions=True, implementation="redispy", key_prefix="frontdesk-limits"
    )


def _pseudonym(customer: CustomerId) -> str:
    """Names stay out of Redis."""
    return hashlib.sha256(customer.encode()).hexdigest()[:32]
