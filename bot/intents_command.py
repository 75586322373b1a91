"""`python -m bot intents`: learns the product's intents, so that its first start need not, or begins a file of one's own."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from bot.classify import SHIPPED, fit_intents, model_name
from bot.errors import SettingsInvalid
from bot.intents import read_intents
from bot.model_file import ModelFileUnreadable, load_classifier, save_classifier
from bot.settings_place import GENERIC_INTENTS
from knowledge.embed import Embedder


def ship_intents(files: Sequence[Path], folder: Path = SHIPPED) -> list[Path]:
    """Learn what the folder does not hold yet, and leave nothing else there. Raises IntentsInvalid."""
    read = [read_intents(file) for file in files]
    kept = [folder / model_name(intents) for intents in read]
    for intents, path in zip(read, kept, strict=True):
        if not _is_learned(path):
            save_classifier(fit_intents(intents, Embedder()), path)
    for other in set(folder.glob("*.npz")) - set(kept):
        other.unlink()
    return kept


def start_intents(file: Path) -> None:
    """Begin a file of one's own with the intents of any company. Raises SettingsInvalid: it is there, cannot be written."""
    try:
        with GENERIC_INTENTS.open("rb") as ours, file.open("xb") as own:
            shutil.copyfileobj(ours, own)
    except FileExistsError:
        raise SettingsInvalid(f"{file} is there already and was left as it is; name another file") from None
    except OSError as error:
        raise SettingsInvalid(f"{file} cannot be written ({error.strerror})") from error


def _is_learned(path: Path) -> bool:
    try:
        load_classifier(path)
    except ModelFileUnreadable:
        return False
    return True
