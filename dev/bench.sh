#!/bin/bash
# How fast an examination of a real, healthy astro mirror is, beside what it must wait for and what it replaces.
#
# usage: dev/bench.sh [RUNS]      needs dev/parts, hyperfine, jq; builds the release; prints a table of medians
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-40}
. dev/bench-world.sh
astro_every 1h
bash "$project/dev/doctor.sh" "$worktree" "$port" "first text" >&2

declare -A median
names=() commands=()
row() { names+=("$1") commands+=("$2"); }
row "the whole examination" "$binary --config $config"
row "the same, --json" "$binary --config $config --json"
row "the same, --offline" "$binary --config $config --offline"
row "git ls-remote origin refs/heads/main" "git -C $worktree ls-remote origin refs/heads/main"
row "curl of the page" "curl -s -o /dev/null http://127.0.0.1:$port/"
row "the serial shell doctor" "bash $project/dev/doctor.sh $worktree $port first"
row "housecall --version" "$binary --version"
measure "${commands[@]}"
for index in "${!names[@]}"; do
    median[$index]=$(jq ".results[$index].median * 1000" "$home/result.json")
done
printf '%-40s %10s %8s\n' "" "median ms" "ratio"
for index in "${!names[@]}"; do
    awk -v name="${names[$index]}" -v it="${median[$index]}" -v whole="${median[0]}" \
        'BEGIN { printf "%-40s %10.2f %8.2f\n", name, it, it / whole }'
done
memory=$(/usr/bin/time -f %M "$binary" --config "$config" 2>&1 >/dev/null | tail -n 1)
awk -v it="$memory" 'BEGIN { printf "%-40s %10.2f\n", "the examination'"'"'s memory, MB", it / 1024 }'
awk -v whole="${median[0]}" -v remote="${median[3]}" -v page="${median[4]}" -v doctor="${median[5]}" 'BEGIN {
    slowest = remote > page ? remote : page
    printf "%-40s %10.2f\n%-40s %10.1f\n", "ms above the slowest wait", whole - slowest, "times faster than the doctor", doctor / whole
}'

# Alone, a wait has both cores; in an examination it shares them. So also: how much longer than its own slowest look
# an examination takes, of the same run.
looks=$(for _ in $(seq "$runs"); do "$binary" --config "$config" --json; done |
    jq -s 'map(.took_ms - (.checks | map(.took_ms) | max)) | sort | .[length / 2 | floor]')
awk -v it="$looks" 'BEGIN { printf "%-40s %10.2f\n", "ms above the slowest look of its run", it }'
