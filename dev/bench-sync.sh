#!/bin/bash
# What a sync with nothing to do costs, beside the bare `git fetch` that it is made of: over HTTP, 20,001 refs.
#
# usage: dev/bench-sync.sh [RUNS]      needs hyperfine, jq, lighttpd, GNU time; builds the release; prints medians
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100}
. dev/bench-world.sh

# A remote with main and 20,000 other branches.
mkdir -p "$site/pages" && for page in $(seq 500); do echo "text $page" >"$site/pages/$page.html"; done
publish
sha=$(git -C "$site" rev-parse HEAD)
seq -f "create refs/heads/topic/%05.0f $sha" 20000 | git -C "$remote" update-ref --stdin
git -C "$remote" pack-refs --all
mirror_every 5s >"$config"
sync=("$binary" --config "$config" sync)
"${sync[@]}" && "${sync[@]}"
echo "refs on the remote: $(git -C "$remote" for-each-ref | wc -l)"

fetch="git -C $site fetch --quiet origin main"
measure "$fetch" "${sync[*]}" "$fetch"
jq -r '.results | ((.[0].median + .[2].median) / 2) as $bare | .[1] as $sync |
    "git fetch origin main, ms          \($bare * 1000)",
    "housecall sync, ms                 \($sync.median * 1000)",
    "ratio                              \($sync.median / $bare)",
    "its CPU with children, ms          \(($sync.user + $sync.system) * 1000)",
    "that of git fetch alone, ms        \((.[0].user + .[0].system) * 1000)",
    "every 5 s, CPU seconds a day       \(($sync.user + $sync.system) * 17280)"' "$home/result.json"
# GNU time tells of the greatest of all its processes.
echo "resident at most, kB, git included $(/usr/bin/time -f %M "${sync[@]}" 2>&1 >/dev/null | tail -n 1)"
if command -v strace >/dev/null; then
    strace -f -qq -e trace=execve -o "$home/execs" "${sync[@]}" >/dev/null
    echo "programs run:" && grep -o 'execve("[^"]*", \[.*\]' "$home/execs" | grep -v ENOENT | sed 's/^/    /'
fi
