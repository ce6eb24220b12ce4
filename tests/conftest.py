"""What all tests share: a test marked `gpu` is skipped where there is no CUDA device.

And hypothesis draws the same examples every time: a test that fails must fail again. `make fuzz` is
where other examples are tried.
"""

import hypothesis
import pytest

hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pytest's call with all tests that it found."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return

    # imported only when a test needs it
    import torch

    if torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device")
    for item in marked:
        item.add_marker(skip)
