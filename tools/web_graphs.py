"""The codec's floating-point networks as three ONNX graphs, for `web/networks.mjs`.

    analysis.onnx    x (1, 3, 64 h, 64 w) in 0..1, quality  -> y (1, M, 4 h, 4 w), importance
    hyper.onnx       y, quality                             -> v = gain * y, z (1, C_z, h, w)
    synthesis.onnx   v_hat (1, M, 4 h, 4 w), quality        -> x_hat (1, 3, 64 h, 64 w)

The quality of each 64x64 block is (1, 1, h, w) in 0..100, the learned importance map likewise in
0..1. h and w are free, 1 to 16. Weights that float16 holds exactly are stored so and cast at load:
half the size, and the same outputs.

But: what must agree to the bit is not here. `web/exact.mjs` computes it in whole numbers.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from onnxscript import optimizer
from torch import Tensor, nn

from mfca_tutorial.blocks.mfca import FLOOR, MFCA
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAX_QUALITY, STRIDE
from mfca_tutorial.container import TILE
from mfca_tutorial.entropy.latents import LATENTS_PER_Z

OPSET = 20  # the first with Gelu
SMALL = 64  # arrays below this size stay float32
FOLDED = 1 << 22  # the largest array that is computed at export


# ---- the three networks


def on_latents(blocks: Tensor) -> Tensor:
    """A value per block, (1, C, h, w) -> the same for each of its latents, (1, C, 4 h, 4 w)."""
    return F.interpolate(blocks, scale_factor=float(LATENTS_PER_Z), mode="nearest")


class Analysis(nn.Module):
    def __init__(self, codec: Codec):
        super().__init__()
        self.g_a = codec.g_a
        self.head = codec.importance

    def forward(self, x: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        y, features = self.g_a(x, quality / MAX_QUALITY)
        return y, self.head(features)


class Hyper(nn.Module):
    def __init__(self, codec: Codec):
        super().__init__()
        self.gains = codec.gains
        self.h_a = codec.hyperprior.h_a

    def forward(self, y: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        v = y * on_latents(self.gains(quality))
        return v, self.h_a(v)


class Synthesis(nn.Module):
    """`Codec.synthesise`, with one quality for each block even where all are the same."""

    def __init__(self, codec: Codec):
        super().__init__()
        self.gains = codec.gains
        self.pqf = codec.pqf
        self.g_s = codec.g_s

    def forward(self, v_hat: Tensor, quality: Tensor) -> Tensor:
        y_hat = v_hat / on_latents(self.gains(quality))
        quality_map = quality / MAX_QUALITY
        return self.g_s(self.pqf(y_hat, on_latents(quality_map)), quality_map)


# ---- export


@torch.no_grad()
def write_graphs(codec: Codec, folder: Path) -> list[Path]:
    """Write the three graphs of a codec. Raises ValueError if a graph lost part of its network."""
    codec = codec.to(memory_format=torch.contiguous_format)

    # an example of each input, and which of its sides are free: multiples of h and w
    h = torch.export.Dim("h", min=1, max=TILE // STRIDE)
    w = torch.export.Dim("w", min=1, max=TILE // STRIDE)
    x = torch.rand(1, 3, 2 * STRIDE, 3 * STRIDE)
    latents = torch.randn(1, codec.config.latents, 2 * LATENTS_PER_Z, 3 * LATENTS_PER_Z)
    quality = torch.full((1, 1, 2, 3), 50.0)
    pixels = {2: STRIDE * h, 3: STRIDE * w}
    places = {2: LATENTS_PER_Z * h, 3: LATENTS_PER_Z * w}
    blocks = {2: h, 3: w}

    jobs = [
        ("analysis", Analysis(codec), ("x", x, pixels), ("y", "importance")),
        ("hyper", Hyper(codec), ("y", latents, places), ("v", "z")),
        ("synthesis", Synthesis(codec), ("v_hat", latents, places), ("x_hat",)),
    ]
    files = []
    for name, network, (input_name, example, sides), output_names in jobs:
        with quiet():
            program = torch.onnx.export(
                network.eval(),
                (example, quality),
                input_names=[input_name, "quality"],
                output_names=output_names,
                dynamic_shapes=(sides, blocks),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
                # its rewriting rules take constants up to 1e-8 for zero, and MFCA adds 1e-9
                optimize=False,
            )
        model = simplified(program.model)
        check_logarithms(model, sum(isinstance(part, MFCA) for part in network.modules()))
        halve(model)
        onnx.checker.check_model(model)

        file = folder / f"{name}.onnx"
        onnx.save(model, file)
        files.append(file)
    return files


@contextmanager
def quiet() -> Iterator[None]:
    """The exporter warns that there is no torchvision, and of its own age."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def simplified(model: onnx_ir.Model) -> onnx.ModelProto:
    """The exporter's model without what it leaves to its optimiser: functions, constant results."""
    optimizer.inline(model)
    optimizer.fold_constants(
        model, onnx_shape_inference=True, input_size_limit=FOLDED, output_size_limit=FOLDED
    )
    optimizer.remove_unused_nodes(model)
    proto = onnx_ir.to_proto(model)

    # drop what only a debugger reads
    del proto.graph.value_info[:]
    for node in proto.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    return proto


def check_logarithms(model: onnx.ModelProto, wanted: int) -> None:
    """Each MFCA takes one logarithm, of an energy plus 1e-9. Raises ValueError if that is gone."""
    constants = {array.name: numpy_helper.to_array(array) for array in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    maker = {name: node for node in model.graph.node for name in node.output}

    found = 0
    for node in model.graph.node:
        if node.op_type == "Log":
            added = [constants.get(name) for name in maker[node.input[0]].input]
            found += any(
                value is not None and (value == np.float32(FLOOR)).all() for value in added
            )
    if found != wanted:
        raise ValueError(f"{found} of {wanted} logarithms are of a number above zero")


def halve(model: onnx.ModelProto) -> None:
    """Store the weights that float16 holds exactly in float16, and cast them at load, in place."""
    casts = []
    for array in model.graph.initializer:
        values = numpy_helper.to_array(array)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        halves = values.astype(np.float16)
        if not np.array_equal(halves.astype(np.float32), values):
            continue
        name = array.name
        stored = f"{name}_half"
        array.CopyFrom(numpy_helper.from_array(halves, stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))

    # a graph lists its nodes in the order of their use
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
