"""The demo company behind a server of the tests: visits, free times and tickets, looked at and seeded beside the server."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import jwt

from bot.audit import CallRecord
from bot.backoffice.demo import DemoOffice
from bot.backoffice.office import Slot, Visit
from bot.domain import ConversationId
from bot.sql.audit import SqlAudit
from bot.sql.store import open_store
from bot.sql.tickets import SqlTickets
from bot.tickets import NewTicket, Ticket
from bot.webchat.identity import COOKIE
from tests.chat_client import ChatClient
from tests.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What stands behind the bot."""

    office: DemoOffice
    tickets: SqlTickets
    audit: SqlAudit

    async def ahead(self, account: str) -> list[Visit]:
        """The account's visits that are still to come."""
        return [visit for visit in await self.office.visits(account) if visit.is_ahead]

    async def free(self, account: str) -> Slot:
        """A free time for the account's first line, some days from now."""
        slots = await self.office.free_slots(account, f"BB-{account}-1", "repair")
        return slots[len(slots) // 2]

    async def tickets_of(self, account: str) -> Sequence[Ticket]:
        """The account's tickets."""
        return await self.tickets.of(f"account:{account}")

    async def seed_ticket(self, account: str, subject: str) -> Ticket:
        """A ticket that the account has from before."""
        wanted = NewTicket(
            customer=f"account:{account}", conversation=ConversationId(f"before-{account}"), subject=subject, key=account
        )
        return await self.tickets.open(wanted)

    async def calls(self, page: ChatClient) -> Sequence[CallRecord]:
        """The calls of the page's conversation."""
        return await self.audit.calls(ConversationId(page.conversation))


@asynccontextmanager
async def open_company(data_dir: Path) -> AsyncIterator[Company]:
    """The company in a server's folder; made there if the server has not made it yet."""
    store = open_store(None, data_dir)
    try:
        yield Company(office=DemoOffice(store), tickets=SqlTickets(store), audit=SqlAudit(store))
    finally:
        await store.close()


def page_of(server: Server, http: aiohttp.ClientSession, account: str) -> ChatClient:
    """The page of a customer who is signed in, by a cookie as the server itself signs it."""
    now = time.time()
    claims = {"identifier": account, "display_name": None, "metadata": {}, "iat": now, "exp": now + 3600}
    secret = (server.data_dir / "secret").read_text(encoding="ascii").strip()
    return ChatClient(server.address, http, cookie=f"{COOKIE}={jwt.encode(claims, secret, algorithm='HS256')}")
