"""What is held about one customer: told, and taken away. For administrators, and for the customer."""

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from bot.api.access import AdminOrOwner, Parts
from bot.domain import CustomerId
from bot.records import ERASED

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/customers", tags=["customers"])

Known = Annotated[str, Path(max_length=200, min_length=1)]


class Held(BaseModel):
    """All that is held about a customer, by the store that holds it."""

    customer: str
    held: dict[str, Any]


class Taken(BaseModel):
    """What was taken away, by the store that held it."""

    customer: str
    erased: dict[str, dict[str, int]]


@router.get("/{customer}/data")
async def export(customer: Known, who: AdminOrOwner, parts: Parts) -> Held:
    """Everything that is held about the customer."""
    id = CustomerId(customer)
    stores = (parts.records, *parts.personal)
    return Held(customer=customer, held={store.name: await store.export(id) for store in stores})


@router.delete("/{customer}/data")
async def erase(customer: Known, who: AdminOrOwner, parts: Parts) -> Taken:
    """Take everything away, for good: when this returns, no byte of it is in any file of ours. Again is harmless."""
    id = CustomerId(customer)
    if customer.startswith(ERASED):
        return Taken(customer=customer, erased={})
    for conversation in await parts.bot.log.conversations(id, limit=100):
        await parts.bot.stop(conversation.id, id)
    erased = {}
    for store in (*parts.personal, parts.records):  # the log last: the others may be told again from it
        erased[store.name] = dict(await store.erase(id))
    logger.info("a customer was erased: %s", erased)
    return Taken(customer=customer, erased=erased)
