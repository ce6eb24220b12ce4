"""Orthonormal DCT-II: its cosines, its basis images, its coefficients, and which of them to look at.

Plain numpy, float64. It knows nothing of fast algorithms (scipy.fft.dctn is one, and is what the tests compare with).

Taught in chapter 1.
"""

import math

import numpy as np

# The 16 frequencies that FcaNet (Qin et al. 2021) found best on ImageNet, best first, as (u, v) on its 7x7 grid.
TOP16 = tuple(zip((0, 0, 6, 0, 0, 1, 1, 4, 5, 1, 3, 0, 0, 0, 3, 2), (0, 1, 0, 5, 2, 0, 2, 0, 0, 6, 0, 4, 6, 3, 5, 2),
                  strict=True))


def dct_matrix(n: int) -> np.ndarray:
    """The n cosines of length n, one a row: C[k, i] = c_k cos(pi k (i + 1/2) / n), c_0 = sqrt(1/n), else sqrt(2/n).

    Its rows are orthonormal, so its inverse is its transpose. Example: dct_matrix(1) == [[1.]].
    Source: Ahmed, Natarajan, Rao 1974. Taught in chapter 1.
    """
    k, i = np.arange(n)[:, None], np.arange(n)[None, :]
    c = np.cos(math.pi * k * (i + 0.5) / n) * math.sqrt(2 / n)  # (n, n)
    c[0] /= math.sqrt(2)
    return c


def basis_image(u: int, v: int, height: int, width: int | None = None) -> np.ndarray:
    """The (height, width) pattern with u half-waves down and v half-waves across; width defaults to height.

    Sum of squares 1. Raises IndexError where u >= height or v >= width. Taught in chapter 1.
    """
    return np.outer(dct_matrix(height)[u], dct_matrix(width or height)[v])  # (height, width)


def dct2(x: np.ndarray) -> np.ndarray:
    """(..., H, W) -> (..., H, W): the coefficient of every basis image; equals scipy.fft.dctn(x, norm="ortho").

    Taught in chapter 1.
    """
    return dct_matrix(x.shape[-2]) @ x @ dct_matrix(x.shape[-1]).T


def idct2(coefficients: np.ndarray) -> np.ndarray:
    """(..., H, W) -> (..., H, W): the sum of the basis images, each times its coefficient. Taught in chapter 1."""
    return dct_matrix(coefficients.shape[-2]).T @ coefficients @ dct_matrix(coefficients.shape[-1])


def to_blocks(x: np.ndarray, n: int = 8) -> np.ndarray:
    """(H, W) -> (H/n, W/n, n, n): the image as a grid of n x n blocks. H and W must be multiples of n (ValueError).

    Taught in chapter 1.
    """
    h, w = x.shape
    if h % n or w % n:
        raise ValueError(f"an image of {h} x {w} does not divide into blocks of {n} x {n}")
    return x.reshape(h // n, n, w // n, n).swapaxes(1, 2)


def from_blocks(blocks: np.ndarray) -> np.ndarray:
    """(H/n, W/n, n, n) -> (H, W), the inverse of `to_blocks`. Taught in chapter 1."""
    rows, columns, n, _ = blocks.shape
    return blocks.swapaxes(1, 2).reshape(rows * n, columns * n)


def zigzag(n: int = 8) -> list[tuple[int, int]]:
    """All n * n frequencies (u, v) in JPEG's zig-zag order. Example: zigzag(8)[:3] == [(0, 0), (0, 1), (1, 0)].

    Source: ITU-T T.81, figure A.6. Taught in chapter 1.
    """
    return sorted(((u, v) for u in range(n) for v in range(n)),
                  key=lambda f: (f[0] + f[1], f[0] if (f[0] + f[1]) % 2 else f[1]))


def select_frequencies(selection, count: int = 16, n: int = 8) -> list[tuple[int, int]]:
    """A list of (u, v) on the n x n grid: 'low' (nearest to DC first), 'zigzag', 'top16' (FcaNet's), or your own list.

    `count` limits the named selections; your own list is checked and returned whole. Raises ValueError on an unknown
    name and on a frequency outside the grid. Taught in chapters 1 and 2.
    """
    if not isinstance(selection, str):
        chosen = [(int(u), int(v)) for u, v in selection]
    elif selection == "top16":
        chosen = list(TOP16[:count])
    elif selection == "zigzag":
        chosen = zigzag(n)[:count]
    elif selection == "low":
        chosen = sorted(zigzag(n), key=lambda f: f[0] ** 2 + f[1] ** 2)[:count]
    else:
        raise ValueError(f"unknown frequency selection {selection!r}: use 'low', 'top16', 'zigzag' or a list of (u, v)")
    if not chosen or any(not (0 <= u < n and 0 <= v < n) for u, v in chosen):
        raise ValueError(f"frequencies must be a non-empty list of (u, v) with 0 <= u, v < {n}")
    return chosen
