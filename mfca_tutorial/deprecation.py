"""Old ways of calling that still work, with a warning.

Taught in chapter 9.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any


def positional_until(count: int, *names: str) -> Callable:
    """Decorate a method whose arguments after the first `count` have become keyword-only.

    `names` are those arguments in the order in which they once could be given by position; such a
    call still works, with a DeprecationWarning.
    """

    def decorate(method: Callable) -> Callable:
        @functools.wraps(method)
        def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
            given = arguments[count:]
            if len(given) > len(names):
                raise TypeError(f"{method.__name__}() takes {count} positional arguments")
            if given:
                moved = dict(zip(names, given, strict=False))
                message = f"give {', '.join(moved)} to {method.__name__}() by keyword"
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                keywords = moved | keywords
            return method(self, *arguments[:count], **keywords)

        return call

    return decorate
