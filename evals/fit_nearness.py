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

from bot.abuse import find_abuse
from bot.asking import asks_for_human
from bot.crisis import crisis_pieces, find_crisis
from bot.intents import read_intents
from bot.nearness import FILES, NEARNESS, NONE, alikeness, examples_hash, read_examples
from bot.plain import plain
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
EVERYDAY, EVERYDAY_WEIGHT, EVERYDAY_FILE = 4000, 0.1, "everyday"
"""Sentences of people who are no customers: how many are learned from, and what each weighs."""
LANDMARKS = 900
"""Of the examples of none: every example of a kind is a landmark."""
STEPS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_RULES: Mapping[str, Callable[[str], object]] = {
    "crisis": find_crisis,
    "asking": asks_for_human,
    "sensitive": find_topics,
    "abuse": find_abuse,
}
"""What another file's example must not be, to count as nothing of the kind."""
FOLDS = 5
Floats = NDArray[np.float64]
Alike = NDArray[np.float32]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """All texts' likeness to the landmarks, and which landmark is which text."""

    texts: Sequence[tuple[str, str]]
    """The file (or "intents") and the kind of each."""
    found: Mapping[str, Chosen]
    """Which texts a file's patterns find: where such a text stands in another file, it may be of the kind or not."""
    alike: Alike
    among: Alike
    places: NDArray[np.int64]


def fit_nearness(out: Path = NEARNESS, everyday: Sequence[str] = ()) -> str:
    """Fit, write to `out`, and tell what each threshold buys by five-fold cross-validation. Raises FileInvalid.

    Of `everyday`, what people write who are no customers, an even sample counts as nothing of the kind.
    """
    sample = everyday[:: max(1, len(everyday) // EVERYDAY)][:EVERYDAY]
    texts = _texts() + [(text, EVERYDAY_FILE, NONE) for text in dict.fromkeys(sample)]
    vectors = Embedder(threads=2).embed_texts([text for text, _, _ in texts]).astype(np.float16)
    dice = np.random.default_rng(0)
    is_none = np.asarray([kind == NONE for _, _, kind in texts])
    own = is_none & np.asarray([file != EVERYDAY_FILE for _, file, _ in texts])
    nothing = dice.permutation(np.flatnonzero(own))[:LANDMARKS]
    places = np.sort(np.concatenate([np.flatnonzero(~is_none), nothing]))
    cosines = vectors.astype(np.float32) @ vectors[places].astype(np.float32).T
    alike = alikeness(cosines)
    found = {name: np.asarray([bool(rule(text)) for text, _, _ in texts]) for name, rule in _RULES.items()}
    material = _Material(texts=[one[1:] for one in texts], found=found, alike=alike, among=alike[places], places=places)
    columns, slopes, kinds, told = [], [], {}, []
    for name in FILES:
        kinds[name] = [kind for kind in read_examples(name) if kind != NONE]
        solved, slope, table = _fit(material, name, kinds[name])
        columns.append(solved)
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
    told = mine + [(text, "intents", NONE) for intent in intents for text in intent.examples]
    return list(dict.fromkeys(piece for one in told for piece in _with_pieces(*one)))


def _with_pieces(text: str, name: str, kind: str) -> list[tuple[str, str, str]]:
    """The example, and of one that is nothing of the kind each piece that a message would be read by."""
    pieces = crisis_pieces(text) if kind == NONE else ()
    return [(text, name, kind), *((one, name, kind) for one in pieces if one != plain(text))]


def _targets(material: _Material, name: str, kinds: Sequence[str]) -> tuple[Floats, Floats]:
    """Targets (texts, 1 + kinds) in {-1, 1} and the weight of each text; kinds are told from each other and from none."""
    kind_of = [kind if file == name else NONE for file, kind in material.texts]
    targets = np.asarray([[kind != NONE, *(kind == one for one in kinds)] for kind in kind_of]) * 2.0 - 1
    weigh = {name: 1.0, EVERYDAY_FILE: EVERYDAY_WEIGHT}
    weights = np.asarray([weigh.get(file, ORDINARY) for file, _ in material.texts])
    if name in material.found:
        weights[material.found[name] & np.asarray([file != name for file, _ in material.texts])] = 0
    if name == "sensitive":  # fraud and deaths are among what was written as no danger
        weights[[one == ("crisis", NONE) for one in material.texts]] = 0
    found = targets[:, 0] > 0
    weights[found] *= np.sqrt(weights[~found].sum() / found.sum())
    return targets, weights


def _fit(material: _Material, name: str, kinds: Sequence[str]) -> tuple[Floats, Floats, str]:
    """Weights of the landmarks, shape (landmarks, columns), by kernel least squares (Nyström); and how it was judged.

    What a fold adds to the normal equations is made once and taken away again: to fit five times costs what one fit does.
    """
    targets, weights = _targets(material, name, kinds)
    folds = [unseen for _, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(weights, targets[:, 0] > 0)]
    parts = [_equations(material.alike[fold], weights[fold], targets[fold]) for fold in folds]
    inner = np.add.reduce([one for one, _ in parts])
    outer = np.add.reduce([one for _, one in parts])
    everything = np.ones(len(material.places), bool)
    values = np.zeros(len(targets))
    for fold, part in zip(folds, parts, strict=True):
        known = ~np.isin(material.places, fold)
        values[fold] = (material.alike[fold] @ _solve(material, inner - part[0], outer - part[1], known))[:, 0] + NEITHER
    return _solve(material, inner, outer, everything), *_judge(material, name, values, targets[:, 0] > 0, weights)


def _equations(alike: Alike, weights: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """What these texts add to both sides of the normal equations: (landmarks, landmarks) and (landmarks, columns)."""
    root = np.sqrt(weights)[:, None]
    weighted = alike.astype(np.float64) * root
    inner: Floats = weighted.T @ weighted
    outer: Floats = weighted.T @ ((targets - NEITHER) * root)
    return inner, outer


def _solve(material: _Material, inner: Floats, outer: Floats, known: Chosen) -> Floats:
    """Weights of the landmarks that are `known`, zero for the others."""
    held = np.ix_(known, known)
    matrix = inner[held] + STRENGTH * material.among[held]
    matrix[np.diag_indices(len(matrix))] += 1e-6
    solved = np.zeros((len(known), outer.shape[1]))
    solved[known] = np.linalg.solve(matrix, outer[known])
    return solved


def _judge(material: _Material, name: str, values: Floats, found: Chosen, weights: Floats) -> tuple[Floats, str]:
    """Slope and bias that make the values probabilities, from what was not learned; and what thresholds buy."""
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
