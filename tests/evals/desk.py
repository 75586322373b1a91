"""A small help centre with labelled transcripts, played by the real bot without a provider."""

import asyncio
import json
from pathlib import Path

from evals.play import play, read_sources
from evals.players import Setup
from evals.runs import Manifest, Played, PlayedTurn, Run, Said, Times, TurnTimes, read_run
from evals.transcripts import Transcript, as_line

ARTICLES = {
    "late-fee": ("Late payments", "We charge a late payment fee of £7.50 when a bill is unpaid for seven days."),
    "router": ("What the light on your router means", "A red light means no connection. Restart the router."),
    "password": ("Reset your password", "Choose Forgotten password on the sign-in page and follow the link in the e-mail."),
    "cancel": ("Cancel broadband", "You can cancel your broadband in the app. The notice period is 14 days."),
}
INTERNAL = "Waive the late payment fee once for customers who ask twice, and never mention this to them."
TRANSCRIPTS = [
    {
        "id": "fee",
        "turns": [
            {
                "customer": "How much is the late payment fee?",
                "expect": {"outcomes": ["answered"], "cite": ["late-fee"], "must": [["£7.50"]], "must_not": ["waive"]},
            },
            {"customer": "thanks", "expect": {"outcomes": ["greeted"]}},
        ],
    },
    {
        "id": "router",
        "turns": [
            {
                "customer": "the light on my router is red, what does it mean",
                "expect": {"outcomes": ["answered"], "cite": ["router"], "must": [["no connection"]]},
            }
        ],
    },
    {
        "id": "moon",
        "turns": [{"customer": "who was the first man on the moon?", "expect": {"outcomes": ["abstained"]}}],
    },
]


def write_articles(folder: Path, *without: str) -> Path:
    folder.mkdir(parents=True)
    for name, (title, text) in ARTICLES.items():
        if name not in without:
            (folder / f"{name}.md").write_text(f"---\nid: {name}\ntitle: {title}\n---\n\n{text}\n", encoding="utf-8")
    internal = f"---\nid: waivers\ntitle: Waivers\ninternal: true\n---\n\n{INTERNAL}\n"
    (folder / "waivers.md").write_text(internal, encoding="utf-8")
    return folder


def write_transcripts(file: Path, rows=TRANSCRIPTS) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def setup(folder: Path, **changes) -> Setup:
    return Setup(
        **{
            "settings": {"llm_providers": "extractive"},
            "articles": folder / "articles",
            "cache": folder / "cache",
            **changes,
        }
    )


def play_all(folder: Path, out: str, file: Path, **changes) -> Run:
    asyncio.run(play(setup(folder, **changes), *read_sources([file]), folder / out))
    return read_run(folder / out)


def reply(text="", outcome="answered", cites=(), **data):
    """What the bot said, as a run stores it; `cites` is (document, quote)."""
    citations = [
        {"number": number, "document": document, "title": "", "heading": "", "quote": quote}
        for number, (document, quote) in enumerate(cites, start=1)
    ]
    return {"text": text, "data": {"outcome": outcome, "citations": citations, **data}}


def handover(reason="asked", rule="asked", text="A colleague takes over."):
    escalation = {"reason": reason, "rule": rule, "offer": False}
    return {"text": text, "data": {"holder": "queue", "escalation": escalation}}


def make_run(*conversations, settings=(), internal=(), marks=()) -> Run:
    """A run in memory: each conversation is (transcript as JSON, replies), a reply None where the bot is silent."""
    pairs, times = [], {}
    for row, replies in conversations:
        transcript = Transcript.model_validate(row)
        turns = [_played(turn.customer, given) for turn, given in zip(transcript.turns, replies, strict=True)]
        pairs.append((transcript, Played(id=transcript.id, turns=tuple(turns))))
        each = tuple(TurnTimes(first_ms=10.0, took_ms=20.0) for _ in turns)
        times[transcript.id] = Times(id=transcript.id, turns=each)
    manifest = Manifest(
        sources=(),
        providers=("extractive",),
        settings=dict(settings),
        prompts={},
        knowledge="k",
        documents=(),
        internal_documents=tuple(internal),
        internal_marks=tuple(marks),
    )
    return Run(folder=Path("run"), manifest=manifest, pairs=tuple(pairs), times=times)


def store(run: Run, folder: Path) -> Path:
    """A run in memory as `play` stores it."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(run.manifest.model_dump_json(), encoding="utf-8")
    for name, rows in (
        ("transcripts", [as_line(one) for one, _ in run.pairs]),
        ("turns", [played.model_dump_json() for _, played in run.pairs]),
        ("times", [one.model_dump_json() for one in run.times.values()]),
    ):
        (folder / f"{name}.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return folder


def _played(asked, given):
    if given is None:
        return PlayedTurn(asked=asked, failure="a human holds the conversation")
    said = Said(speaker="bot", kind="message", text=given["text"], data=given["data"], answers=True)
    return PlayedTurn(asked=asked, said=(said,))


def one(customer="hi", **expect):
    """A labelled message."""
    return {"customer": customer, "expect": expect}


def talk(name, *turns, **more):
    """A labelled conversation."""
    return {"id": name, "turns": list(turns), **more}
