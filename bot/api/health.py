"""`/api/v1/health`: whether messages can be taken and answered; public, so no secrets."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from bot.api.access import Parts
from bot.api.seams import Seams
from bot.errors import LogUnavailable
from bot.pages.health import Versioned

router = APIRouter(prefix="/health", tags=["health"])


class Provider(BaseModel):
    """A language model's vendor and the state of its breaker."""

    name: str
    state: str


class Health(BaseModel):
    """`degraded`: a provider is left out, and others or the articles answer; `agents_on` is null where nobody can tell."""

    status: str
    database: str
    knowledge: str | None
    providers: list[Provider]
    agents_on: int | None


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"


@router.get("", responses={503: {"model": Health, "description": "Messages cannot be stored now."}})
async def health(parts: Parts) -> Response:
    """Ready (200) or not (503), and how each part fares."""
    told = await look(parts)
    return JSONResponse(told.model_dump(), 503 if told.status == "unavailable" else 200)


@router.get("/live")
async def live() -> Alive:
    """Whether the process answers at all; asks nothing of anybody else."""
    return Alive()


@router.get("/ready", responses={503: {"model": Health, "description": "Messages cannot be stored now."}})
async def ready(parts: Parts) -> Response:
    """Whether messages can be taken; the same as `/health`."""
    return await health(parts)


async def look(parts: Seams) -> Health:
    """How each part fares."""
    bot = parts.bot
    try:
        await bot.log.check()
    except LogUnavailable:
        writable = False
    else:
        writable = True
    well = all(provider.state == "closed" for provider in bot.providers)
    return Health(
        status="unavailable" if not writable else "ok" if well else "degraded",
        database="ok" if writable else "unavailable",
        knowledge=bot.search.version if isinstance(bot.search, Versioned) else None,
        providers=[Provider(name=status.provider, state=status.state) for status in bot.providers],
        agents_on=await _agents_on(parts),
    )


async def _agents_on(parts: Seams) -> int | None:
    if parts.duty is None:
        return None
    try:
        return sum(one.state == "available" for one in await parts.duty.on_duty())
    except LogUnavailable:
        return None
