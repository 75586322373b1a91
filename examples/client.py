"""A typed client of the API, to copy into your own program; needs httpx.

python examples/client.py http://localhost:8000 "What does a late payment cost?"
"""

import json
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import httpx

AGAIN = {408, 429, 500, 502, 503, 504}
"""Statuses after which the same message may be sent again: its client id makes it one message."""


class Problem(Exception):
    """The server refused; `code` is a word for programs, the text a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None = None) -> None:
        self.status, self.code, self.retry_after = status, code, retry_after
        super().__init__(detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A passage that a reply rests on."""

    number: int
    title: str
    heading: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a conversation; `speaker` is customer, bot, agent or system."""

    conversation: str
    seq: int
    id: str
    speaker: str
    text: str
    sources: tuple[Source, ...]

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """A line as the server tells it."""
        sources = tuple(Source(**source) for source in told["sources"])
        return cls(sources=sources, **{name: told[name] for name in ("conversation", "seq", "id", "speaker", "text")})


class Client:
    """One customer. Without `customer_token` an anonymous one; `renew_token` brings that one back later."""

    def __init__(self, server: str, *, customer_token: str | None = None, renew_token: str | None = None) -> None:
        self._http = httpx.Client(base_url=f"{server.rstrip('/')}/api/v1", timeout=40)
        self._wanted = {"customer_token": customer_token} if customer_token else {}
        self.renew_token = renew_token
        self._until = 0.0
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self._http.close()

    def say(self, text: str, conversation: str | None = None, attempts: int = 3) -> Line | None:
        """Send a message and wait for its reply; None when a person will answer (see `lines`)."""
        body = self._message(text, conversation)
        for left in range(attempts - 1, -1, -1):
            try:
                told = self._call("POST", "/chat/message", json=body)
            except (httpx.TransportError, Problem) as failure:
                if not left or (isinstance(failure, Problem) and failure.status not in AGAIN):
                    raise
                time.sleep(getattr(failure, "retry_after", None) or 1)
            else:
                return Line.read(told["reply"]) if told["reply"] else None
        return None

    def stream(self, text: str, conversation: str | None = None) -> Iterator[str | Line]:
        """Send a message; yields each sentence as it is checked, then the whole reply."""
        headers = {**self._headers(), "Accept": "text/event-stream"}
        body = self._message(text, conversation)
        with self._http.stream("POST", "/chat/message", json=body, headers=headers) as answer:
            if answer.is_error:
                answer.read()
                raise _problem(answer)
            event = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "sentence":
                    yield json.loads(value)["sentence"]
                elif name == "data" and event == "reply":
                    yield Line.read(json.loads(value))

    def lines(self, conversation: str, after: int = 0, wait: float = 0) -> list[Line]:
        """The lines above `after`; with `wait`, at most so many seconds until there is one."""
        told = self._call("GET", f"/chat/history/{conversation}", params={"after": after, "wait": wait})
        return [Line.read(line) for line in told["lines"]]

    def rate(self, reply: Line, value: int | None) -> None:
        """A thumb: 1 up, 0 down, None taken back."""
        self._call("POST", "/chat/feedback", json={"entry": reply.id, "value": value})

    def ask_for_a_person(self, conversation: str) -> None:
        """Bring a person in."""
        self._call("POST", "/chat/escalate", json={"conversation": conversation, "client_id": str(uuid.uuid4())})

    def _message(self, text: str, conversation: str | None) -> dict[str, str]:
        body = {"text": text, "client_id": str(uuid.uuid4())}
        return {**body, "conversation": conversation} if conversation else body

    def _call(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401  JSON
        answer = self._http.request(method, path, headers=self._headers(), **options)
        if answer.is_error:
            raise _problem(answer)
        return answer.json()

    def _headers(self) -> dict[str, str]:
        """With a session that is still valid for half a minute."""
        if time.monotonic() > self._until - 30:
            body = dict(self._wanted) | ({"renew_token": self.renew_token} if self.renew_token else {})
            answer = self._http.post("/chat/session", json=body)
            if answer.is_error:
                raise _problem(answer)
            told = answer.json()
            self._token, self.renew_token = told["token"], told["renew_token"]
            self._until = time.monotonic() + told["expires_in"]
        return {"Authorization": f"Bearer {self._token}"}


def _problem(answer: httpx.Response) -> Problem:
    told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    after = answer.headers.get("retry-after")
    detail = told.get("detail", answer.reason_phrase)
    return Problem(answer.status_code, told.get("code", ""), detail, float(after) if after else None)


if __name__ == "__main__":
    with Client(sys.argv[1]) as client:
        for part in client.stream(sys.argv[2]):
            if isinstance(part, Line):
                told = "".join(f"\n[{source.number}] {source.title}: {source.url}" for source in part.sources)
                print(f"\n\n{part.text}{told}")  # noqa: T201  an example
            else:
                print(part, end="", flush=True)  # noqa: T201
