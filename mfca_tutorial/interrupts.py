"""What happens when somebody stops the program: Ctrl-C, `kill`, or a terminal that is closed.

Python turns Ctrl-C into KeyboardInterrupt, so that every `finally` runs and no temporary file
stays. The other signals would end it at once; here they are treated in the same way.

Taught in chapter 11.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Ctrl-C, `kill`, and the end of the terminal, which Windows does not have
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]

EXIT_OF_SIGNAL = 128  # a shell's exit status of a program that a signal ended, less the signal


class Interrupted(KeyboardInterrupt):
    """A signal asks the program to end. The message, if there is one, says how to go on."""

    def __init__(self, number: int, message: str = ""):
        super().__init__(message)
        self.number = number  # of the signal


@contextmanager
def raised() -> Iterator[None]:
    """Within this block, each signal raises `Interrupted` where the program is."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _answered_by(stop):
        yield


@contextmanager
def noted() -> Iterator[list[int]]:
    """Within this block, the first signal is only put on the list; the next one raises.

    For work that must not be left half done: look at the list wherever it may be left.
    """
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        # whoever asks twice does not want to wait
        if seen:
            raise Interrupted(number)
        seen.append(number)

    with _answered_by(note):
        yield seen


@contextmanager
def _answered_by(answer: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within this block, the signals call `answer`; afterwards, what they called before."""
    # Python lets only the main thread do this
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    # answer the signals, and remember what would have happened
    before = {}
    for number in SIGNALS:
        # a signal that is ignored stays ignored: `nohup` does that, and so does a shell's `&`
        if signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, answer)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
