"""Settings: the company, and where things lie that the server reads and keeps."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

LARKFIELD = "Larkfield"
ROOT = Path(__file__).resolve().parent.parent
LARKFIELDS_INTENTS = ROOT / "knowledge" / "intents.yaml"
GENERIC_INTENTS = ROOT / "knowledge" / "intents.generic.yaml"
"""What customers of any company come for, until it has a file of its own."""
_KEY = re.compile(r"[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?")
"""32 bytes in base64: 43 signs, of which the last holds four bits."""


class PlaceSettings(BaseSettings):
    """Whose server it is, what it stores where, and what it reads."""

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
    tool_call_days: int = Field(
        365, ge=1, description="Days for which the audit log keeps what tools were asked for, and by whom."
    )
    ticket_days: int = Field(
        1095, ge=1, description="Days for which a solved or closed ticket is kept after its last change."
    )
    articles_dir: Path = Field(
        ROOT / "knowledge" / "articles", description="Help articles that are ingested when there is no index yet."
    )
    intents_file: Path = Field(
        default_factory=lambda fields: LARKFIELDS_INTENTS if fields["company"] == LARKFIELD else GENERIC_INTENTS,
        description="What customers come for, as data; learned anew when it changes. Unset: `knowledge/intents.yaml` for "
        "Larkfield, `knowledge/intents.generic.yaml` for any other company.",
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

    @field_validator("chainlit_auth_secret")
    @classmethod
    def _check_auth_secret(cls, value: str | None) -> str | None:
        if value and len(set(value)) < 10:
            raise ValueError("too weak: the same few characters again and again; use `openssl rand -hex 32`")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError(f"{origin!r} is no origin: write `https://HOST`, without a path, a slash at the end or `*`")
        return value


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
