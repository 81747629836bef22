#!/usr/bin/env bash
# Starts 100 background jobs without a thought for limits. A refused fork makes bash wait and
# try again, so that its end depends on timing. Verdict: any, as long as it is contained.
for ((i = 1; i <= 100; i++)); do
    sleep 3 &
done
echo "started 100 jobs"
wait
