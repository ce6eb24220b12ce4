"""Settings of torch that could change files or pixels: undone for a call, or refused.

The bytes of a file and the pixels that come out of it must not depend on switches that somebody
turned elsewhere in the program: autocast, inference mode, the default type and device, products of
less than full precision, a fork. What can be undone for the time of a call is undone. Anything else
raises one error that names the cause.

But: it knows no picture and no file.

Taught in chapter 9.
"""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

PROCESS = os.getpid()  # the one that imported this module

# kernels that some processors run in bfloat16 where that is allowed; torch before 2.9 names none
KERNELS: list[Any] = [
    getattr(torch.backends.mkldnn, name)
    for name in ("matmul", "conv")
    if hasattr(torch.backends.mkldnn, name)
]


def undisturbed(method: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a method that codes pictures, so that it does the same in every mode of torch.

    It runs in full precision, without gradients, without autocast and without inference mode (in
    which the search could not differentiate). Raises RuntimeError for weights with which the method
    would compute something else.
    """

    @functools.wraps(method)
    def call(*arguments: Arguments.args, **keywords: Arguments.kwargs) -> Result:
        module = arguments[0]
        assert isinstance(module, nn.Module)

        # what cannot be changed for the time of a call
        use_one_thread_after_fork(os.getpid())
        device = check_weights(module)

        # what can
        autocast_off = torch.autocast(device.type, enabled=False)
        with torch.inference_mode(False), torch.no_grad(), autocast_off, FULL_PRECISION:
            return method(*arguments, **keywords)

    return call


class FullPrecision:
    """A context in which the CPU multiplies float32 numbers in full, whatever it was allowed.

    The permission belongs to the whole process: of calls that overlap in time, the first takes it
    away and the last gives it back.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.calls = 0
        self.allowed: list[str] = []

    def __enter__(self) -> None:
        with self.lock:
            if self.calls == 0:
                self.allowed = allowed_precision()
                allow_precision(["ieee" if KERNELS else "highest"] * len(self.allowed))
            self.calls += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.calls -= 1
            if self.calls == 0:
                allow_precision(self.allowed)


FULL_PRECISION = FullPrecision()


def allowed_precision() -> list[str]:
    """What torch may make of float32 numbers on the CPU, for each kind of kernels."""
    if KERNELS:
        return [kernels.fp32_precision for kernels in KERNELS]
    return [torch.get_float32_matmul_precision()]


def allow_precision(names: list[str]) -> None:
    """Allow what `allowed_precision` returned."""
    # what is so already is not set again, since setting it may warn
    if names == allowed_precision():
        return
    if not KERNELS:
        torch.set_float32_matmul_precision(names[0])
    for kernels, name in zip(KERNELS, names):
        kernels.fp32_precision = name


@contextmanager
def as_at_start() -> Iterator[None]:
    """A context in which new modules get float32 weights on the CPU, whatever torch's defaults."""
    use_one_thread_after_fork(os.getpid())

    # the default type belongs to the whole process, so it is put back whatever happens
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.inference_mode(False), torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(default)


@functools.cache
def use_one_thread_after_fork(process: int) -> None:
    """In a forked process, let torch use one thread: a fork copies none, and torch would wait.

    A process that has worked with several threads and is then forked (as `multiprocessing` does on
    Linux before Python 3.14) has a child that lacks these threads but waits for them: its first
    large operation never ends. With one thread there is nothing to wait for.
    """
    if process != PROCESS:
        torch.set_num_threads(1)


def check_weights(module: nn.Module) -> torch.device:
    """The device of a module. Raises RuntimeError if its weights cannot write or read files."""
    # some normalise by what they see in training, and remember it
    if any(part.training for part in module.modules()):
        raise RuntimeError(
            "this codec is in training mode: call freeze() once it is trained, or eval() if it is"
        )

    # a file depends on every bit of them
    for weight in module.parameters():
        if weight.dtype != torch.float32:
            kind = str(weight.dtype).removeprefix("torch.")
            raise RuntimeError(
                f"files need the float32 weights that were stored, and some of this codec are "
                f"{kind}: load it again, without half(), double() or the like"
            )
    return weight.device


def check_cast(function: Callable[[Tensor], Tensor]) -> None:
    """Raises RuntimeError if a function that is meant for every weight would round them."""
    # ask it about a tensor that is nobody's weight
    probe = torch.zeros(1, dtype=torch.float32, device="cpu")
    kind = function(probe).dtype
    if kind != torch.float32:
        name = str(kind).removeprefix("torch.")
        raise RuntimeError(
            f"a codec that codes files stays in float32, and cannot become {name}: "
            "its files depend on every bit of its weights"
        )
