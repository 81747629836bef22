#!/bin/sh
# Adds up a small CSV table per column and group with awk, sorted by total.
set -eu

orders() {
    cat <<'CSV'
day,region,units,price
mon,north,12,2.50
mon,south,7,3.10
tue,north,3,2.50
tue,east,20,1.95
wed,south,11,3.10
wed,east,5,2.05
thu,north,9,2.60
CSV
}

printf '%-8s %6s %9s\n' region units revenue
orders | awk -F, '
    NR > 1 { units[$2] += $3; revenue[$2] += $3 * $4 }
    END { for (r in units) printf "%-8s %6d %9.2f\n", r, units[r], revenue[r] }
' | sort -k3,3nr
