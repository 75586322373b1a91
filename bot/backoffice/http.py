"""A real back office over HTTP: the interface of docs/backoffice.md, with every answer checked before it is believed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from bot.backoffice.office import CustomerAccount, Invoice, Outage, Slot, Visit, VisitKind
from bot.errors import BackofficeDown, BackofficeWrong, ToolRefused

T = TypeVar("T")
MOST_BYTES = 512 * 1024
MOST_ROWS = 500
SECONDS = 2.5
"""How long a whole answer may take."""
NOT_POSSIBLE = "That is not possible any more. Please choose another time, or ask for a colleague."

ACCOUNT = TypeAdapter(CustomerAccount)
INVOICES = TypeAdapter(list[Invoice])
VISITS = TypeAdapter(list[Visit])
VISIT = TypeAdapter(Visit)
SLOT = TypeAdapter(Slot)
SLOTS = TypeAdapter(list[Slot])
OUTAGES = TypeAdapter(list[Outage])


class Owned(Protocol):
    """Something that says whose it is."""

    @property
    def account(self) -> str:
        """The account's number."""
        ...


Own = TypeVar("Own", bound=Owned)


class HttpOffice:
    """A Backoffice behind an address, with a token. It does not try again: what is slow is told as down."""

    def __init__(self, url: str, token: str, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(seconds),
            follow_redirects=False,
        )

    async def account(self, account: str) -> CustomerAccount | None:
        """See Backoffice."""
        body = await self._get(f"/accounts/{quote(account, safe='')}")
        return None if body is None else own(account, read(ACCOUNT, body))

    async def invoices(self, account: str, limit: int = 24) -> Sequence[Invoice]:
        """See Backoffice."""
        body = await self._get(f"/accounts/{quote(account, safe='')}/invoices", {"limit": str(limit)})
        found = own_all(account, rows(INVOICES, body))
        return sorted(found, key=lambda one: (one.issued, one.number), reverse=True)[:limit]

    async def visits(self, account: str) -> Sequence[Visit]:
        """See Backoffice."""
        found = own_all(account, rows(VISITS, await self._get(f"/accounts/{quote(account, safe='')}/visits")))
        return sorted(found, key=lambda visit: (not visit.is_ahead, visit.slot.day, visit.slot.start_hour))

    async def free_slots(self, account: str, line: str, kind: VisitKind) -> Sequence[Slot]:
        """See Backoffice."""
        body = await self._get(f"/accounts/{quote(account, safe='')}/slots", {"line": line, "kind": kind})
        return sorted(rows(SLOTS, body), key=lambda slot: (slot.day, slot.start_hour))

    async def outages(self, postcode: str) -> Sequence[Outage]:
        """See Backoffice."""
        return rows(OUTAGES, await self._get("/outages", {"postcode": postcode}))

    async def book(self, account: str, line: str, kind: VisitKind, slot: Slot, key: str) -> Visit:
        """See Backoffice."""
        body = {"line": line, "kind": kind, "slot": SLOT.dump_python(slot, mode="json")}
        return await self._change("POST", account, "", body, key)

    async def move(self, account: str, visit: str, slot: Slot, key: str) -> Visit:
        """See Backoffice."""
        return await self._change("PATCH", account, visit, {"slot": SLOT.dump_python(slot, mode="json")}, key)

    async def cancel(self, account: str, visit: str, key: str) -> Visit:
        """See Backoffice."""
        return await self._change("DELETE", account, visit, None, key)

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> bytes | None:
        """The body, or None where there is no such thing."""
        status, body = await self._send(self._client.build_request("GET", path, params=query))
        if status == httpx.codes.NOT_FOUND:
            return None
        if status != httpx.codes.OK:
            raise BackofficeWrong(f"GET answered {status}")
        return body

    async def _change(self, method: str, account: str, visit: str, body: Mapping[str, object] | None, key: str) -> Visit:
        path = f"/accounts/{quote(account, safe='')}/visits" + (f"/{quote(visit, safe='')}" if visit else "")
        request = self._client.build_request(method, path, json=body, headers={"Idempotency-Key": key})
        status, answer = await self._send(request)
        if status in (httpx.codes.NOT_FOUND, httpx.codes.CONFLICT, httpx.codes.UNPROCESSABLE_ENTITY):
            raise ToolRefused(NOT_POSSIBLE)
        if status not in (httpx.codes.OK, httpx.codes.CREATED):
            raise BackofficeWrong(f"{method} answered {status}")
        return own(account, read(VISIT, answer))

    async def _send(self, request: httpx.Request) -> tuple[int, bytes]:
        """Status and JSON body. Raises BackofficeDown or BackofficeWrong; their texts hold no customer's data."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.send(request, stream=True)
                try:
                    check_status(request, answer)
                    return answer.status_code, await read_body(answer)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failure:
            raise BackofficeDown(f"{request.method}: {type(failure).__name__}") from None


def check_status(request: httpx.Request, answer: httpx.Response) -> None:
    """Raises BackofficeDown where it says that it is broken or busy, BackofficeWrong where what it gives is not JSON."""
    status = answer.status_code
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise BackofficeDown(f"{request.method} answered {status}")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.is_success and kind != "application/json":
        raise BackofficeWrong(f"{request.method} answered {kind or 'no content type'}, not application/json")


async def read_body(answer: httpx.Response) -> bytes:
    """The body. Raises BackofficeWrong over MOST_BYTES."""
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise BackofficeWrong(f"an answer of more than {MOST_BYTES} bytes")
    return bytes(body)


def read(shape: TypeAdapter[T], body: bytes | None) -> T:
    """The body as a noun. Raises BackofficeWrong, which names the place and not what stood there."""
    try:
        return shape.validate_json(body or b"")
    except ValidationError as invalid:
        first = invalid.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise BackofficeWrong(f"an answer in another shape: {place}: {first['type']}") from None


def rows(shape: TypeAdapter[list[T]], body: bytes | None) -> list[T]:
    """The body as nouns; nothing there is none of them. Raises BackofficeWrong."""
    found = [] if body is None else read(shape, body)
    if len(found) > MOST_ROWS:
        raise BackofficeWrong(f"more than {MOST_ROWS} rows")
    return found


def own(account: str, found: Own) -> Own:
    """What was found, if it is the account's. Raises BackofficeWrong."""
    if found.account != account:
        raise BackofficeWrong("an answer for another account")
    return found


def own_all(account: str, found: Sequence[Own]) -> Sequence[Own]:
    """All of it, if it is the account's. Raises BackofficeWrong."""
    return [own(account, one) for one in found]
