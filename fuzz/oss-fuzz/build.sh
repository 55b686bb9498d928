#!/bin/bash -eu
# What OSS-Fuzz runs in its builder, with $CC, $CFLAGS, $LIB_FUZZING_ENGINE, $WORK and $OUT set, in the
# repository's folder: a program, a zipped corpus, a dictionary and options for each target.
cmake -S . -B "$WORK/weir" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_EXE_LINKER_FLAGS="$CFLAGS" \
    -DWEIR_FUZZ=ON -DWEIR_COMMAND=OFF -DWEIR_FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
for folder in fuzz/corpus/*; do
    target=$(basename "$folder")
    cmake --build "$WORK/weir" --target "fuzz_$target"
    cp "$WORK/weir/fuzz/fuzz_$target" "$OUT/"
    zip -qj "$OUT/fuzz_${target}_seed_corpus.zip" "$folder"/*
    if [[ -f fuzz/$target.dict ]]; then
        cp "fuzz/$target.dict" "$OUT/fuzz_$target.dict"
    fi
    if [[ -f fuzz/$target.options ]]; then
        cp "fuzz/$target.options" "$OUT/fuzz_$target.options"
    fi
done
