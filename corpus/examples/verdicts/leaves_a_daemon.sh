#!/bin/sh
# Exits at once and leaves children behind: one in a session of its own, and one that keeps
# the output open. Verdict: ok, at once, and neither of them may live on. (Both end after 60 s.)
setsid sleep 60 >/dev/null 2>&1 </dev/null &
sleep 60 &
echo "daemon started"
exit 0
