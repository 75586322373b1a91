"""Settings of the providers: who writes the answers, and how long each may take."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

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


class ProviderSettings(BaseSettings):
    """For those who buy the models."""

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
