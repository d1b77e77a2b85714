"""Named moments at which a test ends the process as a power cut would; nothing happens unless the environment asks."""

import os
import signal

FAULT = "FOREWARN_FAULT"
"""`<name>` or `<name>:<n>`: die at the n-th time that a moment of this name comes."""
_seen: dict[str, int] = {}


def faultpoint(name: str) -> None:
    """Die by SIGKILL here, where the environment names this moment."""
    asked = os.environ.get(FAULT)
    if not asked:
        return
    wanted, _, number = asked.partition(":")
    if wanted == name:
        _seen[name] = _seen.get(name, 0) + 1
        if _seen[name] >= int(number or 1):
            os.kill(os.getpid(), signal.SIGKILL)
