#!/bin/sh
# Make a finished training run the shipped model: sh tools/release_model.sh PYTHON RUN (`make release-model RUN=runs/NAME`).
#
# Measures the model (flat map, learned map, flat map with effort 10; two images at each whole quality) and, where their
# results are missing, the classical codecs on Kodak (MFCA_KODAK, else downloaded). Only when all of it has worked, the
# results go to data/results/, RUN/model.safetensors to data/mfca.safetensors, the run's log and reports to data/training/,
# and the README's part and data/MODEL_CARD.md are written anew. Left to do by hand: read the figures, see that the text in
# tools/templates/model_card.md.j2 is true of this run, commit. To rehearse: FOLDER=pictures QUALITIES="0 50 100".
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

# evaluate NAME FOLDER OPTIONS...: one result file
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

# The first picture and the twenty-third, at every whole quality.
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

"$python" tools/readme.py --picture
"$python" tools/model_card.py --pictures
echo "released; read README.md and data/MODEL_CARD.md; commit data/, _assets/ and README.md"
