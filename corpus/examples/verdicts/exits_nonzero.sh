#!/bin/sh
# Checks for a configuration file that is not there and gives up with exit code 3.
# Verdict: failed.
set -u

config=./settings.conf
echo "reading $config"
if [ ! -r "$config" ]; then
    echo "error: $config is missing" >&2
    exit 3
fi
echo "never reached"
