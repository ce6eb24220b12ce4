"""Is every part alive? A loss can look healthy while z is constant, a gate never moves and a pass codes blind.

The trainer asks every minute; chapter 11 shows what the answers looked like.

Taught in chapter 11.
"""

import torch

from mfca_tutorial.blocks.mfca import MFCA
from mfca_tutorial.codec import Codec
from mfca_tutorial.entropy.hyperprior import pass_of_latent

QUALITIES = (10, 50, 90)
LEAST_Z_SHARE, LEAST_SPREAD, MOST_PASS_COST, LEAST_PQF_ALIVE = 0.003, 0.002, 1.6, 0.1


def _look_inside(codec: Codec, x: torch.Tensor, quality: torch.Tensor) -> dict:
    """Runs the codec once and watches. By name of the block: standard deviation over images and mean of MFCA's gates;
    and the share of the PQF's hidden units that are above zero anywhere."""
    seen, hooks = {"gate_spread": {}, "gate_mean": {}}, []
    for name, module in codec.named_modules():
        if isinstance(module, MFCA):
            def record(module, inputs, output, name=name):
                block, gates = name.removesuffix(".attention"), module.gates(inputs[0])  # (B, C)
                seen["gate_spread"][block] = gates.std(0, correction=0).mean().item()
                seen["gate_mean"][block] = gates.mean().item()
            hooks.append(module.register_forward_hook(record))

    def count(module, inputs, output):
        seen["pqf_alive"] = (output > 0).flatten(2).any(2).any(0).float().mean().item()
    hooks.append(codec.pqf.first.register_forward_hook(count))
    codec(x, quality, noise=False)
    for hook in hooks:
        hook.remove()
    return seen


@torch.no_grad()
def health_report(codec: Codec, x: torch.Tensor) -> dict:
    """Vital signs on a batch x (B, 3, H, W) of different images, B >= 2, and the list of alarms.

    By quality 10, 50, 90: bpp, PSNR (dB), share of z in the bits, each pass's share of the bits of y over its share
    of the symbols. Also: spread of z over images, spread and mean of gates, living units of the PQF, spread of the map.
    Taught in chapter 11."""
    report, alarms = {"qualities": {}}, []
    for q in QUALITIES:
        quality = torch.full((x.shape[0],), float(q), device=x.device)
        out = codec(x, quality, noise=False)
        y_bits, z_bits = out["bits"]["y"].sum(0), out["bits"]["z"].sum().item()  # (M, h, w)
        turn = pass_of_latent(*y_bits.shape, codec.config.passes, x.device)
        total = y_bits.sum().item()
        cost = [y_bits[turn == p].sum().item() / total / (turn == p).float().mean().item()
                for p in range(codec.config.passes)]
        mse = (x - out["x_hat"].clamp(0, 1)).square().mean((1, 2, 3))
        z_share, z_spread = z_bits / (z_bits + total), out["z_hat"].std(0, correction=0).mean().item()
        report["qualities"][q] = {"bpp": (total + z_bits) / (x.numel() / 3), "psnr": (-10 * mse.log10()).mean().item(),
                                  "z_share": z_share, "z_spread": z_spread, "pass_cost": cost}
        if z_share < LEAST_Z_SHARE or z_spread < LEAST_SPREAD:
            alarms.append(f"quality {q}: z is dead ({z_share:.2%} of the bits, spread {z_spread:.4f})")
        if max(cost) > MOST_PASS_COST:
            alarms.append(f"quality {q}: pass {cost.index(max(cost))} costs {max(cost):.2f} times its share")
        if not torch.isfinite(mse).all():
            alarms.append(f"quality {q}: not finite")
    report |= _look_inside(codec, x, quality)
    if report["pqf_alive"] < LEAST_PQF_ALIVE:
        alarms.append(f"PQF: {report['pqf_alive']:.0%} of its hidden units are ever above zero")
    alarms += [f"{name}: the gates are the same for every image ({s:.5f})"
               for name, s in report["gate_spread"].items() if s < LEAST_SPREAD]
    report["map_spread"] = out["importance"].std().item()
    return report | {"alarms": alarms}
