#!/bin/bash
# The doctor that one would write first: one question after the other, each with its own program.
# It is the baseline for speed: dev/bench.sh runs it beside the product.
#
# usage: dev/doctor.sh WORKTREE PORT TEXT
set -u
worktree=$1 port=$2 text=$3
url=http://127.0.0.1:$port/

node=$(node --version)
npm=$(npm --version)
branch=$(git -C "$worktree" branch --show-current)
head=$(git -C "$worktree" rev-parse HEAD)
dirty=$(git -C "$worktree" status --porcelain | wc -l)
remote=$(git -C "$worktree" ls-remote origin refs/heads/main | cut -f1)
pid=$(lsof -nP -t -iTCP:"$port" -sTCP:LISTEN | head -n 1)
directory=$(lsof -a -p "$pid" -d cwd -Fn | sed -n 's/^n//p')
command=$(ps -o args= -p "$pid")
status=$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$url")
curl -s -m 5 "$url" | grep -q "$text" && content=yes || content=no

echo "node $node, npm $npm"
echo "on $branch at $head, $dirty files differ, origin/main is $remote"
echo "pid $pid in $directory: $command"
echo "$url answers $status, text found: $content"
[ "$head" = "$remote" ] && [ "$dirty" = 0 ] && [ "$directory" = "$(realpath "$worktree")" ] &&
    [ "$status" = 200 ] && [ "$content" = yes ]
