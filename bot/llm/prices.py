"""What a reply cost: a table of prices as data. A model that is not in it costs an unknown amount, not nothing."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.errors import SettingsInvalid

TABLE = Path(__file__).with_name("prices.yaml")
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{3,4}|preview.*|latest)$")
Price = tuple[float, float]


class Prices:
    """US dollars for a million tokens of prompt and completion, by provider and model."""

    def __init__(self, table: Mapping[str, Mapping[str, Price]]) -> None:
        self._table = table

    def cost(self, provider: str, model: str, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
        """US dollars, or None where the price or the tokens are unknown. A dated snapshot costs what its model costs."""
        models = self._table.get(provider, {})
        price = models.get(model) or models.get(_SNAPSHOT.sub("", model)) or models.get("*")
        if price is None or (any(price) and (prompt_tokens is None or completion_tokens is None)):
            return None
        return ((prompt_tokens or 0) * price[0] + (completion_tokens or 0) * price[1]) / 1e6


def read_prices(own: Path | None = None) -> Prices:
    """The table that ships, with an own one over it. Raises SettingsInvalid naming the file and the entry."""
    table = _read_table(TABLE)
    for provider, models in (_read_table(own) if own else {}).items():
        table[provider] = {**table.get(provider, {}), **models}
    return Prices(table)


def _read_table(path: Path) -> dict[str, dict[str, Price]]:
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as unreadable:
        raise SettingsInvalid(f"LLM_PRICES: {path} cannot be read: {unreadable}") from None
    if not isinstance(read, dict) or not all(isinstance(models, dict) for models in read.values()):
        raise SettingsInvalid(f"LLM_PRICES: {path} is not a table of providers, each a table of models")
    return {
        str(provider): {str(model): _read_price(path, f"{provider}: {model}", price) for model, price in models.items()}
        for provider, models in read.items()
    }


def _read_price(path: Path, entry: str, price: object) -> Price:
    if isinstance(price, list) and len(price) == 2 and all(isinstance(p, int | float) and 0 <= p < 1e6 for p in price):
        return float(price[0]), float(price[1])
    raise SettingsInvalid(f"LLM_PRICES: {path}, {entry}: {price!r} is not [dollars for prompt, dollars for completion]")
