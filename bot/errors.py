"""The error tree: named for what is the matter, translated at the edge.

FrontdeskError
├── MessageRefused            the message cannot be taken; `reason` is written for the customer
│   ├── MessageEmpty
│   ├── MessageTooLong
│   ├── MessageUnreadable     not text: wrong type, broken encoding
│   ├── TooManyMessages       rate or waiting messages over the limit
│   └── ClientIdReused        the same client id came with another text
├── NotYours                  the conversation belongs to another customer
├── ConversationUnknown
├── HolderChanged             somebody else holds the conversation by now; nothing was appended
├── LogUnavailable            the conversation log cannot be read or written; nothing was stored
│   └── LogCorrupt
├── StoreUnavailable          the store that processes share (Redis) cannot be used now; what it held is read from the log
├── SealBroken                a stored value was sealed by another key or for another place, or was changed
├── ProviderFailed            a language model's vendor failed; `detail` holds its own words, for the log and for staff
│   ├── ProviderRefused       connection refused or reset, no such host, no TLS
│   ├── ProviderTimedOut      no connection, no first token or no next token in time
│   │   └── DeadlinePassed    the turn's time ran out; says nothing about the vendor
│   ├── ProviderDown          the vendor answered that it is broken or overloaded
│   ├── RateLimited           too many requests; `retry_after` says when to come back
│   ├── QuotaExhausted        no credit or no quota left for the day
│   ├── ProviderUnauthorised  wrong key, or a key without the right
│   ├── ModelUnknown          no such model, deployment or path
│   ├── BadRequest            the vendor does not take what we sent
│   │   └── ContextTooLong    the prompt is larger than the model's window
│   ├── ContentFiltered       the vendor's safety filter stopped it
│   ├── StreamBroken          the stream died, could not be read, or ended without a finish reason
│   │   ├── EmptyCompletion   it ended well and said nothing
│   │   ├── ToolCallBroken    a tool call without a name, or whose arguments are not a JSON object
│   │   └── StreamTooLong     over the cap of bytes or of text
│   └── AllProvidersFailed    every member of the failover failed or was left out; `failures` in order
├── ToolRefused               a tool call that is not done; `reason` may be read by the customer and the model
│   └── NotSignedIn           it needs an account and the customer is a visitor
├── BackofficeFailed          the company's own system cannot be asked; `detail` is for the log and for staff
│   ├── BackofficeDown        refused, hung, or answered that it is broken or busy
│   └── BackofficeWrong       its answer is not what was agreed: HTML, another shape, another customer's, too large
├── StaffInvalid              an account of the staff cannot be made or changed so
├── SignInFailed              nobody of the staff is let in by the company's own accounts; `reason` may be read by them
├── DeskRefused               what an agent asked for cannot be done now; `reason` is written for the agent
├── IntentsInvalid            every problem of the intents file at once, each with its line
├── PromptInvalid             a prompt file cannot be used; names the file and the variable
└── SettingsInvalid           every problem of the settings at once
"""

from typing import Any, ClassVar, Literal

Trips = Literal["counted", "at once", "never"]
"""What a failure means for the vendor's breaker: one of several in a row, left out for long at once, or nothing."""


class FrontdeskError(Exception):
    """The root; its text is for the developer's log, never for a customer."""


class MessageRefused(FrontdeskError):
    """The message was not stored; `reason` is a sentence the customer may read."""

    reason = "This message could not be taken."

    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason or self.reason
        super().__init__(self.reason)


class MessageEmpty(MessageRefused):
    """Nothing is left once white space and invisible characters are gone."""

    reason = "Your message was empty. Please write what you need help with."


class MessageTooLong(MessageRefused):
    """Over the limit of characters; refused whole, never cut."""


class MessageUnreadable(MessageRefused):
    """Not text that can be stored."""

    reason = "Your message contained characters that could not be read. Please type it again as plain text."


class TooManyMessages(MessageRefused):
    """Over the customer's rate, or too many messages still waiting for a reply."""

    reason = "You are sending messages faster than I can read them. Please wait a moment and send it again."


class ClientIdReused(MessageRefused):
    """The same client message id came with another text."""

    reason = "That message was already sent with other words. Please send it as a new message."


class NotYours(FrontdeskError):
    """The conversation belongs to another customer."""


class ConversationUnknown(FrontdeskError):
    """There is no such conversation."""


class HolderChanged(FrontdeskError):
    """Somebody else holds the conversation by now; nothing was appended."""


class LogUnavailable(FrontdeskError):
    """The conversation log cannot be read or written (locked, full, read-only, unreachable); nothing was stored."""


class LogCorrupt(LogUnavailable):
    """The database file is damaged or not a database."""


class StoreUnavailable(FrontdeskError):
    """The store that processes share (Redis) cannot be used now; it holds nothing that the log cannot tell again."""


