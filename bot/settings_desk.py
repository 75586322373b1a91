"""Settings of the desk and of the pages for developers."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from bot.settings_place import ROOT

SHORTEST_PASSWORD = 12


class DeskSettings(BaseSettings):
    """For those who work with the conversations: the desk, who is told of it, and developers."""

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

    oidc_issuer: str | None = Field(
        None,
        description="Your company's OpenID provider (`https://login.example.com/realms/staff`), where the staff sign in "
        "too; unset: with passwords only.",
    )
    oidc_client_id: str | None = Field(None, validate_default=True, description="What it knows the desk by; needed with it.")
    oidc_client_secret: SecretStr | None = Field(None, validate_default=True, description="The secret that goes with it.")
    oidc_claim: str = Field(
        "preferred_username",
        min_length=1,
        description="What of its token is the id of an account here; the accounts themselves and their roles are ours.",
    )

    developer_password: SecretStr | None = Field(
        None, description="Opens the pages under `/developer` that show how each turn was answered; unset: there are none."
    )
    mask_traces: bool = Field(True, description="Hide customers' e-mail addresses, phone and card numbers on those pages.")

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://unset")
        is_own = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not parts.hostname or parts.query or parts.fragment or not (parts.scheme == "https" or is_own):
            raise ValueError("not the address of an issuer: write it as `https://HOST/...`")
        return value

    @field_validator("oidc_client_id", "oidc_client_secret")
    @classmethod
    def _check_client(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        if value is None and info.data.get("oidc_issuer"):
            raise ValueError("needed, because OIDC_ISSUER is set")
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
