#!/usr/bin/env bash
# Turns a deaf ear to every signal that can be ignored, then sits there for up to 30 s.
# Verdict: time_limit (wall time): only SIGKILL ends it.
trap '' HUP INT QUIT TERM USR1 USR2 XCPU ALRM TSTP
echo "not listening"
for ((i = 0; i < 30; i++)); do
    sleep 1
done
echo "still here"
