"""`python -m benchmarks [NAME ...] [--quick] [--out DIR]`: runs all benchmarks, or the named ones."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    api,
    chat_load,
    evaluation,
    failover,
    hostile_tools,
    ingest,
    kill9,
    long_conversation,
    memory,
    providers,
    reading,
    retrieval,
    shared_chat,
    shared_state,
    startup,
)
from benchmarks.report import Result, keep, show

BENCHMARKS: dict[str, Callable[..., Result]] = {
    "startup": startup.run,
    "ingest": ingest.run,
    "retrieval": retrieval.run,
    "reading": reading.run,
    "chat_load": chat_load.run,
    "kill9": kill9.run,
    "failover": failover.run,
    "hostile_tools": hostile_tools.run,
    "fuzz_api": api.run_fuzz,
    "hostile_api": api.run_hostile,
    "api_load": api.run_load,
    "providers": providers.run,
    "memory": memory.run,
    "long_conversation": long_conversation.run,
    "shared_state": shared_state.run,
    "shared_chat": shared_chat.run,
    "evaluation": evaluation.run,
}


def main() -> None:
    """Run what the command line names; leaves with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Frontdesk on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run; all if none: {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes and short times: to see that it works, not to quote"
    )
    parser.add_argument("--out", type=Path, default=Path("reports/bench"), metavar="DIR", help="where the JSON files go")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    missed = 0
    for name in arguments.names or BENCHMARKS:
        began = time.monotonic()
        result = BENCHMARKS[name](quick=arguments.quick)
        show(result)
        file = keep(result, arguments.out, time.monotonic() - began)
        print(f"  {file}")
        missed += sum(not goal.reached for goal in result.goals)
    if missed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