class SealBroken(FrontdeskError):
    """A stored value was sealed by a key we do not have or for another place, or it was changed; it is not to be used."""


class ProviderFailed(FrontdeskError):
    """A vendor failed. The text is made of our words only; `detail` is the vendor's, without secrets, never for a customer.

    `again` says that a second try at once can help; `retry_after` is in seconds, as the vendor said it. A failover hangs the
    `attempts` on it that led to it (`bot.llm.stream.Attempt`).
    """

    attempts: tuple[Any, ...] = ()
    kind: ClassVar[str] = "failed"
    trips: ClassVar[Trips] = "counted"
    again: ClassVar[bool] = False

    def __init__(self, provider: str, detail: str = "", *, retry_after: float | None = None) -> None:
        self.provider = provider
        self.detail = detail
        self.retry_after = retry_after
        super().__init__(f"{provider}: {self.kind}")


class ProviderRefused(ProviderFailed):
    """Connection refused or reset before an answer, no such host, no TLS."""

    kind = "refused"
    again = True


class ProviderTimedOut(ProviderFailed):
    """No connection, no first token or no next token within the limit."""

    kind = "timed out"


class DeadlinePassed(ProviderTimedOut):
    """The turn's time ran out while the vendor was at it; its breaker learns nothing from that."""

    kind = "deadline passed"
    trips = "never"


class ProviderDown(ProviderFailed):
    """The vendor answered that it is broken or overloaded (5xx)."""

    kind = "down"
    again = True


class RateLimited(ProviderFailed):
    """Too many requests; with `retry_after` the vendor is left out for that long."""

    kind = "rate limited"


class QuotaExhausted(ProviderFailed):
    """No credit, or no quota left for the day; trying again soon cannot succeed."""

    kind = "quota exhausted"
    trips = "at once"


class ProviderUnauthorised(ProviderFailed):
    """Wrong key, or a key without the right."""

    kind = "unauthorised"
    trips = "at once"


class ModelUnknown(ProviderFailed):
    """No such model, deployment or path: the model's name or the base URL is wrong."""

    kind = "model or path unknown"
    trips = "at once"


class BadRequest(ProviderFailed):
    """The vendor does not take what we sent; another one may."""

    kind = "bad request"
    trips = "never"


class ContextTooLong(BadRequest):
    """The prompt is larger than the model's window."""

    kind = "context too long"


class ContentFiltered(ProviderFailed):
    """The vendor's safety filter stopped the prompt or the reply; no other model is asked to write what one would not."""

    kind = "content filtered"
    trips = "never"


class StreamBroken(ProviderFailed):
    """The stream died, could not be read, or ended without a finish reason."""

    kind = "stream broken"
    again = True


class EmptyCompletion(StreamBroken):
    """The stream ended well and said nothing."""

    kind = "empty completion"


class ToolCallBroken(StreamBroken):
    """A tool call without a name, cut off, or with arguments that are not a JSON object."""

    kind = "tool call broken"


class StreamTooLong(StreamBroken):
    """Over the cap of bytes or of text; asking again would only cost the same again."""

    kind = "stream too long"
    again = False


class AllProvidersFailed(ProviderFailed):
    """Every member of the failover failed or was left out; `failures` are theirs, in order."""

    kind = "all providers failed"

    def __init__(self, failures: tuple[ProviderFailed, ...]) -> None:
        self.failures = failures
        super().__init__("failover", "; ".join(map(str, failures)) or "every provider is left out for now")


class ToolRefused(FrontdeskError):
    """A tool call that is not done; `reason` is a sentence that the customer and the model may read."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotSignedIn(ToolRefused):
    """The tool needs an account, and the customer is a visitor."""

    def __init__(self) -> None:
        super().__init__("You are not signed in, so I cannot see an account. Please sign in and ask again.")


class BackofficeFailed(FrontdeskError):
    """The company's own system cannot be asked; `detail` is for the log and for staff, never for a customer."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


class BackofficeDown(BackofficeFailed):
    """Refused, hung, or answered that it is broken or busy."""


class BackofficeWrong(BackofficeFailed):
    """Its answer is not what was agreed: HTML, another shape, another customer's data, too large."""


class PromptInvalid(FrontdeskError):
    """A prompt file cannot be used; the text names the file and the variable or line."""


class SettingsInvalid(FrontdeskError):
    """The settings cannot be used; the text lists every problem."""


class StaffInvalid(FrontdeskError):
    """An account of the staff cannot be made or changed so; the text says what is wrong."""


class SignInFailed(FrontdeskError):
    """The company's accounts let nobody in; `reason` is a sentence that whoever signs in may read."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class DeskRefused(FrontdeskError):
    """What an agent asked for cannot be done now; `reason` is a sentence the agent may read. Nothing was stored."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class IntentsInvalid(FrontdeskError):
    """The intents file cannot be used; the text names the file and lists every problem with its line."""
