#!/bin/sh
# Ship the model of a finished training run: sh tools/release_model.sh PYTHON RUN (`make release-model RUN=runs/NAME`).
#
# First, measure the model on Kodak (MFCA_KODAK, else downloaded): with a flat map, with the learned map, with a flat map
# and effort 10, and two images at every whole quality. Measure the classical codecs as well if their results are missing.
# Only if all of this has worked, copy the results to data/results/, RUN/model.safetensors to data/mfca.safetensors and the
# run's log and reports to data/training/. Then rewrite the generated part of the README and data/MODEL_CARD.md.
#
# To do by hand: `make large` and then `make model-card`, for the card's section on large pictures; `make portability`, also
# with ARGS=--web; `make web-limits`, for the page "Try it"; look at the figures, check that the text in
# tools/templates/model_card.md.j2 is true of this run, commit.
# To rehearse on a few pictures of your own: FOLDER=pictures QUALITIES="0 50 100".
set -eu
python=$1
run=$2
folder=${FOLDER:-kodak}
qualities=${QUALITIES:-$(seq 0 5 100)}

for file in "$run/model.safetensors" "$run/report.json"; do
    if [ ! -f "$file" ]; then
        echo "release-model: no file '$file'; RUN is the folder that 'mfca train' wrote" >&2
        exit 2
    fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/results/kodak" "$work/results/kodak_pair" "$work/pair"

# evaluate NAME FOLDER OPTIONS...: write one result file
evaluate() {
    name=$1
    shift
    echo "measuring $name"
    "$python" -m mfca_tutorial eval "$@" --out "$work/results/$name.json"
}

for codec in jpeg jpeg2000 webp avif; do
    [ -f "data/results/kodak/$codec.json" ] || evaluate "kodak/$codec" "$folder" --codec "$codec"
done
model=$run/model.safetensors
evaluate kodak/mfca "$folder" --checkpoint "$model" --qualities $qualities
evaluate kodak/mfca-auto "$folder" --checkpoint "$model" --qualities $qualities --importance auto
evaluate kodak/mfca-effort10 "$folder" --checkpoint "$model" --qualities $qualities --effort 10

# The first and the twenty-third picture, at every whole quality.
"$python" - "$folder" "$work/pair" <<'END'
import shutil, sys
from mfca_tutorial import data
folder, target = sys.argv[1:]
for file in (data.kodak() if folder == "kodak" else data.image_files(folder))[::22]:
    shutil.copy(file, target)
END
evaluate kodak_pair/mfca "$work/pair" --checkpoint "$model" --qualities $(seq 0 100)

cp -R "$work/results/." data/results/
cp "$model" data/mfca.safetensors
for file in log.csv health.jsonl report.json; do
    [ ! -f "$run/$file" ] || cp "$run/$file" data/training/
done

# The README's second picture shows what the model card has counted.
"$python" tools/model_card.py --pictures
"$python" tools/readme.py --picture
"$python" tools/verify_results.py --record
echo "The model is in place. Read README.md and data/MODEL_CARD.md, then commit data/, _assets/ and README.md."
