"""Whether the server was told to stop: uvicorn waits for open streams, so they must end by themselves."""

import signal


def is_stopping() -> bool:
    """Whether uvicorn has taken a signal to stop; False under any other server."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))
