"""What a server that is of no use is the matter with, in words that say what to do; never an address with its password."""

import ssl

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TimedOut

OLDEST = (6, 2)
"""The oldest Redis whose commands and access lists we rely on."""
NEEDED = "~frontdesk:* &frontdesk:* +@read +@write +@connection +@pubsub +@scripting +info +time"
"""What an access list must give our user."""

_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((AuthenticationError, AuthorizationError), "refuses our user or password; correct them in REDIS_URL"),
    ((NoPermissionError,), f"does not let our user do what we need; give it `{NEEDED}`"),
    ((ReadOnlyError,), "is a read-only replica; REDIS_URL must name the primary"),
    ((OutOfMemoryError,), "is out of memory; raise its `maxmemory`, or set `maxmemory-policy volatile-lru`"),
    ((BusyLoadingError,), "is still loading its data"),
    ((MovedError,), "is part of a cluster; REDIS_URL must name a single server"),
    ((ssl.SSLError,), "cannot be reached over TLS; look at its certificate, or at `rediss://` in REDIS_URL"),
    ((TimeoutError, TimedOut), "does not answer in time"),
    ((Unreachable, OSError), "cannot be reached; see whether it runs, and whether REDIS_URL is right"),
)


def explain(failure: RedisError | OSError) -> str:
    """What is the matter and what to do, to be put behind the server's name."""
    causes = [failure, failure.__cause__, failure.__context__]
    for kinds, reason in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return _certainly(reason, failure)
    return f"answered with an error that we do not expect ({type(failure).__name__})"


def explain_version(version: str) -> str:
    """What to do about a server that is too old; empty for one that is not, or that does not tell."""
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    if len(numbers) < 2 or tuple(numbers) >= OLDEST:
        return ""
    return f"is Redis {version}; at least {OLDEST[0]}.{OLDEST[1]} is needed"


def _certainly(reason: str, failure: RedisError | OSError) -> str:
    """A few words of the server itself where they can only be about the server."""
    return f"{reason} [{str(failure).split(' ', 1)[0]}]" if isinstance(failure, ResponseError) else reason
