# Set-up, the same in every chapter: installs what is missing.
# In Colab, Runtime > Change runtime type gives you a GPU.
import os
import subprocess
import sys
from importlib.util import find_spec

REPOSITORY = os.environ.get(
    "MFCA_REPOSITORY", "https://github.com/mfca-tutorial/mfca-tutorial"
)
if not find_spec("mfca_tutorial"):
    names = {"skimage": "scikit-image", "pytorch_msssim": "pytorch-msssim"}
    needed = [
        "bjontegaard",
        "constriction",
        "pooch",
        "pytorch_msssim",
        "safetensors",
        "scipy",
        "skimage",
        "tqdm",
    ]
    missing = [names.get(module, module) for module in needed if not find_spec(module)]
    for arguments in (["wheel", *missing], ["--no-deps", f"git+{REPOSITORY}"]):
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", *arguments], check=True
        )
import matplotlib.pyplot as plt
import numpy as np
import torch
from mfca_tutorial.show import figures

# The look of the figures and the seeds; prints the versions and the device.
device = figures.start(seed=0)
