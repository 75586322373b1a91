"""`python -m bot settings`: the table of all settings, as the README shows it."""

import argparse

from bot.settings import settings_table


def main() -> None:
    """Run the command named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Frontdesk's own commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("settings", help="print every setting as a Markdown table")
    parser.parse_args()
    print(settings_table())


if __name__ == "__main__":
    main()
