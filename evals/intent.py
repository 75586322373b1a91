"""`python -m evals intent`: how well the product's own classifier reads intents, and knows what is none of them."""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from bot.classifier import Classifier, check_examples, label_examples
from bot.classify import IntentReader
from bot.clauses import readable
from bot.intents import Intent, Intents, Route
from evals.formats import FileInvalid, read_rows
from evals.intent_rates import OUT_OF_SCOPE, RATES, Answered, IntentRow, summarise
from knowledge.embed import Embedder

SUMMARY = "how well intents are read, and messages recognised that are none of them"

DESCRIPTION = """\
Train the product's classifier on labelled messages and measure it on others. Its out-of-scope threshold is chosen on the
training file alone: with its rows labelled `oos` when it has at least 20, else with intents that are left out in turn.

Files are JSON lines, plain or gzipped: id, text, label (`oos` is out of scope). Several training files are joined. A
message in scope that is rejected counts as wrong. Intervals are 95%: Wilson for shares, bootstrap for the others.

Without any `oos` row in the test file the question is the closed one ("protocol": "closed"): accuracy, mcc, macro_f1 and
ece are of the nearest intent, rejected or not. in_scope_accuracy still counts what was rejected as wrong.

  --hold-out SHARE   no --test: train on the rest, test on this share of every label of --train
  --part SHARE FILE  train on this share of every label of FILE too; with --test FILE the rest of it is the test
  --shots N          train on N examples of every intent only (and all out-of-scope ones)
  --seed N           for all three

For example, on CLINC150, a third of the validation part fitting and the rest testing:
  python -m evals intent --train train.jsonl --part 0.333 val.jsonl --test val.jsonl --out report.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--train", type=Path, required=True, nargs="+", help="labelled messages to learn")
    parser.add_argument("--test", type=Path, help="labelled messages to measure on")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON")
    parser.add_argument("--details", type=Path, help="also write what was said of each message, as JSON lines")
    parser.add_argument("--hold-out", type=_share, metavar="SHARE", help="instead of --test; see above")
    parser.add_argument("--part", nargs=2, metavar=("SHARE", "FILE"), help="see above")
    parser.add_argument("--shots", type=_count, metavar="N", help="see above")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of everything that is drawn (0)")


def run(arguments: argparse.Namespace) -> str:
    """Train, measure, write the report and give the table. Raises FileInvalid or KnowledgeError."""
    train, test = _read(arguments)
    for file in filter(None, (arguments.out, arguments.details)):
        _check_writable(file)
    report, answered = measure(train, test)
    drawn = {name: getattr(arguments, name) for name in ("hold_out", "part", "shots", "seed")}
    report |= {"train": [file.name for file in arguments.train], "drawn": drawn}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if arguments.details:
        arguments.details.write_text("".join(_detail(one) + "\n" for one in answered), encoding="utf-8")
    return _table(report)


def measure(train: Sequence[IntentRow], test: Sequence[IntentRow]) -> tuple[dict[str, object], list[Answered]]:
    """The report and the details. Raises FileInvalid when the training rows are too few, too many or too bare."""
    embedder = Embedder(threads=2)
    examples = label_examples([(row.text, row.label) for row in train], OUT_OF_SCOPE)
    try:
        check_examples(examples)
    except ValueError as error:
        raise FileInvalid(f"the training rows cannot be learned: {error}") from None
    vectors = embedder.embed_texts([*examples.texts, *examples.titles])
    started = time.perf_counter()
    classifier = Classifier.fit(examples, vectors)
    fit_seconds = time.perf_counter() - started
    reader = IntentReader(_bare(examples.names), classifier, embedder)

    def answer(row: IntentRow) -> Answered:
        text = readable(row.text)
        alone = classifier.judge(text, embedder.embed_query(text))
        nearest, chance = classifier.names[alone.best], float(alone.chances.max())
        return Answered(row=row, guess=reader.read(row.text), nearest=nearest, chance=chance)

    answered = [answer(row) for row in tqdm(test, desc="read", disable=None, leave=False)]
    report = summarise(answered) | {
        "threshold": round(classifier.gate.threshold, 4),
        "n_train": len(train),
        "intents": len(examples.names),
        "fit_seconds": round(fit_seconds, 2),
    }
    return report, answered


def _bare(names: Sequence[str]) -> Intents:
    """Intents as a labelled file gives them: names without keywords."""
    made = (
        Intent(name=name, description=name, route=Route.ANSWER, sensitive=False, keywords=(), examples=()) for name in names
    )
    return Intents(intents=tuple(made), digest="")


def _read(arguments: argparse.Namespace) -> tuple[list[IntentRow], list[IntentRow]]:
    """Training and test rows. Raises FileInvalid."""
    if (arguments.test is None) == (arguments.hold_out is None):
        raise FileInvalid("give one of --test and --hold-out")
    train = [row for file in arguments.train for row in read_rows(file, IntentRow)]
    test = read_rows(arguments.test, IntentRow) if arguments.test else []
    if arguments.hold_out is not None:
        train, test = split(train, 1 - arguments.hold_out, arguments.seed)
    if arguments.part:
        portion, file = _share_or_fail(arguments.part[0]), Path(arguments.part[1])
        part, rest = split(read_rows(file, IntentRow), portion, arguments.seed)
        train = [*train, *part]
        test = rest if arguments.test and file.resolve() == arguments.test.resolve() else test
    if arguments.shots is not None:
        train = few(train, arguments.shots, arguments.seed)
    known = {row.text for row in train}
    both = sum(row.text in known for row in test)
    if both:
        tqdm.write(f"note: {both} of {len(test)} test messages stand word for word in the training rows", file=sys.stderr)
    return train, test


def split(rows: Sequence[IntentRow], portion: float, seed: int) -> tuple[list[IntentRow], list[IntentRow]]:
    """A share of every label, and the rest; both in the order of the file."""
    taken = {place for mine in _shuffled(rows, seed) for place in mine[: round(portion * len(mine))]}
    return _picked(rows, taken), _picked(rows, set(range(len(rows))) - taken)


def few(rows: Sequence[IntentRow], shots: int, seed: int) -> list[IntentRow]:
    """So many examples of every intent, and all rows out of scope."""
    groups = _shuffled(rows, seed)
    return _picked(rows, {place for mine in groups for place in mine[: None if _foreign(rows, mine) else shots]})


def _shuffled(rows: Sequence[IntentRow], seed: int) -> list[list[int]]:
    """Places of the rows of each label, in an order that depends on the seed and their ids alone."""
    by_label: dict[str, list[int]] = {}
    for place in sorted(range(len(rows)), key=lambda place: hashlib.sha256(f"{seed} {rows[place].id}".encode()).digest()):
        by_label.setdefault(rows[place].label, []).append(place)
    return list(by_label.values())


def _picked(rows: Sequence[IntentRow], places: set[int]) -> list[IntentRow]:
    return [row for place, row in enumerate(rows) if place in places]


def _foreign(rows: Sequence[IntentRow], places: Sequence[int]) -> bool:
    return rows[places[0]].label == OUT_OF_SCOPE


def _share(value: str) -> float:
    number = float(value)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return number


def _count(value: str) -> int:
    number = int(value)
    if number < 2:
        raise argparse.ArgumentTypeError("must be 2 or more")
    return number


def _share_or_fail(value: str) -> float:
    try:
        return _share(value)
    except (ValueError, argparse.ArgumentTypeError):
        raise FileInvalid(f"--part: the share must be a number between 0 and 1, not '{value}'") from None


def _check_writable(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError as error:
        raise FileInvalid(f"{file}: cannot be written ({error.strerror})") from None


def _detail(one: Answered) -> str:
    said = {"said": one.said, "nearest": one.nearest, "confidence": round(one.guess.confidence, 4)}
    return json.dumps({"id": one.row.id, "label": one.row.label, **said}, ensure_ascii=False)


def _table(report: Mapping[str, object]) -> str:
    intervals: Mapping[str, Sequence[float]] = report["intervals"]  # type: ignore[assignment]
    lines = [f"n = {report['n']}, {report['n_oos']} of them out of scope ({report['protocol']})"]
    for name in RATES:
        if name in intervals:
            lines.append(f"{name:20}{report[name]:.3f} [{intervals[name][0]:.3f}, {intervals[name][1]:.3f}]")
    return "\n".join([*lines, f"{'threshold':20}{report['threshold']}"])
