# Set-up, the same in every chapter: installs the package where it is missing.
# In Colab, Runtime > Change runtime type gives you a GPU.
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

VERSION = "0.2.0"
PUBLISHED = "https://mfca-tutorial.github.io/mfca-tutorial"
PAGES = os.environ.get("MFCA_PAGES", PUBLISHED)
WHEEL = f"mfca_tutorial-{VERSION}-py3-none-any.whl"
HELP = f"""The set-up failed. What helps:
1. In Colab: Runtime > Disconnect and delete runtime. Then run this cell again.
2. Download {PAGES}/wheels/{WHEEL}
   (in a course, ask for this file), put it beside this notebook (in Colab: the
   folder symbol on the left, then Upload), and run this cell again.
3. Report it: https://github.com/mfca-tutorial/mfca-tutorial/issues"""


def install(*wanted):
    command = [sys.executable, "-m", "pip", "install", "--quiet", *wanted]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{done.stderr}\n{HELP}")


if not find_spec("mfca_tutorial"):
    # what Colab lacks; its own torch, NumPy and the rest stay as they are
    names = {"skimage": "scikit-image", "pytorch_msssim": "pytorch-msssim"}
    needed = "bjontegaard constriction pooch pytorch_msssim safetensors scipy tqdm"
    missing = [m for m in ["skimage", *needed.split()] if not find_spec(m)]
    if missing:
        install(*[names.get(module, module) for module in missing])

    # this version's file: from beside the notebook, else from the book's pages
    install("--no-deps", WHEEL if Path(WHEEL).exists() else f"{PAGES}/wheels/{WHEEL}")
import matplotlib.pyplot as plt
import numpy as np
import torch
from mfca_tutorial.show import figures
from mfca_tutorial.show.exercises import checked

# The look of the figures and the seeds; prints the versions and the device.
device = figures.start(seed=0)
