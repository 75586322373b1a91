"""Settings of the API: tokens, proxies, and limits on what customers may send."""

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

SHORTEST_SECRET = 32


class ApiSettings(BaseSettings):
    """For those who connect it to their site: identity and limits."""

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

    @field_validator("customer_token_secret")
    @classmethod
    def _check_token_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value and (len(value.get_secret_value()) < SHORTEST_SECRET or len(set(value.get_secret_value())) < 10):
            raise ValueError(f"too weak: {SHORTEST_SECRET} random characters, such as `openssl rand -hex 32` prints")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            if ip_network(network, strict=False).prefixlen == 0:
                raise ValueError(f"{network} is everybody: name the proxies' own addresses")
        return value
