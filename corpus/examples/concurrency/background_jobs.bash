#!/usr/bin/env bash
# Starts several jobs in the background, waits for each and gathers their exit codes.
set -uo pipefail

job() {
    local name=$1 seconds=$2 code=$3
    sleep "$seconds"
    echo "$name done" >>finished.txt
    return "$code"
}

declare -A pids
job quick 0.1 0 & pids[quick]=$!
job slow 0.4 0 & pids[slow]=$!
job broken 0.2 9 & pids[broken]=$!

echo "started ${#pids[@]} jobs"
failures=0
for name in quick broken slow; do
    wait "${pids[$name]}"
    code=$?
    echo "$name ended with $code"
    ((code == 0)) || ((++failures))
done

echo "in order of finishing:"
cat finished.txt
# One of the three was meant to fail: anything else is an error of this script.
((failures == 1))
