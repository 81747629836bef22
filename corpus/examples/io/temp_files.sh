#!/bin/sh
# Makes a temp directory that a trap clears away, packs files in it and unpacks them again.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

mkdir "$scratch/in" "$scratch/out"
for fruit in apple lemon plum; do
    printf 'a %s a day\n' "$fruit" >"$scratch/in/$fruit.txt"
done

tar -C "$scratch/in" -czf basket.tar.gz .
tar -C "$scratch/out" -xzf basket.tar.gz

if diff -r "$scratch/in" "$scratch/out"; then
    echo "packed and unpacked, no difference"
fi
cat "$scratch"/out/*.txt
