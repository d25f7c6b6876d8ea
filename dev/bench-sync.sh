#!/bin/bash
# What a sync with nothing to do costs, beside the bare `git fetch` that it is made of: over HTTP, 20,001 refs.
#
# usage: dev/bench-sync.sh [RUNS]      needs hyperfine, jq, lighttpd, GNU time; builds the release; prints medians
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-100}
cargo build --quiet --release
binary=${CARGO_TARGET_DIR:-$PWD/target}/release/housecall

home=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export HOME=$home XDG_CONFIG_HOME=$home/.config XDG_STATE_HOME=$home/.state XDG_CACHE_HOME=$home/.cache
export XDG_DATA_HOME=$home/.data PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
git config --global user.name Bench && git config --global user.email bench@example.org

# A remote with main and 20,000 other branches.
mkdir -p "$home/remotes" "$home/dev/site" "$home/lighttpd" "$home/.config/housecall"
remote=$home/remotes/site.git
git init --quiet --bare --initial-branch=main "$remote"
cd "$home/dev/site"
git init --quiet --initial-branch=main
mkdir -p pages && for page in $(seq 500); do echo "text $page" >"pages/$page.html"; done
git add --all && git commit --quiet -m "The first text" && git push --quiet "$remote" main
sha=$(git rev-parse HEAD)
seq -f "create refs/heads/topic/%05.0f $sha" 20000 | git -C "$remote" update-ref --stdin
git -C "$remote" pack-refs --all
cat >"$home/lighttpd/conf" <<C
server.modules = ("mod_alias", "mod_cgi", "mod_setenv")
server.document-root = "$home/lighttpd"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$home/lighttpd/errors"
alias.url = ("/git/" => "$(git --exec-path)/git-http-backend/")
cgi.assign = ("" => "")
setenv.set-environment = ("GIT_PROJECT_ROOT" => "$home/remotes", "GIT_HTTP_EXPORT_ALL" => "", "PATH" => "/usr/bin:/bin")
C
lighttpd -D -f "$home/lighttpd/conf" &
server=$!
trap 'kill $server; rm -rf "$home"' EXIT
git remote add origin "http://127.0.0.1:$port/git/site.git"
sleep 0.5 && git fetch --quiet origin main:refs/remotes/origin/main
config=$home/.config/housecall/bench.toml
cat >"$config" <<C
name = "bench"
[mirror]
repository = "$home/dev/site"
upstream = "origin/main"
worktree = "~/mirror/worktree"
branch = "localhost-sync"
state = "~/mirror"
C
sync=("$binary" --config "$config" sync)
"${sync[@]}" && "${sync[@]}"
echo "refs on the remote: $(git -C "$remote" for-each-ref | wc -l)"

hyperfine --style none --warmup 10 --runs "$runs" -N --export-json "$home/result.json" \
    "git -C $home/dev/site fetch --quiet origin main" "${sync[*]}" "git -C $home/dev/site fetch --quiet origin main" >&2
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
