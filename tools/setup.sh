#!/bin/sh
# Make the environment in $1 (default .venv) from nothing, or bring it up to date. No root, nothing global, safe to repeat.
set -eu
venv=${1:-.venv}

if [ ! -x "$venv/bin/python" ]; then
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break
        python=
    done
    if [ -z "$python" ]; then
        echo "setup: needs Python 3.11, 3.12 or 3.13 (name one: make setup PYTHON=/path/to/python3.12)" >&2
        exit 2
    fi
    "$python" -m venv "$venv" || {
        rm -rf "$venv"
        echo "setup: '$python -m venv' failed (on Debian and Ubuntu: apt-get install python3-venv)" >&2
        exit 2
    }
fi

pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

# The plain torch for Linux brings about 3 GB of CUDA. Without an NVIDIA GPU take the CPU build if its host answers at once;
# if not, the main install below takes the plain one. A torch that is already there is left alone.
torch=$(grep -E '^torch==' constraints.txt)
has_torch() { "$venv/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; }
if [ "$(uname -s)" = Linux ] && ! has_torch && ! nvidia-smi -L >/dev/null 2>&1; then
    pip install --quiet --no-deps --retries 0 --timeout 5 --index-url https://download.pytorch.org/whl/cpu "$torch" \
        >/dev/null 2>&1 || echo "setup: no CPU build of torch within reach, taking the plain one"
fi

pip install --quiet --constraint constraints.txt --editable '.[book,test]'
