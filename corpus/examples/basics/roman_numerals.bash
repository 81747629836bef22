#!/usr/bin/env bash
# Converts numbers to Roman numerals and back, and checks the round trip to 3999.
set -euo pipefail

readonly values=(1000 900 500 400 100 90 50 40 10 9 5 4 1)
readonly symbols=(M CM D CD C XC L XL X IX V IV I)
declare -rA digit=([M]=1000 [D]=500 [C]=100 [L]=50 [X]=10 [V]=5 [I]=1)

# Both functions leave their answer in REPLY: no subshell for each call.
to_roman() {
    local n=$1 i
    REPLY=
    for i in "${!values[@]}"; do
        while ((n >= values[i])); do
            REPLY+=${symbols[i]}
            ((n -= values[i])) || true
        done
    done
}

from_roman() {
    local text=$1 total=0 i here next
    for ((i = 0; i < ${#text}; i++)); do
        here=${digit[${text:i:1}]}
        next=0
        if ((i + 1 < ${#text})); then next=${digit[${text:i+1:1}]}; fi
        ((total += here < next ? -here : here)) || true
    done
    REPLY=$total
}

for year in 4 49 1066 1789 1994 2024; do
    to_roman "$year"
    printf '%5d  %s\n' "$year" "$REPLY"
done

for ((n = 1; n < 4000; n += 7)); do
    to_roman "$n"
    from_roman "$REPLY"
    ((REPLY == n)) || { echo "round trip broke at $n" >&2; exit 1; }
done
echo "round trip holds"
