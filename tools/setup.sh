#!/bin/sh
# Create the environment in $1 (default .venv), or bring it up to date. It needs no root and is safe to repeat.
set -eu
venv=${1:-.venv}

if [ ! -x "$venv/bin/python" ]; then
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break
        python=
    done
    if [ -z "$python" ]; then
        echo "setup: Python 3.11, 3.12 or 3.13 is needed (to choose one: make setup PYTHON=/path/to/python3.12)" >&2
        exit 2
    fi
    "$python" -m venv "$venv" || {
        rm -rf "$venv"
        echo "setup: '$python -m venv' failed (on Debian and Ubuntu, try: apt-get install python3-venv)" >&2
        exit 2
    }
fi

echo "setup: installing the package and its tools in $venv (takes minutes the first time)"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

# The default torch for Linux includes about 3 GB of CUDA. Without an NVIDIA GPU, install the CPU build if its host answers
# quickly; if not, the main install below takes the default build. A torch that is already installed is left alone.
torch=$(grep -E '^torch==' constraints.txt)
has_torch() { "$venv/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; }
if [ "$(uname -s)" = Linux ] && ! has_torch && ! nvidia-smi -L >/dev/null 2>&1; then
    pip install --quiet --no-deps --retries 0 --timeout 5 --index-url https://download.pytorch.org/whl/cpu "$torch" \
        >/dev/null 2>&1 || echo "setup: the CPU build of torch is not reachable; installing the default build"
fi

pip install --quiet --constraint constraints.txt --editable '.[book,test]'
