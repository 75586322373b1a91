"""What goes to a language model and what comes back: the nouns of `bot/llm/` and the one Protocol every model keeps."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from knowledge.document import Found

Role = Literal["system", "customer", "bot", "tool"]
FinishReason = Literal["stop", "length", "tools"]


def nothing_shown() -> str:
    """The customer has read nothing of this reply yet."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """A model's wish to call a tool, whole and with arguments that parsed; `provider` and `extra` are its vendor's own."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    provider: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the prompt; a tool's result names the request it answers by `answers`."""

    role: Role
    text: str
    tool_requests: tuple[ToolRequest, ...] = ()
    answers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as a model sees it: `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything a model needs to write a reply.

    `lines` is the rendered prompt; `question` and `found` are the same matter unrendered, and `quote` is what the articles
    say word for word, which the extractive answerer gives.
    `shown` tells, when asked, what the customer has already read of this reply: a replacement model must know it.
    `optional` says that the turn can do without it: a failover asks the first provider that fares well, and nobody else.
    """

    lines: tuple[Line, ...]
    question: str
    found: Found
    quote: str = ""
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 700
    temperature: float = 0.2
    shown: Callable[[], str] = nothing_shown
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a model may take, in seconds; `deadline` is a time of the event loop's clock, for the whole turn."""

    connect_seconds: float
    first_token_seconds: float
    between_tokens_seconds: float
    deadline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A piece of the reply as it was streamed; any length, cut anywhere."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """The model that was writing died mid-reply; what follows is another one's, answering afresh.

    `prompts` are the hashes by name of the prompt files that it was told more with.
    """

    failed: str
    provider: str
    prompts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A provider that was asked for this reply and failed, or was left out (`began_ms` None): for traces and accounts.

    `error` is one of our own words; `detail` is the vendor's text without secrets, for staff only. `began_ms` counts since
    the failover began, the other times since this provider was asked. Tokens are estimates of what was paid for all the
    same; nothing was sent where they are 0.
    """

    provider: str
    model: str
    error: str
    detail: str = ""
    began_ms: float | None = None
    first_token_ms: float | None = None
    took_ms: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A composite asks this provider now; if nobody reads on, it is the one to be paid. `attempts` failed before it."""

    provider: str
    model: str
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of every good stream. Tokens are `estimated` when the vendor did not say; None where there are none.

    `attempts` are the ones that failed before this provider answered, in order. Times are milliseconds since this provider
    was asked, as a composite took them.
    """

    reason: FinishReason
    provider: str
    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    estimated: bool = False
    attempts: tuple[Attempt, ...] = ()
    first_token_ms: float | None = None
    took_ms: float | None = None


Event = Began | Text | ToolRequest | Replaced | Finished


class LLM(Protocol):
    """A language model, a composite of several, or something that answers like one."""

    name: str
    model: str

    def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The reply as events, the last of them `Finished`; a stream that ends without it has failed.

        Raises only what `bot.errors` lists under ProviderFailed. Closing the generator closes the connection. Tool requests
        come whole, in one breath with `Finished`: after one nothing of this stream fails any more.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
