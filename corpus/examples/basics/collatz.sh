#!/bin/sh
# Finds the start below 200 with the longest Collatz chain, in plain POSIX arithmetic.
set -eu

chain_length() {
    n=$1
    length=1
    while [ "$n" -ne 1 ]; do
        if [ $((n % 2)) -eq 0 ]; then
            n=$((n / 2))
        else
            n=$((3 * n + 1))
        fi
        length=$((length + 1))
    done
}

best=1
best_length=1
start=1
while [ "$start" -lt 200 ]; do
    chain_length "$start"
    if [ "$length" -gt "$best_length" ]; then
        best=$start
        best_length=$length
        printf '%4d has a chain of %d\n' "$best" "$best_length"
    fi
    start=$((start + 1))
done
printf 'longest below 200: %d (%d numbers)\n' "$best" "$best_length"
