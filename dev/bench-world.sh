# A world of its own for what measures: a home, a git server over HTTP, a canonical repository. To be sourced.

# The release to measure: HOUSECALL, or this project's, built now.
project=$PWD
parts=${CARGO_TARGET_DIR:-$PWD/target}/tmp/parts
[ -n "${HOUSECALL:-}" ] || cargo build --quiet --release
binary=${HOUSECALL:-${CARGO_TARGET_DIR:-$PWD/target}/release/housecall}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

home=$(mktemp -d)
port=$(free_port)
git_port=$(free_port)
export HOME=$home XDG_CONFIG_HOME=$home/.config XDG_STATE_HOME=$home/.state XDG_CACHE_HOME=$home/.cache
export XDG_DATA_HOME=$home/.data PATH=$parts/node-22/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
git config --global user.name Bench && git config --global user.email bench@example.org
git config --global init.defaultBranch main
printf 'cache=%s\nprefer-offline=true\naudit=false\nfund=false\n' "$parts/npm-cache" >"$home/.npmrc"
[ -z "${NODE_EXTRA_CA_CERTS:-}" ] || echo "cafile=$NODE_EXTRA_CA_CERTS" >>"$home/.npmrc"
mkdir -p "$home/remotes" "$home/dev" "$home/lighttpd" "$home/.config/housecall"
site=$home/dev/site
remote=$home/remotes/site.git
worktree=$home/mirror/worktree
config=$home/.config/housecall/bench.toml

# Serves every repository under remotes/, until the script ends; then the keeper is ended too, if one runs.
serve_remotes() {
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
}

# Makes a repository of what is in the canonical one's place, pushes it, and follows the remote.
publish() {
    git init --quiet --bare "$remote"
    git -C "$site" init --quiet
    git -C "$site" add --all && git -C "$site" commit --quiet -m "The first text"
    git -C "$site" push --quiet "$remote" main
    serve_remotes
    git -C "$site" remote add origin "http://127.0.0.1:$git_port/git/site.git"
    sleep 0.5 && git -C "$site" fetch --quiet && git -C "$site" branch --quiet --set-upstream-to origin/main
}

# What every configuration says of the mirror; its period is an argument.
mirror_every() {
    cat <<C
name = "bench"
[mirror]
repository = "$site"
upstream = "origin/main"
worktree = "~/mirror/worktree"
branch = "localhost-sync"
state = "~/mirror"
every = "$1"
C
}

# The fixture's astro site, served by the embedded keeper, and healthy; its period is an argument.
astro_every() {
    cp -R "$project/tests/fixtures/astro-site" "$site"
    publish
    { mirror_every "$1" && cat <<C; } >"$config"
install = ["npm", "ci"]
[runtime]
path = ["$parts/node-22/bin"]
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
    "$binary" --config "$config" --fix >"$home/fix.log" 2>&1 || { cat "$home/fix.log" >&2; exit 1; }
}

measure() { hyperfine --style none --warmup 5 --runs "$runs" --export-json "$home/result.json" -N "$@" >&2; }
