#!/bin/sh
# Asks for a name as an installer would; with nobody there to answer it takes the default.
set -u

printf 'Your name [nobody]: '
if ! read -r name; then
    printf '(end of input)\n'
fi
printf 'Hello, %s.\n' "${name:-nobody}"
