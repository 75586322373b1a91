"""The settings: the only reader of the environment. A setting is its name in capitals, in the environment or in `.env`."""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsInvalid

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting with its default, unit and meaning; the README's table is generated from here."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    company: str = Field("Larkfield", min_length=1, max_length=60, description="The company's name, as customers read it.")
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
    articles_dir: Path = Field(
        ROOT / "knowledge" / "articles", description="Help articles that are ingested when there is no index yet."
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

    message_max_chars: int = Field(4000, ge=1, le=32_000, description="Longest customer message; a longer one is refused.")
    messages_per_minute: int = Field(120, ge=1, description="Messages a customer may send a minute, all chats together.")
    visitors_per_minute: int = Field(6000, ge=1, description="New visitors a minute from one network address.")
    waiting_messages: int = Field(5, ge=1, description="Messages of one conversation that may wait for a reply.")
    turn_seconds: float = Field(20.0, gt=0, description="Deadline of a whole turn, in seconds.")

    answerable_above: float = Field(
        0.5, ge=0, le=1, description="The bot answers when the probability that the articles hold the answer is above this."
    )


def read_settings() -> Settings:
    """The settings of this process. Raises SettingsInvalid naming every wrong setting at once."""
    try:
        return Settings()
    except ValidationError as invalid:
        lines = [f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']} (is {e.get('input')!r})" for e in invalid.errors()]
        raise SettingsInvalid("Frontdesk cannot start:\n  " + "\n  ".join(lines)) from None


def settings_table() -> str:
    """Every setting as a row of a Markdown table: name, default, meaning."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(rows)


def _default(value: object) -> str:
    if value is None or value is PydanticUndefined or value == ():
        return "unset"
    shown = value.relative_to(ROOT) if isinstance(value, Path) and value.is_absolute() else value
    return f"`{shown}`"
