#!/bin/bash -eu
# What OSS-Fuzz runs in its builder, in the repository's folder, with $CC, $CXX, $CFLAGS, $CXXFLAGS,
# $LIB_FUZZING_ENGINE, $WORK and $OUT set: makes a program, a zipped corpus, a dictionary and options
# for each target. They run elsewhere, where nothing is installed: with the libraries that are beside.
mkdir -p "$OUT/lib"
if [[ $CFLAGS == *undefined* || ${SANITIZER:-} == undefined ]]; then
    CFLAGS+=" -DWEIR_RCU_BY_CALL" # liburcu's own headers shall not be judged
fi
cmake -S . -B "$WORK/weir" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_FLAGS="$CFLAGS" \
    -DCMAKE_CXX_FLAGS="$CXXFLAGS" -DCMAKE_BUILD_RPATH='$ORIGIN/lib' \
    -DWEIR_FUZZ=ON -DWEIR_COMMAND=OFF -DWEIR_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" \
    -DWEIR_FUZZ_LANGUAGE=CXX
for folder in fuzz/corpus/*; do
    target=$(basename "$folder")
    cmake --build "$WORK/weir" --target "fuzz_$target"
    cp "$WORK/weir/fuzz/fuzz_$target" "$OUT/"
    ldd "$WORK/weir/fuzz/fuzz_$target" | awk '/=> \// && !/lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so/ { print $3 }' |
        xargs -r cp -Lt "$OUT/lib"
    zip -qj "$OUT/fuzz_${target}_seed_corpus.zip" "$folder"/*
    if [[ -f fuzz/$target.dict ]]; then
        cp "fuzz/$target.dict" "$OUT/fuzz_$target.dict"
    fi
    if [[ -f fuzz/$target.options ]]; then
        cp "fuzz/$target.options" "$OUT/fuzz_$target.options"
    fi
done
