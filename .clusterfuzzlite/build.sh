#!/bin/bash -eu
# Builds every fuzz target into $OUT, together with its seeds and its dictionary, as ClusterFuzzLite and
# OSS-Fuzz expect. Their images set $OUT and $SRC; elsewhere, $OUT alone is sufficient.
cd "$(dirname "${BASH_SOURCE[0]}")"
[[ -d ../fuzz ]] && cd .. || cd "$SRC/lambda-invoke"
fuzz/cargo-fuzz build
built=$(find "${CARGO_TARGET_DIR:-fuzz/target}" -maxdepth 2 -path '*-*/release' -type d | head -n 1)
for target in $(fuzz/cargo-fuzz list); do
    cp "$built/$target" "$OUT/"
    # The archive contains only file names, without folders.
    (cd "$(fuzz/seeds "$target")" && python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" *)
    dictionary=$(fuzz/dictionary "$target")
    if [[ -n $dictionary ]]; then cp "$dictionary" "$OUT/$target.dict"; fi
done
