#!/bin/sh
# Pipelines of small tools: several short-lived processes at once, joined by pipes.
set -eu

echo "squares that end in 6:"
seq 1 40 | awk '{ print $1 * $1 }' | grep '6$' | paste -s -d ' ' -

echo "letters by frequency:"
printf '%s\n' 'pack my box with five dozen liquor jugs' |
    tr -cd 'a-z' | fold -w 1 | sort | uniq -c | sort -k1,1nr -k2,2 | head -n 5

echo "checksum of a long stream:"
seq 1 200000 | gzip -c | gunzip -c | cksum
