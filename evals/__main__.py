"""`python -m evals COMMAND`: one module per command, each with a SUMMARY, `add_arguments` and `run`."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from bot.errors import IntentsInvalid, LogUnavailable, PromptInvalid, SettingsInvalid
from evals import (
    agreement,
    answerability,
    blank,
    compare,
    escalation,
    faithfulness,
    fit,
    frustration,
    gate,
    import_chats,
    intent,
    judges,
    label,
    play,
    retrieval,
    score,
    tune,
)
from evals.formats import FileInvalid
from evals.gate import GateClosed
from evals.report import command as report
from knowledge.errors import KnowledgeError


class Command(Protocol):
    """What a module of a command offers."""

    SUMMARY: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Describe the command's options."""

    def run(self, arguments: argparse.Namespace) -> str:
        """Do the work and give what is to be shown. Raises FileInvalid or KnowledgeError when the input cannot be used."""
        ...


COMMANDS: dict[str, Command] = {
    "agreement": agreement,
    "answerability": answerability,
    "blank": blank,
    "compare": compare,
    "escalation": escalation,
    "faithfulness": faithfulness,
    "fit": fit,
    "frustration": frustration,
    "gate": gate,
    "import": import_chats,
    "intent": intent,
    "judge": judges,
    "label": label,
    "play": play,
    "report": report,
    "retrieval": retrieval,
    "score": score,
    "tune": tune,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 when the gate is closed, 2 when its input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m evals", description="Measure the bot and its parts on labelled data.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=command.SUMMARY))
    parsed = parser.parse_args(arguments)
    try:
        print(COMMANDS[parsed.command].run(parsed))
    except GateClosed as reasons:
        print(reasons, file=sys.stderr)
        return 1
    except (FileInvalid, IntentsInvalid, KnowledgeError, LogUnavailable, PromptInvalid, SettingsInvalid) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
