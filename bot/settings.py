"""The settings: the only reader of the environment. A setting is its name in capitals, in the environment or in `.env`."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsInvalid

SHORTEST_PASSWORD = 12
LARKFIELD = "Larkfield"
SHORTEST_SECRET = 32
_KEY = re.compile(r"[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?")
"""32 bytes in base64: 43 signs, of which the last holds four bits."""
ROOT = Path(__file__).resolve().parent.parent
ProviderName = Literal["openai", "azure", "gemini", "compatible", "scripted", "extractive"]
_NEEDED_BY: dict[str, ProviderName] = {
    "openai_api_key": "openai",
    "azure_openai_endpoint": "azure",
    "azure_openai_api_key": "azure",
    "azure_openai_deployment": "azure",
    "gemini_api_key": "gemini",
    "compatible_base_url": "compatible",
    "compatible_model": "compatible",
    "llm_script": "scripted",
}


class Settings(BaseSettings):
    """Every setting with its default, unit and meaning; the README's table is generated from here."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    company: str = Field(LARKFIELD, min_length=1, max_length=60, description="The company's name, as customers read it.")
    assistant: str = Field(
        default_factory=lambda fields: f"{fields['company']} assistant",
        min_length=1,
        max_length=60,
        description="The name on the bot's messages; unset: the company's name and `assistant`.",
    )

    data_dir: Path = Field(Path("data"), description="Folder for everything the bot stores: database, index, secrets.")
    database_url: str | None = Field(
        None, description="SQLAlchemy address of a PostgreSQL database (`postgresql://…`); unset: SQLite in `DATA_DIR`."
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis or Valkey server for what processes share (`redis://`, `rediss://` for TLS, `unix://`, with user "
        "and password); unset: an embedded server in `DATA_DIR`.",
    )
    memory_keys: SecretStr | None = Field(
        None,
        description="Keys that seal what is kept there, 32 bytes in base64 each, separated by commas: the first seals, all "
        "open. Unset: one is made and kept in `DATA_DIR`. Same in all processes.",
    )
    session_timeout: int = Field(
        86_400, ge=60, description="Seconds after a conversation's last turn for which its memory is kept at hand."
    )
    max_conversation_history: int = Field(
        2000, ge=200, le=100_000, description="Tokens of a conversation that a prompt may hold: recent turns and summary."
    )
    profile_days: int = Field(
        365, ge=1, description="Days for which something learnt about a customer is remembered after it was last said."
    )
    articles_dir: Path = Field(
        ROOT / "knowledge" / "articles", description="Help articles that are ingested when there is no index yet."
    )
    intents_file: Path = Field(
        ROOT / "knowledge" / "intents.yaml", description="What customers come for, as data; learned anew when it changes."
    )
    chainlit_auth_secret: str | None = Field(
        None,
        min_length=32,
        description="Signs visitors' cookies; unset: made once and kept in `DATA_DIR`. Same in all processes.",
    )
    allowed_origins: tuple[str, ...] = Field(
        (),
        description='Other sites whose pages may open the chat, as a JSON list of origins (`["https://www.example.com"]`).',
    )

    desk_file: Path = Field(
        ROOT / "bot" / "policies" / "desk.yaml",
        description="The desk's hours, holidays, priorities, teams, offers and outcomes (YAML).",
    )
    canned_file: Path = Field(
        ROOT / "bot" / "policies" / "canned.yaml", description="Replies that agents send often (YAML)."
    )
    webhook_url: str | None = Field(
        None, description="Address that is told of every escalation, claim and close, as signed JSON; unset: nobody is."
    )
    webhook_secret: SecretStr | None = Field(
        None, validate_default=True, description="Signs what `WEBHOOK_URL` is told (HMAC-SHA256); needed with it."
    )
    slack_webhook_url: SecretStr | None = Field(
        None, description="Slack-compatible incoming webhook (Slack, Mattermost) that is told the same in a sentence."
    )

    developer_password: SecretStr | None = Field(
        None, description="Opens the pages under `/developer` that show how each turn was answered; unset: there are none."
    )
    mask_traces: bool = Field(True, description="Hide customers' e-mail addresses, phone and card numbers on those pages.")

    message_max_chars: int = Field(4000, ge=1, le=32_000, description="Longest customer message; a longer one is refused.")
    environment: Literal["production", "development"] = Field(
        "production", description="`development` opens the API's documentation and the demo shop at `/demo` to everybody."
    )
    customer_token_secret: SecretStr | None = Field(
        None,
        description="Secret with which the company's back end signs its customers' tokens (HS256), 32 characters or more.",
    )
    customer_token_public_key: Path | None = Field(
        None, description="PEM file of the public key for such tokens instead (RS256, 2,048 bits or more)."
    )
    customer_token_audience: str = Field(
        "frontdesk", min_length=1, max_length=200, description="Audience (`aud`) that such a token must name."
    )
    customer_token_issuer: str | None = Field(None, description="Issuer (`iss`) that it must name; unset: any.")
    customer_token_leeway_seconds: int = Field(
        30, ge=0, le=120, description="How far the company's clock may be from ours, in seconds."
    )
    session_seconds: int = Field(
        3600, ge=60, le=86_400, description="Life of an API session's token; it is renewed without asking the customer."
    )

    trusted_proxies: tuple[str, ...] = Field(
        (),
        description='Networks of our own proxies, whose `X-Forwarded-For` is believed, as a JSON list (`["10.0.0.0/8"]`).',
    )
    requests_per_minute: int = Field(1200, ge=1, description="API requests a minute from one network address.")
    sessions_per_hour: int = Field(600, ge=1, description="New anonymous API sessions an hour from one network address.")
    messages_per_day: int = Field(2000, ge=1, description="Messages a customer may send a day (UTC) over the API.")
    max_ws_connections_per_user: int = Field(
        10, ge=1, description="Open sockets and streams of the API that one customer may have at a time."
    )
    messages_per_minute: int = Field(120, ge=1, description="Messages a customer may send a minute, all chats together.")
    visitors_per_minute: int = Field(6000, ge=1, description="New visitors a minute from one network address.")
    waiting_messages: int = Field(5, ge=1, description="Messages of one conversation that may wait for a reply.")
    turn_seconds: float = Field(20.0, gt=0, description="Deadline of a whole turn, in seconds.")

    # 0.75: on 180 development questions 5 wrong and 113 right replies (docs/decisions/0041).
    answerable_above: float = Field(
        0.75, ge=0, le=1, description="The bot answers when the probability that the articles hold the answer is above this."
    )

    backoffice_url: str | None = Field(
        None,
        description="Your own back office (docs/backoffice.md): accounts, invoices, visits. Unset: see `DEMO`.",
    )
    backoffice_token: SecretStr | None = Field(None, validate_default=True, description="What it knows the bot by.")
    demo: bool = Field(
        default_factory=lambda fields: fields["company"] == LARKFIELD and not fields["backoffice_url"],
        description="Whether Larkfield's made-up accounts, invoices and visits stand behind the bot; unset: as long as the "
        "company is Larkfield and there is no `BACKOFFICE_URL`.",
    )
    demo_account: str | None = Field(
        None,
        pattern=r"^1002\d{5}$",
        description="A made-up customer that every visitor of the demo is taken for (`100200001` to `100200200`).",
    )

    country: str = Field(
        "GB",
        pattern=r"^[A-Za-z]{2}$",
        description="Where the customers are (ISO 3166): hotlines, and how phone numbers are read.",
    )
    # 0.5: 1 of 70 look-alikes, 50 of 50 crises and 13 of 20 that no rule was written for (docs/decisions/0023).
    crisis_near_above: float = Field(
        0.5, ge=0, le=1, description="A message this near to written examples of danger is taken for danger."
    )
    # 0.6: 0 of 250 safe prompts and 2 of 27,174 real questions (docs/decisions/0023).
    injection_above: float = Field(
        0.6, ge=0, le=1, description="Text that looks this much like an order to the bot narrows the turn to retrieval."
    )
    # 0.65: `evals tune escalation` on 380 messages of ours: precision 0.92, recall 0.38 (docs/decisions/0021).
    frustration_above: float = Field(
        0.65, ge=0, le=1, description="A colleague is offered above this frustration, and brought in when it lasts."
    )
    # 0.45: precision 0.81, recall 0.56 on the same messages; the trend must agree.
    declining_above: float = Field(0.45, ge=0, le=1, description="The same while frustration rises from message to message.")
    # 0.5: as for a VIP below; an apology too many costs little.
    upset_above: float = Field(
        0.5, ge=0, le=1, description="A customer is spoken to as somebody who is upset above this frustration."
    )
    # 0.5: precision 0.81, recall 0.55 on the same messages.
    priority_above: float = Field(
        0.5, ge=0, le=1, description="A VIP or vulnerable customer is handed over above this frustration."
    )
    # 2: what Larkfield's customers are promised (talk-to-a-person). The next two are chosen: no stored conversations yet.
    unhelped_turns: int = Field(
        2, ge=1, description="Turns in a row without help for the same need after which a colleague takes over."
    )
    long_conversation_turns: int = Field(
        12, ge=2, description="Turns without a solution after which a colleague is offered."
    )
    offer_again_after: int = Field(
        3, ge=1, description="Turns after which a colleague is offered again when the offer was not taken."
    )

    llm_providers: Annotated[tuple[ProviderName, ...] | None, NoDecode] = Field(
        None,
        description="Who writes the answers, in the order they are asked: `openai`, `azure`, `gemini`, `compatible`, "
        "`scripted`, `extractive`, with commas; unset: those with a key, in this order, then `extractive`.",
    )
    openai_base_url: str = Field("https://api.openai.com/v1", description="Server of `openai`, up to and with `/v1`.")
    openai_api_key: SecretStr | None = Field(None, validate_default=True, description="Key of `openai`.")
    openai_model: str = Field("gpt-4.1-mini", min_length=1, description="Model of `openai`.")
    azure_openai_endpoint: str | None = Field(
        None, validate_default=True, description="Server of `azure` (`https://NAME.openai.azure.com`)."
    )
    azure_openai_api_key: SecretStr | None = Field(None, validate_default=True, description="Key of `azure`.")
    azure_openai_deployment: str | None = Field(None, validate_default=True, description="Deployment of `azure`.")
    azure_openai_api_version: str = Field("2024-10-21", min_length=1, description="API version of `azure`.")
    gemini_base_url: str = Field("https://generativelanguage.googleapis.com", description="Server of `gemini`.")
    gemini_api_version: str = Field("v1beta", pattern=r"^v\w+$", description="API version of `gemini`.")
    gemini_api_key: SecretStr | None = Field(None, validate_default=True, description="Key of `gemini`.")
    gemini_model: str = Field("gemini-2.5-flash-lite", min_length=1, description="Model of `gemini`.")
    gemini_backend: Literal["google-genai", "google-generativeai", "openai"] = Field(
        "google-genai",
        description="How `gemini` is called: Google's current library, its retired one, or its OpenAI-compatible address.",
    )
    compatible_base_url: str | None = Field(
        None, validate_default=True, description="Any OpenAI-compatible server (Groq, Ollama, vLLM), up to and with `/v1`."
    )
    compatible_api_key: SecretStr | None = Field(None, validate_default=True, description="Its key, if it wants one.")
    compatible_model: str | None = Field(None, validate_default=True, description="Its model.")
    llm_script: Path | None = Field(
        None, validate_default=True, description="Replies that `scripted` replays, for tests and demos (YAML or JSON)."
    )
    llm_prices: Path | None = Field(None, description="Own price table over the one in `bot/llm/prices.yaml` (same form).")
    tokens_per_customer_per_day: int | None = Field(
        None,
        ge=1,
        description="Tokens that the providers may take for one customer in a day (UTC); then the articles are quoted. "
        "Unset: no cap.",
    )
    llm_connect_seconds: float = Field(1.0, gt=0, description="Longest wait for a connection to a provider.")
    llm_first_token_seconds: float = Field(2.5, gt=0, description="Longest wait for a provider's first word.")
    llm_between_tokens_seconds: float = Field(3.0, gt=0, description="Longest pause of a provider that has begun.")
    llm_patience_seconds: float = Field(
        5.0, gt=0, description="Longest wait for any provider's first word; then the articles are quoted."
    )
    llm_breaker_failures: int = Field(
        2, ge=1, description="Failures in a row after which a provider is left out for a while."
    )
    llm_breaker_open_seconds: float = Field(
        5.0, gt=0, description="How long it is left out first; doubles with each relapse."
    )
    llm_breaker_longest_seconds: float = Field(
        300.0, gt=0, description="How long at most; and at once on a wrong key, an unknown model or an exhausted quota."
    )

    @field_validator("backoffice_token")
    @classmethod
    def _check_backoffice(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("backoffice_url"):
            raise ValueError("needed, because BACKOFFICE_URL is set")
        return value

    @field_validator("demo")
    @classmethod
    def _check_demo(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("backoffice_url"):
            raise ValueError("the made-up company and a real back office exclude each other: leave one of them out")
        return value

    @field_validator("demo_account")
    @classmethod
    def _check_demo_account(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not info.data.get("demo"):
            raise ValueError("visitors are lent an account of the made-up company only: leave it out, or set DEMO")
        return value

    @field_validator("llm_providers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [name.strip().lower() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @field_validator("llm_providers")
    @classmethod
    def _check_order(cls, value: tuple[ProviderName, ...] | None) -> tuple[ProviderName, ...] | None:
        if value is not None and (not value or len(set(value)) < len(value)):
            raise ValueError("name each provider once, and at least one")
        if value and "extractive" in value[:-1]:
            raise ValueError("`extractive` always answers, so what follows it is never asked: put it last")
        return value

    @field_validator("openai_base_url", "azure_openai_endpoint", "gemini_base_url", "compatible_base_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return value if value is None else _check_base_url(value.strip())

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else SecretStr(_check_redis_url(value.get_secret_value().strip()))

    @field_validator("memory_keys")
    @classmethod
    def _check_memory_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for number, key in enumerate(value.get_secret_value().split(",") if value else (), 1):
            if not _KEY.fullmatch(key.strip()):
                raise ValueError(f"key {number} is not 32 bytes in base64; make one with `openssl rand -base64 32`")
        return value

    @field_validator("customer_token_secret")
    @classmethod
    def _check_token_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value and (len(value.get_secret_value()) < SHORTEST_SECRET or len(set(value.get_secret_value())) < 10):
            raise ValueError(f"too weak: {SHORTEST_SECRET} random characters, such as `openssl rand -hex 32` prints")
        return value

    @field_validator("chainlit_auth_secret")
    @classmethod
    def _check_auth_secret(cls, value: str | None) -> str | None:
        if value and len(set(value)) < 10:
            raise ValueError("too weak: the same few characters again and again; use `openssl rand -hex 32`")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            if ip_network(network, strict=False).prefixlen == 0:
                raise ValueError(f"{network} is everybody: name the proxies' own addresses")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError(f"{origin!r} is no origin: write `https://HOST`, without a path, a slash at the end or `*`")
        return value

    @field_validator("webhook_url", "slack_webhook_url")
    @classmethod
    def _check_webhook(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        url = value.get_secret_value() if isinstance(value, SecretStr) else value
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("not an address: write it as `https://HOST/...`")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("webhook_url") and (value is None or len(value.get_secret_value()) < SHORTEST_PASSWORD):
            raise ValueError(f"needed with WEBHOOK_URL, at least {SHORTEST_PASSWORD} characters")
        return value

    @field_validator("developer_password")
    @classmethod
    def _check_password(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value().strip()) < SHORTEST_PASSWORD:
            raise ValueError(f"use at least {SHORTEST_PASSWORD} characters")
        return value

    @field_validator("openai_api_key", "azure_openai_api_key", "gemini_api_key", "compatible_api_key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value().strip() if value else ""
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("a key has only visible ASCII characters and no spaces")
        return SecretStr(key) if key else None

    @field_validator(*_NEEDED_BY)
    @classmethod
    def _check_needed(cls, value: object, info: ValidationInfo) -> object:
        name = info.field_name or ""
        own_server = (
            name == "openai_api_key" and info.data.get("openai_base_url") != cls.model_fields["openai_base_url"].default
        )
        if value is None and not own_server and _NEEDED_BY[name] in (info.data.get("llm_providers") or ()):
            raise ValueError(f"needed, because LLM_PROVIDERS names `{_NEEDED_BY[name]}`")
        return value


def read_settings() -> Settings:
    """The settings of this process. Raises SettingsInvalid naming every wrong setting at once."""
    try:
        return Settings()
    except ValidationError as invalid:
        lines = [
            f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}{_shown(e['loc'], e['input'])}"
            for e in invalid.errors()
        ]
        raise SettingsInvalid("Frontdesk cannot start:\n  " + "\n  ".join(lines)) from None


def _shown(place: tuple[int | str, ...], value: object) -> str:
    """What a wrong setting is, unless it is missing or a secret."""
    secret = str(place[0]).endswith(("_key", "_keys", "_secret", "_password", "redis_url", "webhook_url"))
    return "" if secret or value is None else f" (is {value!r})"


def _check_base_url(url: str) -> str:
    """The address without its last slash. Raises ValueError saying what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(sign.isspace() for sign in url):
        raise ValueError("not an address: write it as `https://HOST/...`")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("leave out user, password, `?` and `#`: only the server's address and path")
    if parts.port == 0:
        raise ValueError("not an address: the port is 0")
    path = parts.path.rstrip("/")
    if path.endswith(("/chat/completions", ":generateContent", ":streamGenerateContent")):
        raise ValueError("leave out the call itself (`/chat/completions` ...): only the address that comes before it")
    if parts.hostname == "api.openai.com" and path != "/v1":
        raise ValueError("OpenAI's address is `https://api.openai.com/v1`")
    return url.rstrip("/")


def _check_redis_url(url: str) -> str:
    """The address as it is. Raises ValueError, which does not repeat it: it may hold a password."""
    try:
        parts = urlsplit(url)
        is_server = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_server = False
    else:
        if is_server or (parts.scheme == "unix" and parts.path.startswith("/")):
            return url
    raise ValueError("must look like `redis://user:password@host:6379/0` (`rediss://` for TLS) or `unix:///path/to/socket`")
