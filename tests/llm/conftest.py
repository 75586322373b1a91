"""What the tests of `bot/llm` share: the vendors, built from settings against a loopback server, and nothing beyond it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
import pytest_socket

from bot.llm.stream import LLM, Event, Limits, Line, Request, Text, ToolSpec
from bot.llm.vendors import VENDORS
from bot.settings import Settings
from knowledge.document import Found
from tests.llm.vendor_server import Plan, VendorServer

OPENAI_LIKE = ["openai", "azure", "compatible", "gemini by openai"]
NATIVE = ["gemini", "gemini by google-generativeai"]
EVERY_VENDOR = OPENAI_LIKE + NATIVE

LOOKUP = ToolSpec(
    name="lookup",
    description="Looks up a bill.",
    parameters={
        "type": "object",
        "properties": {"month": {"type": ["string", "null"], "description": "The month."}, "kind": {"enum": ["a", "b"]}},
        "required": ["month"],
        "additionalProperties": False,
    },
)


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """No test here can reach a real provider."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"])
    yield
    pytest_socket._remove_restrictions()


def settings_for(url: str, **more: object) -> Settings:
    return Settings(
        _env_file=None,
        openai_base_url=f"{url}/v1",
        openai_api_key="sk-secret-one",
        azure_openai_endpoint=url,
        azure_openai_api_key="secret-two",
        azure_openai_deployment="desk",
        compatible_base_url=f"{url}/v1",
        compatible_model="llama",
        gemini_base_url=url,
        gemini_api_key="AIza-secret-three",
        **more,
    )


def build(vendor: str, url: str, **more: object) -> LLM:
    name, _, backend = vendor.partition(" by ")
    settings = settings_for(url, gemini_backend=backend or "google-genai", **more)
    return VENDORS[name].build(settings)


@asynccontextmanager
async def vendor_at(vendor: str, *plans: Plan) -> AsyncIterator[tuple[LLM, VendorServer]]:
    """A vendor's model and the server it talks to, answering by `plans`."""
    async with VendorServer(*plans) as server:
        llm = build(vendor, server.url)
        try:
            yield llm, server
        finally:
            await llm.close()


def limits(first: float = 30.0, between: float = 30.0, connect: float = 30.0, deadline: float = 60.0) -> Limits:
    """Limits that no test runs into on a slow machine; a test of a limit says which."""
    now = asyncio.get_running_loop().time()
    return Limits(
        connect_seconds=connect, first_token_seconds=first, between_tokens_seconds=between, deadline=now + deadline
    )


def request(*lines: Line, shown: Callable[[], str] = lambda: "", **more: object) -> Request:
    return Request(
        lines=lines or (Line(role="system", text="Be kind."), Line(role="customer", text="Why did my bill go up?")),
        question="Why did my bill go up?",
        found=Found(passages=(), answerability=0.0, version="none"),
        shown=shown,
        **more,
    )


async def events_of(llm: LLM, asked: Request | None = None, within: Limits | None = None) -> list[Event]:
    return [event async for event in llm.stream(asked or request(), within or limits())]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))
