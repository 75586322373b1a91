"""The settings: the only reader of the environment. A setting is its name in capitals, in the environment or in `.env`."""

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from bot.errors import SettingsInvalid
from bot.settings_api import ApiSettings
from bot.settings_desk import DeskSettings
from bot.settings_llm import ProviderName, ProviderSettings
from bot.settings_place import ROOT, PlaceSettings
from bot.settings_turn import TurnSettings

__all__ = ["ROOT", "ProviderName", "Settings", "read_settings"]


class Settings(ProviderSettings, TurnSettings, ApiSettings, DeskSettings, PlaceSettings):
    """Every setting with its default, unit and meaning; the README's table is generated from here.

    The last part comes first in the table, and is checked first: the others may ask what it holds.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )


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
