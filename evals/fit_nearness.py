"""Fits the nearness of messages to the written examples: a kernel regression for each file, on shared landmarks."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot.asking import asks_for_human
from bot.crisis import find_crisis
from bot.intents import read_intents
from bot.nearness import FILES, NEARNESS, NONE, alikeness, examples_hash, read_examples
from bot.topics import find_topics
from evals.formats import FileInvalid
from knowledge.embed import FINGERPRINT, Embedder

INTENTS = Path("knowledge/intents.yaml")
OWN_INTENTS = frozenset({"human", "extra_care", "scam_report", "complaint"})
"""Intents whose examples may be what is looked for."""
STRENGTH = 0.3
ORDINARY = 0.3
"""What an example of an intent, or of another file, weighs against one of the file's own."""
NEITHER = -0.8
"""The value of a message that is near to nothing: probably nothing of the kind."""
LANDMARKS = 900
"""Of the examples of none: every example of a kind is a landmark."""
STEPS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_RULES: Mapping[str, Callable[[str], object]] = {"crisis": find_crisis, "asking": asks_for_human, "sensitive": find_topics}
"""What another file's example must not be, to count as nothing of the kind."""
Floats = NDArray[np.float64]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """All texts' likeness to the landmarks, and which landmark is which text."""

    texts: Sequence[tuple[str, str]]
    """The file (or "intents") and the kind of each."""
    found: Mapping[str, Chosen]
    """Which texts a file's patterns find: where such a text stands in another file, it may be of the kind or not."""
    alike: Floats
    among: Floats
    places: NDArray[np.int64]


def fit_nearness(out: Path = NEARNESS) -> str:
    """Fit, write to `out`, and tell what each threshold buys by five-fold cross-validation. Raises FileInvalid."""
    texts = _texts()
    vectors = Embedder(threads=2).embed_texts([text for text, _, _ in texts]).astype(np.float16)
    dice = np.random.default_rng(0)
    is_none = np.asarray([kind == NONE for _, _, kind in texts])
    nothing = dice.permutation(np.flatnonzero(is_none))[:LANDMARKS]
    places = np.sort(np.concatenate([np.flatnonzero(~is_none), nothing]))
    cosines = vectors.astype(np.float32) @ vectors[places].astype(np.float32).T
    alike = alikeness(cosines).astype(np.float64)
    found = {name: np.asarray([bool(rule(text)) for text, _, _ in texts]) for name, rule in _RULES.items()}
    material = _Material(texts=[one[1:] for one in texts], found=found, alike=alike, among=alike[places], places=places)
    columns, slopes, kinds, told = [], [], {}, []
    for name in FILES:
        kinds[name] = [kind for kind in read_examples(name) if kind != NONE]
        columns.append(_solve(material, *_targets(material, name, kinds[name])))
        slope, table = _judge(material, name)
        slopes.append(slope)
        told.append(table)
    weights = np.hstack(columns)
    weights = np.vstack([weights, np.full(weights.shape[1], NEITHER)])
    about = {"fingerprint": FINGERPRINT, "examples": examples_hash(), "kinds": kinds}
    _write(out, vectors[places], weights, np.asarray(slopes), about)
    return "\n".join([f"{out}: {len(texts)} examples, {len(places)} landmarks", *told])


def _texts() -> list[tuple[str, str, str]]:
    """Text, file and kind of each example, each text once in a file; ordinary messages are those of the intents."""
    mine = [(text, name, kind) for name in FILES for kind, written in read_examples(name).items() for text in written]
    intents = [one for one in read_intents(INTENTS).intents if one.name not in OWN_INTENTS]
    return mine + [(text, "intents", NONE) for intent in intents for text in intent.examples]


def _targets(material: _Material, name: str, kinds: Sequence[str]) -> tuple[Floats, Floats]:
    """Targets (texts, 1 + kinds) in {-1, 1} and the weight of each text; kinds are told from each other and from none."""
    kind_of = [kind if file == name else NONE for file, kind in material.texts]
    targets = np.asarray([[kind != NONE, *(kind == one for one in kinds)] for kind in kind_of]) * 2.0 - 1
    weights = np.asarray([1.0 if file == name else ORDINARY for file, _ in material.texts])
    if name in material.found:
        weights[material.found[name] & np.asarray([file != name for file, _ in material.texts])] = 0
    if name == "sensitive":  # fraud and deaths are among what was written as no danger
        weights[[one == ("crisis", NONE) for one in material.texts]] = 0
    found = targets[:, 0] > 0
    weights[found] *= np.sqrt(weights[~found].sum() / found.sum())
    return targets, weights


def _solve(material: _Material, targets: Floats, weights: Floats, learned: Chosen | None = None) -> Floats:
    """Weights of the landmarks, shape (landmarks, columns), by kernel least squares (Nyström) on what is `learned`."""
    learned = np.ones(len(targets), bool) if learned is None else learned
    known = learned[material.places]
    alike = material.alike[learned][:, known]
    inner = (alike * weights[learned, None]).T @ alike + STRENGTH * material.among[np.ix_(known, known)]
    inner[np.diag_indices(len(inner))] += 1e-6
    solved = np.zeros((len(known), targets.shape[1]))
    solved[known] = np.linalg.solve(inner, (alike * weights[learned, None]).T @ (targets[learned] - NEITHER))
    return solved


def _judge(material: _Material, name: str) -> tuple[Floats, str]:
    """Slope and bias that make the values probabilities, from what was not learned; and what thresholds buy."""
    targets, weights = _targets(material, name, ())
    found = targets[:, 0] > 0
    values = np.zeros(len(found))
    for learned, unseen in StratifiedKFold(5, shuffle=True, random_state=0).split(material.alike, found):
        chosen = np.zeros(len(found), bool)
        chosen[learned] = True
        values[unseen] = (material.alike[unseen] @ _solve(material, targets, weights, chosen))[:, 0] + NEITHER
    scale = LogisticRegression().fit(values[:, None], found, sample_weight=weights)
    scores = scale.predict_proba(values[:, None])[:, 1]
    own = np.asarray([file == name for file, _ in material.texts])
    lines = [f"{name}: {found.sum()} examples, {(own & ~found).sum()} near misses, {(~own).sum()} ordinary"]
    for step in STEPS:
        parts = [scores[found], scores[own & ~found], scores[~own & (weights > 0)]]
        lines.append(f"  above {step}: " + ", ".join(f"{(part > step).mean():.3f}" for part in parts))
    return np.asarray([scale.coef_[0, 0], scale.intercept_[0]]), "\n".join(lines)


def _write(out: Path, landmarks: NDArray[np.float16], weights: Floats, slopes: Floats, about: Mapping[str, object]) -> None:
    held = io.BytesIO()
    told = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez_compressed(held, landmarks=landmarks, weights=weights.astype(np.float32), slopes=slopes, told=told)
    try:
        out.write_bytes(held.getvalue())
    except OSError as error:
        raise FileInvalid(f"{out}: cannot be written ({error.strerror})") from None
