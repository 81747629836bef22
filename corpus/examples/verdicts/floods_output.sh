#!/bin/sh
# Prints the same line over and over, as a stuck retry loop would. Stops by itself at 64 MiB.
# Verdict: output_limit.
yes 'connection lost, trying again' | head -c 67108864
