"""A fitted classifier as a file: arrays and JSON only, nothing that could run code when it is read.

Vectors are kept with 16 bits a number, as `fit_intents` rounds them before it learns.
"""

import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from bot.classifier import Classifier
from bot.kernel import Kernel
from bot.ngrams import Grams, Weights
from bot.scope import Gate

FORMAT = 2
"""Counts up when anything about fitting or the file changes: an older file is then not read."""


class ModelFileUnreadable(Exception):
    """The file is missing, damaged, or of another format."""


def save_classifier(classifier: Classifier, path: Path) -> None:
    """Write the file so that a reader sees all of it or nothing. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "format": FORMAT,
        "names": classifier.names,
        "words_weight": classifier.kernel.words_weight,
        "sharpness": classifier.sharpness,
        "bias": classifier.gate.bias,
        "threshold": classifier.gate.threshold,
    }
    grams = classifier.kernel.grams
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        np.savez_compressed(
            file,
            settings=np.frombuffer(json.dumps(settings).encode(), np.uint8),
            vectors=classifier.kernel.vectors.astype(np.float16),
            values=grams.values,
            columns=grams.columns,
            ends=grams.ends,
            idf=classifier.weights.idf,
            coefficients=classifier.coefficients,
            means=classifier.means,
            foreign=classifier.foreign,
            gate=classifier.gate.weights,
        )
    os.replace(file.name, path)  # noqa: PTH105  the one atomic way


def load_classifier(path: Path) -> Classifier:
    """Read the file. Raises ModelFileUnreadable."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            held = {name: arrays[name] for name in arrays.files}
        settings = json.loads(held["settings"].tobytes())
        if settings["format"] != FORMAT:
            raise ModelFileUnreadable(f"{path}: format {settings['format']}, this version reads {FORMAT}")
        grams = Grams.of(held["values"], held["columns"], held["ends"])
        return Classifier(
            names=tuple(settings["names"]),
            kernel=Kernel(vectors=held["vectors"].astype(np.float32), grams=grams, words_weight=settings["words_weight"]),
            weights=Weights(idf=held["idf"]),
            coefficients=held["coefficients"],
            means=held["means"],
            foreign=held["foreign"],
            sharpness=settings["sharpness"],
            gate=Gate(weights=held["gate"], bias=settings["bias"], threshold=settings["threshold"]),
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileUnreadable(f"{path}: {error}") from error
