"""What all tests share: a test marked `gpu` is skipped where there is no CUDA device."""

import pytest


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
