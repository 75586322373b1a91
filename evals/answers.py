"""`python -m evals answers`: plays the real bot over labelled questions and judges every reply."""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.settings import Settings
from bot.wiring import build_bot
from evals.judge import Judged, Verdict, count, play_and_judge
from evals.metrics import share
from evals.ranking import plain
from evals.transcripts import Transcript, read_transcripts

SUMMARY = "what the bot answers right, declines honestly and gets wrong"
DESCRIPTION = """\
Play the bot, as it is wired by the settings, over labelled transcripts (evals/transcripts/) and judge each reply:
correct (an acceptable outcome; an answer cites a right document and holds every deciding fact), declined (an honest
"I don't know" or a question back where an answer was possible), incomplete (a right document, a deciding fact missing)
or wrong. Intervals are Wilson's, 95%. The articles are indexed in a temporary folder.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--transcripts", type=Path, required=True, help="labelled conversations: .jsonl")
    parser.add_argument("--out", type=Path, required=True, help="the report, as JSON, with every reply")
    parser.add_argument("--articles", type=Path, help="help articles (default: ARTICLES_DIR)")


def run(arguments: argparse.Namespace) -> str:
    """Play, judge, write the report, and give the table to show. Raises FileInvalid or KnowledgeError."""
    transcripts = read_transcripts(arguments.transcripts)
    with tempfile.TemporaryDirectory() as folder:
        articles = {"articles_dir": arguments.articles} if arguments.articles else {}
        settings = Settings(data_dir=Path(folder), database_url=None, messages_per_minute=1_000_000, **articles)
        judged = asyncio.run(_play(settings, transcripts))
    report = summarise(judged)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return table(judged)


def summarise(judged: Sequence[Judged]) -> dict[str, object]:
    """The report: counts, rates with their intervals, and every reply with its verdict."""
    return {
        "n": len(judged),
        **{str(verdict): number for verdict, number in count(judged).items()},
        "rates": plain({str(verdict): share([one.verdict is verdict for one in judged]) for verdict in Verdict}),
        "replies": [
            {"id": one.transcript, "asked": one.asked, "verdict": one.verdict, "why": one.why, "reply": one.reply.text}
            for one in judged
        ],
    }


def table(judged: Sequence[Judged]) -> str:
    """One line a verdict, then the replies that were not right and why."""
    lines = [f"{len(judged)} messages"]
    for verdict, number in count(judged).items():
        figure = share([one.verdict is verdict for one in judged])
        rate = f"{figure.value:6.1%}  [{figure.low:.1%}, {figure.high:.1%}]" if figure else ""
        lines.append(f"{verdict:<11} {number:>4}   {rate}")
    wrong = [one for one in judged if one.verdict in (Verdict.WRONG, Verdict.INCOMPLETE)]
    return "\n".join([*lines, *(f"{one.verdict}: {one.transcript} {one.asked[:70]!r}: {one.why}" for one in wrong)])


async def _play(settings: Settings, transcripts: Sequence[Transcript]) -> list[Judged]:
    bot = await build_bot(settings)
    try:
        return await play_and_judge(bot, transcripts)
    finally:
        await bot.close()
