"""What something costs, and nothing else."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """While it is measured once: the collector walks through all that other tests have left in
    memory, a third of a second and more, in the midst of whatever is at work.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
