"""A tool: a function with a typed signature that a model may ask for, who may use it, and whether it changes anything."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from bot.backoffice.office import Backoffice
from bot.domain import ConversationId, CustomerId, Escalation
from bot.errors import ToolRefused
from bot.llm.stream import ToolSpec
from bot.tickets import Priority, Tickets
from knowledge.document import Search

MOST_ARGUMENT_CHARS = 4000
"""Arguments over this, as JSON, are refused unread."""
_KEPT_SCHEMA = ("type", "description", "enum", "minLength", "maxLength", "pattern", "minimum", "maximum", "format")
_WRONG: Mapping[str, str] = {
    "extra_forbidden": "is not known",
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "string_too_long": "is too long",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "is not in the right form",
    "literal_error": "is none of the choices",
    "date_type": "must be a date such as 2026-11-24",
    "date_from_datetime_parsing": "must be a date such as 2026-11-24",
    "date_parsing": "must be a date such as 2026-11-24",
}


class Role(StrEnum):
    """Who asks, as the server knows it."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf tools are called: from the conversation, never from what anybody wrote.

    `account` is the customer's number in the back office, None for a visitor who is not signed in. `seq` is the message that
    the turn answers, `priority` of a ticket that it opens follows from how the message was read. `request` names what a
    person at the desk asked for, and who that is; it is empty where a message was answered.
    """

    customer: CustomerId
    conversation: ConversationId
    seq: int
    role: Role = Role.CUSTOMER
    account: str | None = None
    priority: Priority = Priority.NORMAL
    request: str = ""

    @property
    def owner(self) -> str:
        """Whose tickets they are: the account's where there is one, so that another device shows them too."""
        return f"account:{self.account}" if self.account else self.customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What the tools stand on; `zone` is the company's, by whose clock customers are told days and times."""

    office: Backoffice
    tickets: Tickets
    search: Search
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one call has at hand; `key` names the change that it makes, `now` is UTC."""

    caller: Caller
    supplies: Supplies
    now: datetime
    key: str = ""

    @property
    def account(self) -> str:
        """The signed-in customer's account. The toolbox has seen to it that there is one."""
        if self.caller.account is None:
            raise ToolRefused("There is no account.")
        return self.caller.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a tool tells: `words` for the customer and the model, `value` for the bot's own rules."""

    words: str
    value: object = None
    escalation: Escalation | None = None


Doing = Callable[..., Awaitable[Told]]
Planning = Callable[..., Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that may be asked for by name; with a `plan` it changes something and waits for the customer's yes.

    The plan checks that the change is possible and says in words what will be done.
    """

    name: str
    description: str
    do: Doing
    arguments: type[BaseModel]
    roles: frozenset[Role]
    needs_account: bool
    plan: Planning | None = None
    per_minute: int = 30

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.plan is not None

    def spec(self) -> ToolSpec:
        """The tool as a model sees it."""
        return ToolSpec(name=self.name, description=self.description, parameters=_schema(self.arguments))

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments, each of its type. Raises ToolRefused naming what is wrong."""
        try:
            text = json.dumps(arguments, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise ToolRefused(f"{self.name}: the arguments are not JSON.") from None
        if len(text) > MOST_ARGUMENT_CHARS:
            raise ToolRefused(f"{self.name}: the arguments are too long (at most {MOST_ARGUMENT_CHARS} characters).")
        try:
            read = self.arguments.model_validate_json(text, strict=True)
        except ValidationError as invalid:
            raise ToolRefused(f"{self.name}: {_explain(invalid)}") from None
        return {name: getattr(read, name) for name in self.arguments.model_fields}


def tool(
    *, roles: Sequence[Role] = tuple(Role), account: bool = False, plan: Planning | None = None, per_minute: int = 30
) -> Callable[[Doing], Tool]:
    """Make a tool of a function: its first parameter is the Work, the others are what a model may say."""

    def make(do: Doing) -> Tool:
        return Tool(
            name=do.__name__,
            description=inspect.cleandoc(do.__doc__ or ""),
            do=do,
            arguments=_arguments(do),
            roles=frozenset(roles),
            needs_account=account,
            plan=plan,
            per_minute=per_minute,
        )

    return make


def _arguments(do: Doing) -> type[BaseModel]:
    """The parameters after the first as a strict model."""
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(do).parameters.values())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (parameter.annotation, Field(default))
    return create_model(do.__name__, __config__=ConfigDict(extra="forbid", strict=True, frozen=True), **fields)


def _schema(arguments: type[BaseModel]) -> dict[str, Any]:
    """A flat JSON schema that every vendor takes."""
    full = arguments.model_json_schema()
    properties = {
        name: {key: value for key, value in inner.items() if key in _KEPT_SCHEMA}
        for name, inner in full.get("properties", {}).items()
    }
    return {"type": "object", "properties": properties, "required": full.get("required", []), "additionalProperties": False}


def _explain(invalid: ValidationError) -> str:
    """What is wrong with each argument, in our words and without what was given."""
    found = invalid.errors(include_input=False, include_url=False, include_context=False)
    lines = [
        f"`{str(one['loc'][0])[:40] if one['loc'] else 'arguments'}` {_WRONG.get(one['type'], 'is wrong')}"
        for one in found[:3]
    ]
    return f"{', '.join(lines)}."
