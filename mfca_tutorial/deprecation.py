"""Old ways of calling a method that still work, with a warning.

Taught in chapter 9.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any


def positional_until(count: int, *names: str) -> Callable:
    """Decorate a method whose arguments after the first `count` have become keyword-only.

    `names` lists those arguments in the order in which they could once be given by position. A call
    that still gives them by position works, with a DeprecationWarning.
    """

    def decorate(method: Callable) -> Callable:
        @functools.wraps(method)
        def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
            given = arguments[count:]
            if len(given) > len(names):
                raise TypeError(f"{method.__name__}() takes {count} positional arguments")
            if given:
                moved = dict(zip(names, given, strict=False))
                message = f"pass {', '.join(moved)} to {method.__name__}() by keyword"
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                keywords = moved | keywords
            return method(self, *arguments[:count], **keywords)

        return call

    return decorate
