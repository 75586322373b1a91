"""`python -m bot.webchat run app.py …` is `chainlit run app.py …` without the tracing that Chainlit would import.

Chainlit imports the client of Literal AI, and that imports Traceloop's SDK with pandas: 2 s of processor time at each start,
and 75 MiB for as long as the server runs, for a name that is never called without a key for that service.
"""

import sys
from types import ModuleType


class Traceloop:
    """What Literal AI's client names when it is imported; it uses it only where somebody has its key."""


def leave_out_tracing() -> None:
    """Let nothing import Traceloop's SDK; does nothing where it was imported already. To be called before Chainlit."""
    if "traceloop.sdk" in sys.modules:
        return
    package, sdk = ModuleType("traceloop"), ModuleType("traceloop.sdk")
    package.__path__ = []
    vars(sdk)["Traceloop"] = Traceloop
    sys.modules |= {"traceloop": package, "traceloop.sdk": sdk}


def main() -> None:
    """Chainlit's own command line."""
    leave_out_tracing()
    from chainlit.cli import cli  # noqa: PLC0415  see above

    cli(prog_name="chainlit")


if __name__ == "__main__":
    main()
