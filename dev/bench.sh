#!/bin/bash
# How fast an examination of a real, healthy astro mirror is, beside what it must wait for and what it replaces.
#
# usage: dev/bench.sh [RUNS]      needs dev/parts, hyperfine, jq; builds the release; prints a table of medians
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-40}
project=$PWD
parts=${CARGO_TARGET_DIR:-$PWD/target}/tmp/parts
cargo build --quiet --release
binary=${CARGO_TARGET_DIR:-$PWD/target}/release/housecall

# A world of its own: a home, an origin over HTTP, a canonical repository, the mirror.
home=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
git_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export HOME=$home XDG_CONFIG_HOME=$home/.config XDG_STATE_HOME=$home/.state XDG_CACHE_HOME=$home/.cache
export XDG_DATA_HOME=$home/.data PATH=$parts/node-22/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
git config --global user.name Bench && git config --global user.email bench@example.org
printf 'cache=%s\nprefer-offline=true\naudit=false\nfund=false\n' "$parts/npm-cache" >"$home/.npmrc"
[ -z "${NODE_EXTRA_CA_CERTS:-}" ] || echo "cafile=$NODE_EXTRA_CA_CERTS" >>"$home/.npmrc"

mkdir -p "$home/remotes" "$home/dev" "$home/lighttpd" "$home/.config/housecall"
git init --quiet --bare --initial-branch=main "$home/remotes/essays.git"
cp -R "$project/tests/fixtures/astro-site" "$home/dev/essays"
cd "$home/dev/essays"
git init --quiet --initial-branch=main && git add --all && git commit --quiet -m "The first text"
git push --quiet "$home/remotes/essays.git" main
cat >"$home/lighttpd/conf" <<C
server.modules = ("mod_alias", "mod_cgi", "mod_setenv")
server.document-root = "$home/lighttpd"
server.bind = "127.0.0.1"
server.port = $git_port
server.errorlog = "$home/lighttpd/errors"
alias.url = ("/git/" => "$(git --exec-path)/git-http-backend/")
cgi.assign = ("" => "")
setenv.set-environment = ("GIT_PROJECT_ROOT" => "$home/remotes", "GIT_HTTP_EXPORT_ALL" => "", "PATH" => "/usr/bin:/bin")
C
lighttpd -D -f "$home/lighttpd/conf" &
server=$!
trap '"$binary" --config "$config" down >/dev/null 2>&1 || true; kill $server; rm -rf "$home"' EXIT
config=$home/.config/housecall/bench.toml
git remote add origin "http://127.0.0.1:$git_port/git/essays.git"
sleep 0.5 && git fetch --quiet && git branch --quiet --set-upstream-to origin/main
cat >"$config" <<C
name = "bench"
[runtime]
path = ["$parts/node-22/bin"]
[mirror]
repository = "$home/dev/essays"
upstream = "origin/main"
worktree = "~/mirror/worktree"
branch = "localhost-sync"
state = "~/mirror"
every = "1h"
install = ["npm", "ci"]
[serve]
run = ["node", "node_modules/.bin/astro", "dev", "--host", "127.0.0.1", "--port", "$port"]
listen = "127.0.0.1:$port"
ready = { path = "/", within = "60s" }
[[page]]
path = "/"
contains = ["The first text"]
[jobs]
manager = "embedded"
C
cd "$home"
worktree=$home/mirror/worktree
"$binary" --config "$config" --fix >"$home/fix.log" 2>&1 || { cat "$home/fix.log" >&2; exit 1; }
bash "$project/dev/doctor.sh" "$worktree" "$port" "first text" >&2

measure() { hyperfine --style none --warmup 5 --runs "$runs" --export-json "$home/result.json" -N "$@" >&2; }
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
