#!/bin/bash
# How long a push takes to be served by a real astro mirror that its keeper polls for, and what the polling costs.
#
# usage: dev/bench-push.sh [PUSHES] [SECONDS]      needs dev/parts, jq, lighttpd; builds the release
#   Pushes come at random moments of the period, which is SECONDS long: 5 if nothing else is said.
set -euo pipefail
cd "$(dirname "$0")/.."
pushes=${1:-20}
every=${2:-5}
. dev/bench-world.sh
astro_every "${every}s"

now() { date +%s%3N; }
# Milliseconds of CPU that the keeper and all that it waited for have used: the server is not among them, it still runs.
keeper=$(jq .pid "$home/mirror/keeper.json")
used() { awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13 + $14 + $15) * 1000 / tick }' "/proc/$keeper/stat"; }

git clone --quiet "$remote" "$home/other"
page=$(grep -l "The first text" -r "$home/other/src/pages" | head -n 1)
took=()
for push in $(seq "$pushes"); do
    sleep "$(awk -v every="$every" -v seed="$push" 'BEGIN { srand(seed); print every * rand() }')"
    sed -i "s/The first text[^<]*/The first text, and push $push./" "$page"
    git -C "$home/other" commit --quiet --all -m "Push $push"
    git -C "$home/other" push --quiet origin main
    pushed=$(now)
    until curl -s "http://127.0.0.1:$port/" | grep -q "and push $push\."; do
        [ $(($(now) - pushed)) -lt 120000 ] || { echo "push $push is not served" >&2; exit 1; }
        sleep 0.02
    done
    took+=($(($(now) - pushed)))
done
printf '%s\n' "${took[@]}" | sort -n | awk -v every="$every" '
    { it[NR] = $1 } END { print "from a push to its page, ms:        median " it[int((NR + 1) / 2)] ", worst " it[NR]
    print "the worst above the period, ms      " it[NR] - every * 1000 }'

# Nothing is pushed now: each cycle finds nothing to do.
before=$(used) start=$(now)
sleep $((every * 12))
awk -v used="$(($(used | cut -d. -f1) - ${before%.*}))" -v passed="$(($(now) - start))" -v every="$every" 'BEGIN {
    print "CPU of a cycle with nothing to do, ms " used / (passed / (every * 1000))
    print "polling every " every " s, CPU seconds a day  " used / passed * 86400 }'
