"""A page of the web chat without a browser: the same cookie, the same frames, light enough for thousands in one process.

    async with open_http() as http:
        client = ChatClient("http://127.0.0.1:8000", http)
        await client.sign_in()                      # POST /auth/header, keeps the cookie
        await client.connect()                      # WebSocket, Engine.IO 4, Socket.IO 5, then `connection_successful`
        ack = await client.send("My bill went up")  # {"ok": True, "seq": 1, "id": …} once it is committed
        reply = await client.wait_for_reply(ack["seq"])
        await client.close()

`steps` is what the page would show, in its order, keyed by step id and updated as the page updates it. `conversation` is
the id in the page's address (`/thread/<id>`). A second tab is `client.tab(conversation)`; a page that lost its connection
is `await client.drop()` and `await client.connect()` (the same session id); a refresh is `client.tab(client.conversation)`.
For load, `keep=False` stores no steps and no events, only replies nobody took yet. Frames can be written by hand with
`send_event` and `send_frame`.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

Step = dict[str, Any]


class ConnectionRefused(Exception):
    """The server refused the WebSocket or the Socket.IO connection."""


@asynccontextmanager
async def open_http(connections: int = 0) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session to share between clients; it keeps no cookies of its own (0 connections means no limit)."""
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield http


class ChatClient:
    """One page: a session id, a cookie, a WebSocket."""

    def __init__(
        self,
        address: str,
        http: aiohttp.ClientSession,
        *,
        cookie: str = "",
        conversation: str = "",
        session_id: str | None = None,
        keep: bool = True,
    ) -> None:
        self.address, self.http, self.cookie = address.rstrip("/"), http, cookie
        self.conversation, self.keep = conversation, keep
        self.session_id = session_id or str(uuid.uuid4())
        self.steps: dict[str, Step] = {}
        self.events: list[tuple[str, Any]] = []
        self.toasts: list[dict[str, str]] = []
        self.working = False
        self._replies: dict[int, Step] = {}
        self.closed = asyncio.Event()
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._ack_count = 0
        self._waiting: dict[tuple[str, Any], list[asyncio.Future[Any]]] = {}

    # -- the page's HTTP calls

    async def sign_in(self) -> str:
        """Become a visitor; returns and keeps the cookie (`access_token=…`)."""
        async with self.http.post(f"{self.address}/auth/header", json={}) as response:
            response.raise_for_status()
            self.cookie = response.headers["Set-Cookie"].split(";", 1)[0]
        return self.cookie

    async def request(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Any HTTP call with this visitor's cookie: (status, JSON or text)."""
        headers = {"Cookie": self.cookie, **options.pop("headers", {})}
        async with self.http.request(method, self.address + path, headers=headers, **options) as response:
            body = await response.text(errors="replace")
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(body) if is_json else body

    def tab(self, conversation: str = "") -> "ChatClient":
        """Another page of the same visitor, at `/thread/<conversation>` or at `/`."""
        return ChatClient(self.address, self.http, cookie=self.cookie, conversation=conversation, keep=self.keep)

    # -- the page's socket

    async def connect(
        self,
        *,
        seconds: float = 60.0,
        origin: str | None = None,
        auth: Mapping[str, Any] | None = None,
        announce: bool = True,
    ) -> None:
        """Open the socket as the page does; raises ConnectionRefused.

        `auth` overrides fields of what the page sends; `announce=False` leaves out `connection_successful`.
        """
        headers = {"Cookie": self.cookie} | ({"Origin": origin} if origin else {})
        url = self.address.replace("http", "ws", 1) + "/ws/socket.io/?EIO=4&transport=websocket"
        fields = {"clientType": "webapp", "sessionId": self.session_id, "threadId": self.conversation, "userEnv": "{}"}
        async with asyncio.timeout(seconds):
            try:
                self._ws = await self.http.ws_connect(url, headers=headers, max_msg_size=0, autoping=True)
            except aiohttp.ClientError as error:
                raise ConnectionRefused(str(error)) from None
            await self._frame("0")
            await self._ws.send_str("40" + json.dumps(fields | {"chatProfile": ""} | dict(auth or {})))
            await self._frame("40")
        self.closed.clear()
        self._reader = asyncio.create_task(self._read(self._ws))
        if announce:
            await self.send_event("connection_successful")

    async def _frame(self, prefix: str) -> str:
        assert self._ws is not None
        message = await self._ws.receive()
        if message.type is not aiohttp.WSMsgType.TEXT or not message.data.startswith(prefix):
            await self._ws.close()
            raise ConnectionRefused(str(message.data))
        return str(message.data)

    async def send_event(self, name: str, payload: Any = None, *, ack: bool = False) -> Any:
        """Emit an event; with `ack`, wait for the server's acknowledgement and return it."""
        arguments = [name] if payload is None else [name, payload]
        if not ack:
            await self.send_frame("42" + json.dumps(arguments))
            return None
        self._ack_count += 1
        number = self._ack_count
        self._acks[number] = future = asyncio.get_running_loop().create_future()
        await self.send_frame(f"42{number}" + json.dumps(arguments))
        return await future

    async def send_frame(self, frame: str | bytes) -> None:
        """Write a raw frame."""
        assert self._ws is not None, "connect first"
        await (self._ws.send_bytes(frame) if isinstance(frame, bytes) else self._ws.send_str(frame))

    async def send(self, text: Any, client_id: str | None = None, *, seconds: float = 60.0, **fields: Any) -> dict[str, Any]:
        """Send a message as the page does; returns the acknowledgement: `ok`, then `seq` and `id` or `reason`."""
        message = {
            "threadId": "",
            "id": client_id or str(uuid.uuid4()),
            "name": "visitor",
            "type": "user_message",
            "output": text,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "metadata": {"location": self.address},
        }
        payload = {"message": message | fields, "fileReferences": []}
        async with asyncio.timeout(seconds):
            answer: dict[str, Any] = await self.send_event("client_message", payload, ack=True)
        return answer

    async def stop(self) -> None:
        """Press the stop button."""
        await self.send_event("stop")

    async def wait_for_reply(self, seq: int, *, seconds: float = 60.0) -> Step:
        """The reply or notice that settles the customer's message `seq`."""
        if seq not in self._replies:
            await self._wait("answers", seq, seconds)
        return self._replies.pop(seq)

    async def wait_for_step(self, step_id: str, *, seconds: float = 60.0) -> Step:
        """The step with this id, now or when it comes."""
        return self.steps[step_id] if step_id in self.steps else await self._wait("step", step_id, seconds)

    async def wait_for_event(self, name: str, *, seconds: float = 60.0) -> Any:
        """The data of the next event of this name."""
        return await self._wait("event", name, seconds)

    async def until(self, is_so: Callable[[], object], *, seconds: float = 60.0) -> None:
        """Wait until what the page was told makes it so, be it already."""
        async with asyncio.timeout(seconds):
            while not is_so():
                await self._wait("any", None, seconds)

    async def ask(self, text: str, *, seconds: float = 60.0) -> Step:
        """Send a message and wait for what settles it; raises AssertionError if the message was refused."""
        ack = await self.send(text, seconds=seconds)
        assert ack["ok"], ack
        return await self.wait_for_reply(ack["seq"], seconds=seconds)

    async def close(self, *, clear: bool = False) -> None:
        """Leave politely; `clear` forgets the session at once, as "New chat" does."""
        if clear and self._ws is not None and not self._ws.closed:
            await self.send_event("clear_session")
        await self.drop()

    async def drop(self) -> None:
        """Lose the connection; `connect` again resumes the same session."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._ws is not None:
            await self._ws.close()
        self._ws = self._reader = None

    # -- what comes in

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in ws:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                await self._take(ws, message.data)
                await asyncio.sleep(0)  # who waited for this goes on, and may wait for what comes next, before it is read
        finally:
            self.closed.set()
            for future in self._acks.values():
                future.cancel()
            self._acks.clear()

    async def _take(self, ws: aiohttp.ClientWebSocketResponse, frame: str) -> None:
        if frame == "2":
            await ws.send_str("3")
        elif frame == "41":
            self.closed.set()  # the server has let go of the page
        elif frame.startswith("42"):
            name, *data = json.loads(frame[2:])
            self._show(name, data[0] if data else None)
        elif frame.startswith("43"):
            bracket = frame.index("[")
            future = self._acks.pop(int(frame[2:bracket]), None)
            if future is not None and not future.done():
                future.set_result(next(iter(json.loads(frame[bracket:])), None))

    def _show(self, name: str, data: Any) -> None:
        if self.keep:
            self.events.append((name, data))
        if name in ("new_message", "update_message"):
            self._add(data)
        elif name == "delete_message":
            self.steps.pop(data["id"], None)
        elif name == "first_interaction":
            self.conversation = data["thread_id"]
        elif name == "resume_thread":
            self.conversation = data["id"]
            self.steps.clear()
            for step in data["steps"]:
                self._add(step)
        elif name in ("task_start", "task_end"):
            self.working = name == "task_start"
        elif name == "toast":
            self.toasts.append(data)
        self._wake("event", name, data)
        self._wake("any", None, None)

    def _add(self, step: Step) -> None:
        if self.keep:
            self.steps[step["id"]] = {**self.steps.get(step["id"], {}), **step}
        self._wake("step", step["id"], step)
        answers = step.get("metadata", {}).get("answers")
        if answers is not None:
            self._replies[answers] = step
            self._wake("answers", answers, step)
        for child in step.get("steps", ()):
            self._add(child)

    async def _wait(self, kind: str, key: Any, seconds: float) -> Any:
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((kind, key), []).append(future)
        async with asyncio.timeout(seconds):
            return await future

    def _wake(self, kind: str, key: Any, value: Any) -> None:
        for future in self._waiting.pop((kind, key), ()):
            if not future.done():
                future.set_result(value)
