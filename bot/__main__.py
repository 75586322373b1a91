"""`python -m bot settings`: the table of all settings. `staff`: the accounts of the staff. `doctor`: what is wrong here.

`intents`: learns them, or begins a file of one's own.
"""

import argparse
import re
import sys
from pathlib import Path

from bot.doctor import examine
from bot.errors import FrontdeskError
from bot.intents_command import ship_intents, start_intents
from bot.settings_place import GENERIC_INTENTS, LARKFIELDS_INTENTS
from bot.settings_text import settings_example, settings_table
from bot.staff_commands import add_staff_commands, run_staff_command

_TABLE = re.compile(r"(<!-- settings:[^\n]*-->\n).*?(<!-- /settings -->)", re.DOTALL)


def main() -> None:
    """Run the command named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Frontdesk's own commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    settings = commands.add_parser("settings", help="print every setting as a Markdown table")
    settings.add_argument("--env", action="store_true", help="print them as an example of a .env file instead")
    settings.add_argument("--into", type=Path, metavar="FILE", help="replace the table in this Markdown file instead")
    add_staff_commands(commands.add_parser("staff", help="accounts of the people who work at the desk"))
    doctor = commands.add_parser("doctor", help="look a deployment over, and say what is wrong and how to fix it")
    doctor.add_argument("--url", help="where customers reach the server, such as https://chat.example.com")
    intents = commands.add_parser("intents", help="learn the product's own intents again, after a change of their file")
    intents.add_argument("--start", type=Path, metavar="FILE", help="write one to begin your own with instead")
    arguments = parser.parse_args()
    if arguments.command == "intents":
        sys.exit(run_intents(arguments.start))
    if arguments.command == "doctor":
        sys.exit(run_doctor(arguments.url))
    if arguments.command == "staff":
        sys.exit(run_staff_command(arguments))
    into = arguments.into
    if into is None:
        print(settings_example() if arguments.env else settings_table())
    else:
        into.write_text(with_settings_table(into.read_text(encoding="utf-8")), encoding="utf-8")


def run_doctor(url: str | None) -> int:
    """Print every finding; 1 if something is wrong."""
    grades = []
    for finding in examine(url):
        print(finding, flush=True)
        grades.append(finding.grade)
    return int("wrong" in grades)


def run_intents(start: Path | None) -> int:
    """Learn the product's own intents, or begin a file with them; 1 if it could not be done."""
    try:
        if start is None:
            print(*ship_intents((LARKFIELDS_INTENTS, GENERIC_INTENTS)), sep="\n")
        else:
            start_intents(start)
            print(f"Wrote {start}. Change it to your customers' words, and start the bot with INTENTS_FILE={start}.")
    except FrontdeskError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def with_settings_table(text: str) -> str:
    """The Markdown text with the settings table of today between its two marks."""
    return _TABLE.sub(lambda marks: f"{marks[1]}\n{settings_table()}\n\n{marks[2]}", text)


if __name__ == "__main__":
    main()
