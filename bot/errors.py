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
├── LogUnavailable            the conversation log cannot be read or written; nothing was stored
│   └── LogCorrupt
└── SettingsInvalid           every problem of the settings at once
"""


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


class LogUnavailable(FrontdeskError):
    """The conversation log cannot be read or written (locked, full, read-only, unreachable); nothing was stored."""


class LogCorrupt(LogUnavailable):
    """The database file is damaged or not a database."""


class SettingsInvalid(FrontdeskError):
    """The settings cannot be used; the text lists every problem."""
