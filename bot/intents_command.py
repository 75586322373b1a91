"""`python -m bot intents`: learns the product's own intents, so that its first start need not."""

from pathlib import Path

from bot.classify import SHIPPED, fit_intents, model_name
from bot.intents import read_intents
from bot.model_file import save_classifier
from knowledge.embed import Embedder


def ship_intents(file: Path, folder: Path = SHIPPED) -> Path:
    """Learn the file and keep what was learned in the folder, in the place of what was there. Raises SettingsInvalid."""
    intents = read_intents(file)
    kept = folder / model_name(intents)
    save_classifier(fit_intents(intents, Embedder()), kept)
    for other in set(folder.glob("*.npz")) - {kept}:
        other.unlink()
    return kept
