"""`GET /health`: whether the chat can take and answer messages, for load balancers and for people. Public, so no secrets."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bot.bot import Bot
from bot.errors import LogUnavailable
from bot.llm.members import ProviderStatus

logger = logging.getLogger(__name__)


@runtime_checkable
class Versioned(Protocol):
    """A search that tells which version of the index it answers from."""

    version: str


def health_router(bot: Bot) -> APIRouter:
    """200 while messages can be stored, else 503. `degraded`: a provider or the memory is left out."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health")
    async def health() -> Response:
        writable = await _is_writable(bot)
        providers = [show_provider(status) for status in bot.providers]
        shared = bot.shared
        well = all(provider["state"] == "closed" for provider in providers) and (shared is None or shared.well)
        return JSONResponse(
            {
                "status": "unavailable" if not writable else "ok" if well else "degraded",
                "database": "ok" if writable else "unavailable",
                "knowledge": {"version": bot.search.version if isinstance(bot.search, Versioned) else None},
                "providers": providers,
                "memory": {"kind": shared.kind, "ok": shared.well} if shared else None,
            },
            200 if writable else 503,
            {"Cache-Control": "no-store"},
        )

    return router


def show_provider(status: ProviderStatus) -> Mapping[str, Any]:
    """How a provider fares: its breaker's state, and its last failure by our word for it, never by the provider's own."""
    return {
        "name": status.provider,
        "state": status.state,
        "opens_in_seconds": status.opens_in_seconds,
        "last_error": status.last_error,
        "last_error_at": status.last_error_at.isoformat(timespec="seconds") if status.last_error_at else None,
    }


async def _is_writable(bot: Bot) -> bool:
    try:
        await bot.log.check()
    except LogUnavailable as failure:
        logger.warning("not healthy: %s", failure)
        return False
    return True
