"""Which pages may talk to us: our own, and those of the sites in ALLOWED_ORIGINS."""

from collections.abc import Collection


def origin_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a request with these `Origin` and `Host` headers may come in.

    Browsers always send an origin with a WebSocket or a change; whatever sends none is no page of another site.
    """
    if origin is None:
        return True
    scheme, _, authority = origin.partition("://")
    return origin in allowed or (scheme in ("http", "https") and authority != "" and authority == host)
