"""The codec: image to file and back. It puts the pieces in order and holds no piece itself.

It applies the quality, the importance map, the gains and the post-quantisation filter between the transforms; the bytes
are made in `entropy/latents.py` and framed in `container.py`.

Taught in chapters 0, 4 and 9.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial import checkpoint, data
from mfca_tutorial.blocks import importance as maps
from mfca_tutorial.blocks.pqf import PQF
from mfca_tutorial.config import MAX_QUALITY, STRIDE, CodecConfig, lambda_of
from mfca_tutorial.container import OVERLAP, TILE, BitstreamError, Header, Tile, pack, tile_grid, unpack
from mfca_tutorial.entropy.counts import gaussian_tables, table_from_pmf
from mfca_tutorial.entropy.hyperprior import ExactHyperprior, Hyperprior, gaussian_bits
from mfca_tutorial.entropy.latents import Tables, decode_latents, encode_latents
from mfca_tutorial.entropy.map_coder import decode_map, encode_map
from mfca_tutorial.entropy.quantization import Gains
from mfca_tutorial.tiling import blend, pad_to_stride
from mfca_tutorial.transforms import Analysis, Synthesis


class Codec(nn.Module):
    """A variable-rate image codec; every quality 0..100 from one set of weights.

        x -- g_a --> y -- * gain(quality + map) --> y -- h_a --> z -- round --> z_hat --> file
                                                    |                             |
                                                    |    mean, scale <-- context <-- h_s
                                                    v        |          (exact)
                          y_hat = round(y - mean) + mean     |
                            |        `--- range coder with the scale's table --> file
                            `-- / gain -- PQF -- g_s --> x_hat

    `Codec.from_pretrained()` is ready for `compress` and `decompress`; one made by `Codec(config)` is for training,
    until `freeze()`. Taught in chapter 4."""

    def __init__(self, config: CodecConfig):
        super().__init__()
        self.config = config
        self.g_a, self.g_s = Analysis(config), Synthesis(config)
        self.gains = Gains(config.latents, config.anchors)
        self.hyperprior = Hyperprior(config)
        self.importance = maps.ImportanceHead(config.encoder_widths[-1])
        self.pqf = PQF(config.latents, config.pqf_width, side=1)
        self.model_id = bytes(8)
        self.tables: Tables | None = None
        self._exact: ExactHyperprior | None = None

    @classmethod
    def from_pretrained(cls, path: str | Path | None = None) -> "Codec":
        """The shipped checkpoint, or one that `mfca train` wrote. Works offline, on CPU.

        Raises FileNotFoundError or ValueError where `path` is no checkpoint. Taught in chapter 0."""
        path = path or data.path("mfca.safetensors")
        config, state, tables = checkpoint.read_checkpoint(path)
        codec = cls(config)
        codec.load_state_dict(state)
        codec.model_id, codec.tables = checkpoint.model_id(path), tables
        return codec.to(memory_format=torch.channels_last).eval()

    def freeze(self) -> "Codec":
        """Round to fixed point what must be exact and make the tables, once, after training. Taught in chapter 9."""
        self.hyperprior.freeze()
        self.tables = Tables(gaussian_tables(), [table_from_pmf(*pmf) for pmf in self.hyperprior.prior.pmfs()])
        self._exact = None
        return self.eval()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.gains.log_gain.device

    @property
    def exact(self) -> ExactHyperprior:
        """The exact twin of `hyperprior`, on the same device where that has float64, else on the CPU."""
        device = torch.device("cpu") if self.device.type == "mps" else self.device
        if self._exact is None or self._exact.device != device:
            if self.tables is None:
                raise RuntimeError("this codec is still in training: call freeze() before compress or decompress")
            self._exact = ExactHyperprior(self.hyperprior, device)
        return self._exact

    # ---- the two halves, shared by training and use

    def gain_of(self, quality: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Quality (B,), offsets (B, 1, H/64, W/64) -> quality (B, 1, h, w), gain (B, M, h, w). Taught in chapter 6."""
        local = (quality[:, None, None, None] + offsets).clamp(0, MAX_QUALITY)
        local = F.interpolate(local, scale_factor=STRIDE // 16, mode="nearest")  # (B, 1, H/16, W/16)
        return local, self.gains(local)

    def synthesise(self, y_hat: torch.Tensor, local: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        """Scaled latents (B, M, h, w) -> x_hat (B, 3, H, W): undo the gain, filter, transform. Taught in chapter 4."""
        return self.g_s(self.pqf(y_hat / gain, local / MAX_QUALITY))

    def code(self, y: torch.Tensor, quality: torch.Tensor, offsets: torch.Tensor, noise: bool = True) -> dict:
        """All after g_a: y (B, M, h, w), not scaled -> {"x_hat", "bits", "y_hat", "z_hat"}. Taught in chapter 11."""
        local, gain = self.gain_of(quality, offsets)
        with torch.autocast(y.device.type, enabled=False):
            coded = self.hyperprior(y.float() * gain, noise)
        x_hat = self.synthesise(coded["y_hat"], local, gain).float()
        return {"x_hat": x_hat, **{k: coded[k] for k in ("bits", "y_hat", "z_hat")}}

    def forward(self, x: torch.Tensor, quality: torch.Tensor, offsets: torch.Tensor | None = None,
                noise: bool = True) -> dict:
        """What training sees. x (B, 3, H, W) in 0..1, sides multiples of 64; quality (B,) in 0..100.

        offsets (B, 1, H/64, W/64): the importance map as quality offsets, None for flat. noise: as in `Hyperprior`.
        Returns {"x_hat", "bits": {"y": (B, M, h, w), "z"}, "y_hat", "z_hat", "importance": (B, 1, H/64, W/64) in 0..1,
        the learned head's map, which nothing else here depends on}. Taught in chapter 11."""
        y, features = self.g_a(x)  # (B, M, H/16, W/16), (B, C, H/8, W/8)
        if offsets is None:
            offsets = x.new_zeros(x.shape[0], 1, x.shape[2] // STRIDE, x.shape[3] // STRIDE)
        return {**self.code(y, quality, offsets, noise), "importance": self.importance(features.detach())}

    # ---- files

    @torch.no_grad()
    def analyse(self, x: torch.Tensor, quality: float, importance=None, steps: Iterable = ()) -> dict:
        """One tile, all the way to its bytes, with everything on the way. x (1, 3, H, W) in 0..1, any size.

        Returns {"y" (scaled), "offsets", "features", "gain", "local", and `Coded`'s fields}. Taught in chapter 8."""
        x = x.to(self.device)
        y, features = self.g_a(pad_to_stride(x).contiguous(memory_format=torch.channels_last))
        offsets = self._offsets(importance, features)
        local, gain = self.gain_of(torch.tensor([float(quality)], device=self.device), offsets)
        y = y * gain  # (1, M, H/16, W/16)
        z = self.hyperprior.h_a(y)  # (1, C_z, H/64, W/64)
        y = self.refine(x, y, z, local, gain, steps) if steps else y
        coded = encode_latents(self.exact, self.tables, y, z)
        return {"y": y, "features": features, "offsets": offsets, "local": local, "gain": gain, **coded._asdict()}

    @torch.enable_grad()
    def refine(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, local: torch.Tensor, gain: torch.Tensor,
               steps: Iterable) -> torch.Tensor:
        """Better latents for one picture: bits + lambda * squared error falls along its gradient, the weights stay.

        x (1, 3, H, W), not padded; scaled y (1, M, h, w) and z, not rounded; local and gain of `gain_of`; steps: one
        more than the moves. A step that does not help is taken back and halved, so the result, y_hat, is no worse than
        y's; no decoder needs to know. Source: Campos et al. 2019. Taught in chapter 12."""
        rows, columns = x.shape[2:]
        price = 255**2 / 3 * lambda_of(F.interpolate(local, scale_factor=16.0))[:, :, :rows, :columns]  # bits
        features, best, stride = self.hyperprior.h_s(torch.round(z)).detach(), math.inf, 0.4
        for _ in steps:
            y = y.detach().requires_grad_()
            y_hat, mean, scale = self.hyperprior.predict(y, features)
            cost = (price * (x - self.synthesise(y_hat, local, gain)[:, :, :rows, :columns]).square()).sum()
            cost = cost + gaussian_bits(torch.round(y - mean).detach(), scale).sum()
            if cost < best:
                up, down = (gaussian_bits((y - mean).detach() + d, scale.detach()) for d in (0.5, -0.5))
                (slope,) = torch.autograd.grad(cost + ((up - down) * (y - mean)).sum(), y)  # up - down: of rounding
                best, found, start = cost.detach(), y_hat.detach(), y.detach()
            else:
                stride /= 2
            y = start - stride * slope / (slope.abs() + 100)  # half a stride at 100 bits a rounding step
        return found

    def _offsets(self, importance, features: torch.Tensor) -> torch.Tensor:
        rows, columns = features.shape[2] // 8, features.shape[3] // 8
        if importance is not None and not isinstance(importance, str):
            return maps.mask_to_offsets(torch.as_tensor(importance, device=self.device), rows, columns)
        if importance == "auto":
            return maps.map_to_offsets(self.importance(features))
        if importance in (None, "flat"):
            return torch.zeros(1, 1, rows, columns, device=self.device)
        raise ValueError(f"importance is None, 'flat', 'auto' or an array in -1..1, not {importance!r}")

    def compress(self, x, quality: float, importance=None, progress=iter, effort: int = 0) -> bytes:
        """An image -> the bytes of a `.mfca` file.

        x: float (1, 3, H, W) in 0..1, or uint8 (H, W, 3). quality: 0..100, used in half steps. importance: None or
        'flat', 'auto' (the learned head), or an array of any size in -1..1 (1 is 28 quality steps up, -1 is 32 down).
        effort: how often `refine` moves the latents; that is slow. progress: wraps the tiles and
        the steps, `tqdm` for a bar. Raises ValueError on anything else. Taught in chapters 9 and 12."""
        if not 0 <= quality <= MAX_QUALITY or effort < 0:
            raise ValueError(f"quality must be in 0..{MAX_QUALITY} and effort >= 0, not {quality} and {effort}")
        quality = round(quality * 2) / 2
        x = data.to_tensor(x) if isinstance(x, np.ndarray) else x
        if x.ndim != 4 or x.shape[:2] != (1, 3) or not x.numel():
            raise ValueError(f"an image is (1, 3, H, W) or uint8 (H, W, 3), not {tuple(x.shape)}")
        height, width = x.shape[2:]
        if importance is not None and not isinstance(importance, str):
            importance = maps.resize_mask(torch.as_tensor(np.asarray(importance)), height, width)
        flat = importance is None or isinstance(importance, str) and importance == "flat"
        header = Header(self.model_id, width, height, quality, grey=bool((x == x[:, :1]).all()), has_map=not flat,
                        tile=0 if max(height, width) <= TILE else TILE)
        tiles = []
        for top, left, h, w in progress(tile_grid(width, height, header.tile, OVERLAP)):
            window = importance[top:top + h, left:left + w] if isinstance(importance, torch.Tensor) else importance
            steps = progress(range(effort + 1)) if effort else ()  # the first one only looks
            coded = self.analyse(x[:, :, top:top + h, left:left + w], quality, window, steps)
            levels = maps.offsets_to_levels(coded["offsets"])[0, 0].cpu().numpy()
            tiles.append(Tile(b"" if flat else encode_map(levels), coded["z_bytes"], coded["y_bytes"]))
        return pack(header, tiles)

    @torch.no_grad()
    def decompress(self, file: bytes, progress=iter) -> torch.Tensor:
        """The bytes of a `.mfca` file -> x_hat (1, 3, H, W): 8-bit values over 255, on the CPU.

        progress: wraps the list of tiles, `tqdm` for a bar.
        Raises BitstreamError on anything but a whole, undamaged file that this model wrote. Taught in chapter 9."""
        header, tiles = unpack(file)
        if header.model_id != self.model_id:
            raise BitstreamError(f"this file was made by model {header.model_id.hex()}, this is {self.model_id.hex()}: "
                                 "load the checkpoint that made it")
        grid = tile_grid(header.width, header.height, header.tile, OVERLAP)
        work = progress(list(zip(tiles, grid, strict=True)))
        pieces = (self._decode_tile(header, tile, h, w) for tile, (_, _, h, w) in work)
        x_hat = blend(pieces, grid, header.height, header.width)
        if header.grey:
            x_hat = x_hat.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        return torch.round(x_hat.clamp(0, 1) * 255) / 255

    def latents_of(self, header: Header, tile: Tile, height: int, width: int):
        """One tile of a file -> y_hat (1, M, h, w) float64, offsets (1, 1, H/64, W/64). Taught in chapter 9."""
        rows, columns = -(-height // STRIDE), -(-width // STRIDE)
        levels = decode_map(tile.map, rows, columns) if header.has_map else np.full((rows, columns), maps.MAP_FLAT)
        offsets = maps.levels_to_offsets(torch.from_numpy(levels))[None, None].to(self.device)
        y_hat = decode_latents(self.exact, self.tables, tile.z, tile.y, self.config.latents, rows * 4, columns * 4)
        return y_hat, offsets

    def _decode_tile(self, header: Header, tile: Tile, height: int, width: int) -> torch.Tensor:
        y_hat, offsets = self.latents_of(header, tile, height, width)
        local, gain = self.gain_of(torch.tensor([header.quality], device=self.device), offsets)
        y_hat = y_hat.float().to(self.device).contiguous(memory_format=torch.channels_last)
        return self.synthesise(y_hat, local, gain)[:, :, :height, :width].cpu()  # (1, 3, height, width)
