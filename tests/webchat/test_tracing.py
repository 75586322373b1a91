import subprocess
import sys


def test_the_server_starts_without_what_chainlit_would_import_for_tracing():
    script = (
        "import sys; from bot.webchat.__main__ import leave_out_tracing; leave_out_tracing(); import chainlit.cli; "
        "print([name for name in ('pandas', 'traceloop.sdk.client') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
