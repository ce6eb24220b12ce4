"""How a chapter checks answers to its exercises, and how it tries its own checks.

A check is a function that asserts what a right answer does. `checked` turns it into one that prints
its judgement instead of a traceback. `trial` hands a check other answers than the solution: wrong
ones that students write, and right ones written differently.

But: it keeps no score, and it does not know any exercise.

Taught in chapter 0.
"""

import functools
import inspect
from collections.abc import Callable, Sequence

Answer = Callable | tuple[Callable, ...]
UNSOLVED = "not solved yet"
SOLVED = "correct"


def checked(test: Callable[[], None]) -> Callable[[], None]:
    """Decorate a check, so that it prints its judgement.

    Args:
      test: a function without arguments. It calls the reader's functions and asserts what they must
        do. Each assertion has a message that tells the reader what to look at.

    The decorated function prints 'not solved yet' while an answer raises NotImplementedError, 'not
    yet: ...' with the message of the first assertion that fails, and 'correct' otherwise. Other
    exceptions of an answer are left to the reader, with their traceback.
    """

    @functools.wraps(test)
    def check() -> None:
        try:
            test()
        except NotImplementedError:
            print(UNSOLVED)
        except AssertionError as mistake:
            print(f"not yet: {mistake}")
        else:
            print(SOLVED)

    return check


def trial(
    check: Callable[[], None], *names: str, wrong: Sequence[Answer], right: Sequence[Answer]
) -> None:
    """Try a check on other answers, and restore the solution afterwards.

    Args:
      check: a check made by `checked`.
      names: the names of the functions that the exercise asks for.
      wrong: answers that the check must reject. An answer is a function, or one function per name.
      right: answers that it must accept.

    Prints each wrong answer's name with the first lines of the message that it gets.

    Raises AssertionError if a wrong answer is accepted or rejected without a message, or if a right
    one is rejected. An error of any other kind means that the check itself stumbles.
    """
    test: Callable[[], None] = check.__wrapped__  # type: ignore[attr-defined]
    namespace = inspect.unwrap(test).__globals__  # the notebook's variables
    solution = {name: namespace[name] for name in names}
    try:
        # right answers, written differently
        for answer in right:
            namespace.update(zip(names, functions_of(answer), strict=True))
            test()

        # wrong answers: each is rejected, with a message
        for answer in wrong:
            namespace.update(zip(names, functions_of(answer), strict=True))
            message = rejection(test)
            assert message is not None, f"accepted: {title(answer)}"
            assert message.strip(), f"rejected without a message: {title(answer)}"
            print(f"{title(answer)}: {shortened(message)}")
    finally:
        namespace.update(solution)


def functions_of(answer: Answer) -> tuple[Callable, ...]:
    """An answer as a tuple of functions."""
    return answer if isinstance(answer, tuple) else (answer,)


def title(answer: Answer) -> str:
    """The names of an answer's functions, as words."""
    return ", ".join(function.__name__ for function in functions_of(answer)).replace("_", " ")


def rejection(test: Callable[[], None]) -> str | None:
    """The message with which a test fails, or None if it passes."""
    try:
        test()
    except AssertionError as mistake:
        return str(mistake)
    return None


def shortened(message: str) -> str:
    """The first two lines of a message that are not empty, as one line."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[:2])
