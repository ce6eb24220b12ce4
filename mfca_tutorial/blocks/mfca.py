"""Multi-frequency channel attention: weigh each channel by how much it holds of one DCT frequency.

Squeeze-and-excitation asks each channel for its mean, the lowest frequency. MFCA gives each group of channels a
frequency of its own. Three things differ from FcaNet (Qin et al. 2021), each for a reason that chapter 2 measures:
coefficients are taken in 8x8 windows at the feature map's own resolution (a descriptor must not depend on the image's
size), their energy is averaged (the mean of a signed AC coefficient is nearly zero), and each channel's usual energy is
subtracted (what is the same in every image cannot tell images apart).

Taught in chapter 2.
"""

import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.blocks.dct import dct_matrix, select_frequencies


class MFCA(nn.Module):
    """Scale each channel of x by a gate in 0..1 computed from the channels' DCT coefficients.

        x (B, C, H, W) --window DCT, one (u, v) a channel--> (B, C, H/8, W/8)
          --log energy, less its usual value--> (B, C) --FC, ReLU, FC, sigmoid--> gate (B, C);   output = gate * x

    frequencies: 'top16', 'low', 'zigzag' or a list of (u, v); channel c takes number c * len(list) // C.
    window: side of the DCT windows in feature pixels; None takes one window over the whole map.
    descriptor: 'energy' (log mean square over windows, less its running mean) or 'signed' (plain mean over windows).
    reduction: the hidden layer has max(C // reduction, 8) units.
    With frequencies=[(0, 0)], window=None, descriptor='signed' this is squeeze-and-excitation (Hu et al. 2018).
    Gates start near open (0.88), whatever the input. Source: Qin et al. 2021 (FcaNet), equations 7-9.
    Taught in chapter 2."""

    def __init__(self, channels: int, frequencies="top16", window: int | None = 8, descriptor: str = "energy",
                 reduction: int = 8):
        super().__init__()
        if descriptor not in ("energy", "signed"):
            raise ValueError(f"unknown descriptor {descriptor!r}: use 'energy' or 'signed'")
        chosen = select_frequencies(frequencies, n=window or 64)
        self.frequencies = [chosen[c * len(chosen) // channels] for c in range(channels)]  # one (u, v) a channel
        self.window, self.descriptor = window, descriptor
        hidden = max(channels // reduction, 8)
        self.fc1, self.fc2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        nn.init.zeros_(self.fc2.weight)
        nn.init.constant_(self.fc2.bias, 2.0)
        if descriptor == "energy":
            self.register_buffer("usual", torch.zeros(channels))  # (C,) running mean of the log energy
        if window:
            self.register_buffer("cos_u", self._cosines(0, window), persistent=False)  # (C, window)
            self.register_buffer("cos_v", self._cosines(1, window), persistent=False)  # (C, window)

    def _cosines(self, axis: int, n: int) -> torch.Tensor:
        """(C, n): each channel's cosine along one axis, scaled so that frequency 0 gives the mean."""
        wanted = [f[axis] for f in self.frequencies]
        if max(wanted) >= n:
            raise ValueError(f"frequency {max(wanted)} does not exist on {n} samples")
        rows = dct_matrix(n)[wanted] / n**0.5
        return torch.from_numpy(rows).to(self.fc1.weight.dtype)

    def coefficients(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, C, H/n, W/n): coefficient (u_c, v_c) of each n x n window, divided by n.

        Without windows: (B, C, 1, 1), of the whole map, divided by sqrt(HW); frequency (0, 0) is the mean either way.
        H and W that are no multiple of the window are padded by their last row and column. Taught in chapter 2."""
        height, width = x.shape[2:]
        if self.window:
            n_h = n_w = self.window
            cos_u, cos_v = self.cos_u, self.cos_v
            if height % n_h or width % n_w:
                x = F.pad(x, (0, -width % n_w, 0, -height % n_h), mode="replicate")
            if not x.is_cuda:  # the same sums as one strided depthwise convolution, faster on a CPU
                basis = (cos_u[:, :, None] * cos_v[:, None, :])[:, None]  # (C, 1, n, n)
                with torch.autocast("cpu", enabled=False):
                    return F.conv2d(x.to(basis.dtype), basis, stride=self.window, groups=len(basis))
        else:
            n_h, n_w = height, width
            cos_u, cos_v = self._cosines(0, n_h).to(x.device), self._cosines(1, n_w).to(x.device)
        x = x.to(cos_v.dtype).unflatten(3, (-1, n_w)).unflatten(2, (-1, n_h))  # (B, C, H/n, n, W/n, n)
        across = (x * cos_v[:, None, None, None, :]).sum(5)  # (B, C, H/n, n, W/n)
        return (across * cos_u[:, None, :, None]).sum(3)  # (B, C, H/n, W/n)

    def describe(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, C): what the gates look at. Taught in chapter 2."""
        c = self.coefficients(x)  # (B, C, H/n, W/n)
        if self.descriptor == "signed":
            return c.mean((2, 3))
        log_energy = torch.log(c.square().mean((2, 3)) + 1e-9)  # (B, C)
        unusual = (log_energy - self.usual) / 2  # about -1..1
        if self.training:
            self.usual.lerp_(log_energy.detach().mean(0), 0.01)
        return unusual

    def gates(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, C): the factor of each channel, in 0..1. Taught in chapter 2."""
        return torch.sigmoid(self.fc2(F.relu(self.fc1(self.describe(x)))))

    def forward(self, x: torch.Tensor, shortcut: torch.Tensor | None = None) -> torch.Tensor:
        """gate * x, or shortcut + gate * x in one go; all (B, C, H, W)."""
        gate = self.gates(x)[:, :, None, None].to(x.dtype)  # (B, C, 1, 1)
        return gate * x if shortcut is None else torch.addcmul(shortcut, x, gate)
