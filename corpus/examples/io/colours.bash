#!/usr/bin/env bash
# A harmless show of ANSI escape codes: colours, styles and a progress bar that redraws itself.
set -euo pipefail

readonly esc=$'\e'
readonly reset="${esc}[0m"

names=(black red green yellow blue magenta cyan white)
for i in "${!names[@]}"; do
    printf '%s[3%dm%-8s%s %s[9%dmbright%s\n' "$esc" "$i" "${names[i]}" "$reset" "$esc" "$i" "$reset"
done

printf '%s[1mbold%s %s[4munderlined%s %s[7mreversed%s\n' \
    "$esc" "$reset" "$esc" "$reset" "$esc" "$reset"

for ((shade = 232; shade < 256; shade++)); do
    printf '%s[48;5;%dm ' "$esc" "$shade"
done
printf '%s\n' "$reset"

for ((percent = 0; percent <= 100; percent += 20)); do
    printf '\r%s[K[%-10.*s] %3d%%' "$esc" $((percent / 10)) '##########' "$percent"
    sleep 0.02
done
printf '\n'
