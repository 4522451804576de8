"""How a process that serves learns that it is about to end, while it can still say so.

At SIGTERM the server takes no new connections, lets open requests finish and ends. Some would last
until it is killed after ten seconds, in which nobody is served on that address: whoever waits for
news of the feed, whoever follows. So the server tells its processes first, and these let them go.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress

SIGNAL = signal.SIGUSR1


def deafen() -> None:
    """Let a process that is not ready yet ignore the signal, which would end it otherwise; so do
    those that it begins, until they listen.
    """
    signal.signal(SIGNAL, signal.SIG_IGN)


def tell(processes: Iterable[int]) -> None:
    """Tell processes by their ids."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, SIGNAL)


def listen(leave: Callable[[], None]) -> None:
    """Call `leave` when the server says so. Wants the running loop, in the main thread."""
    asyncio.get_running_loop().add_signal_handler(SIGNAL, leave)
