#!/bin/bash
# Checks of your own beside the same checks of goss and of scope, in one run: five of every day, five that sleep, and
# thousands of files and ports.
#
# usage: [SCOPE=/path/to/scope] dev/bench-gate.sh [RUNS] [PART…]
#   PART is five, sleeps or many; default: all. Needs goss on PATH (as the tests do), hyperfine, jq, lighttpd, node and GNU
#   time. Builds the release, unless HOUSECALL says which one is measured. The CPU column counts children, and is the one to
#   trust on a busy machine.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-40}
shift || true
parts=" ${*:-five sleeps many} "
goss=$(command -v goss) || { echo "goss is lacking: put it on PATH" >&2; exit 1; }
scope=${SCOPE:-}
[ -n "${HOUSECALL:-}" ] || cargo build --quiet --release
binary=${HOUSECALL:-${CARGO_TARGET_DIR:-$PWD/target}/release/housecall}

# A world of its own: a home, a repository, a page.
home=$(mktemp -d)
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
export HOME=$home XDG_CONFIG_HOME=$home/.config XDG_STATE_HOME=$home/.state XDG_CACHE_HOME=$home/.cache
export XDG_DATA_HOME=$home/.data
git config --global user.name Bench && git config --global user.email bench@example.org
mkdir -p "$home/site" "$home/lighttpd" "$home/.config/housecall" "$home/scope" "$home/files"
echo "<p>The first text</p>" >"$home/site/index.html"
git -C "$home/site" init --quiet && git -C "$home/site" add . && git -C "$home/site" commit --quiet -m "The first text"
sha=$(git -C "$home/site" rev-parse HEAD)
node=$(node --version)
cat >"$home/lighttpd/conf" <<C
server.document-root = "$home/site"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$home/lighttpd/errors"
index-file.names = ("index.html")
C
lighttpd -D -f "$home/lighttpd/conf" &
servers=($!)
trap 'kill "${servers[@]}"; rm -rf "$home"' EXIT
sleep 0.5

# Runs commands side by side, in turns so that all meet the same machine, and prints the median of each beside that of
# the first: NAME COMMAND, again and again.
compare() {
    local names=() commands=() index round
    local rounds=$((runs < 20 ? 1 : 10))
    while [ $# -gt 0 ]; do
        names+=("$1") commands+=("$2")
        shift 2
    done
    for ((round = 0; round < rounds; round++)); do
        hyperfine --style none --warmup 2 --runs $((runs / rounds)) --ignore-failure \
            --export-json "$home/round-$round.json" -N "${commands[@]}" >&2
    done
    jq -s 'def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2; map(.results) | transpose |
        map({ median: map(.times[]) | median, cpu: (map(.user + .system) | add / length) })' \
        "$home"/round-*.json >"$home/result.json"
    rm "$home"/round-*.json
    printf '%-30s %10s %8s %10s %10s\n' "" "median ms" "ratio" "CPU ms" "peak MB"
    for index in "${!names[@]}"; do
        # shellcheck disable=SC2086
        peak=$(/usr/bin/time -f %M ${commands[$index]} 2>&1 >/dev/null | tail -n 1 || true)
        jq -r --arg name "${names[$index]}" --argjson at "$index" --argjson peak "$peak" '. as $all | $all[$at] |
            [$name, .median * 1000, .median / $all[0].median, .cpu * 1000, $peak / 1024] | @tsv' \
            "$home/result.json" | awk -F'\t' '{ printf "%-30s %10.2f %8.2f %10.2f %10.1f\n", $1, $2, $3, $4, $5 }'
    done
}

# That a peer says yes to what holds, and is measured at that.
content() { "$@" >"$home/said" 2>&1 || { cat "$home/said" >&2; echo "not content: $*" >&2; exit 1; }; }

scope_group() { # NAME, then NAME COMMAND again and again
    printf 'apiVersion: scope.github.com/v1alpha\nkind: ScopeDoctorGroup\nmetadata:\n  name: %s\nspec:\n  actions:\n' "$1"
    shift
    while [ $# -gt 0 ]; do
        printf '    - name: %s\n      check:\n        commands:\n          - %s\n' "$1" "$2"
        shift 2
    done
}

if [[ $parts == *" five "* ]]; then
    cat >"$home/.config/housecall/five.toml" <<C
[check.node]
tool = { name = "node", version = "${node#v}" }
[check.index]
file = { path = "$home/site/index.html", type = "file" }
[check.port]
listener = { address = "127.0.0.1:$port" }
[check.text]
http = { url = "http://127.0.0.1:$port/", page = { contains = ["The first text"] } }
[check.head]
git = { repository = "$home/site", head = "$sha" }
C
    cat >"$home/five.yaml" <<C
command:
  node --version: { exit-status: 0, stdout: ["$node"] }
  git -C $home/site rev-parse HEAD: { exit-status: 0, stdout: ["$sha"] }
file:
  $home/site/index.html: { exists: true, filetype: file }
port:
  tcp:$port: { listening: true, ip: ["127.0.0.1"] }
http:
  http://127.0.0.1:$port/: { status: 200, body: ["The first text"] }
C
    mkdir -p "$home/five/.scope"
    # scope hands a command to `env -S`, which takes a `$` for itself except within single quotes.
    scope_group five node "bash -c 'test \$(node --version) = $node'" page "test -f $home/site/index.html" \
        port "bash -c 'exec 3<>/dev/tcp/127.0.0.1/$port'" \
        text "bash -c 'curl -sf http://127.0.0.1:$port/ | grep -q \"The first text\"'" \
        head "bash -c 'test \$(git -C $home/site rev-parse HEAD) = $sha'" >"$home/five/.scope/five.yaml"
    ours="$binary --config $home/.config/housecall/five.toml"
    commands=("goss, the same five" "$goss -g $home/five.yaml validate")
    [ -z "$scope" ] || commands+=("scope, the same five" "$scope doctor run --working-dir $home/five --fix=false")
    commands+=("node --version alone" "node --version")
    echo "# Five checks: a version of node, a file, a port, a page, a commit"
    # shellcheck disable=SC2086
    content $ours
    # shellcheck disable=SC2086
    for ((at = 1; at < ${#commands[@]}; at += 2)); do content ${commands[$at]}; done
    compare "housecall, five checks" "$ours" "${commands[@]}"
fi

if [[ $parts == *" sleeps "* ]]; then
    : >"$home/.config/housecall/sleeps.toml"
    echo "command:" >"$home/sleeps.yaml"
    mkdir -p "$home/sleeps/.scope"
    actions=()
    for time in 1.0 1.1 1.2 1.3 1.4; do
        printf '[check."sleep-%s"]\ncommand = { run = ["sleep", "%s"] }\n' "$time" "$time" >>"$home/.config/housecall/sleeps.toml"
        echo "  sleep $time: { exit-status: 0 }" >>"$home/sleeps.yaml"
        actions+=("sleep-${time/./-}" "sleep $time")
    done
    scope_group sleeps "${actions[@]}" >"$home/sleeps/.scope/sleeps.yaml"
    echo "# Five commands that sleep 1.0 to 1.4 s"
    commands=("goss" "$goss -g $home/sleeps.yaml validate")
    [ -z "$scope" ] || commands+=("scope" "$scope doctor run --working-dir $home/sleeps --fix=false")
    runs=5 compare "housecall" "$binary --config $home/.config/housecall/sleeps.toml" "${commands[@]}"
fi

if [[ $parts == *" many "* ]]; then
    # Half of the checks are files and half are ports; somebody listens on all ports from 10000, on none from 20000.
    most=20000
    python3 - "$((most / 2))" <<'P' &
import resource, signal, socket, sys
many = int(sys.argv[1])
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, many + 100), hard))
sockets = [socket.socket() for _ in range(many)]
for at, it in enumerate(sockets):
    it.bind(("127.0.0.1", 10000 + at))
    it.listen(1)
signal.pause()
P
    servers+=($!)
    (cd "$home/files" && seq "$((most / 2))" | xargs touch)
    many() { # COUNT FAILING NAME
        python3 - "$home" "$@" <<'P'
import sys
home, count, failing, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
half, bad = count // 2, failing // 2
files = [f"{home}/{'files' if at > bad else 'gone'}/{at}" for at in range(1, half + 1)]
ports = [(10000 if at >= bad else 20000) + at for at in range(half)]
with open(f"{home}/.config/housecall/{name}.toml", "w") as it:
    for at, path in enumerate(files):
        print(f'[check.file-{at}]\nfile = {{ path = "{path}" }}', file=it)
    for port in ports:
        print(f'[check.port-{port}]\nlistener = {{ address = "127.0.0.1:{port}" }}', file=it)
with open(f"{home}/{name}.yaml", "w") as it:
    print("file:", file=it)
    for path in files:
        print(f"  {path}: {{ exists: true }}", file=it)
    print("port:", file=it)
    for port in ports:
        print(f'  tcp:{port}: {{ listening: true, ip: ["127.0.0.1"] }}', file=it)
P
    }
    for count in 1000 10000 $most; do
        many "$count" 0 "green-$count"
        many "$count" "$((count * 9 / 10))" "red-$count"
    done
    until python3 -c "import socket; socket.create_connection(('127.0.0.1', $((10000 + most / 2 - 1))))" 2>/dev/null; do sleep 0.2; done
    content "$binary" --config "$home/.config/housecall/green-1000.toml"
    content "$goss" -g "$home/green-1000.yaml" validate
    for state in green red; do
        echo "# Files and ports, $([ $state = green ] && echo "all green" || echo "nine of ten failing")"
        rows=()
        for count in 1000 10000 $most; do
            rows+=("housecall, $count" "$binary --config $home/.config/housecall/$state-$count.toml")
        done
        rows+=("housecall, 10000, --json" "$binary --config $home/.config/housecall/$state-10000.toml --json")
        for count in 1000 10000 $most; do
            rows+=("goss, $count" "$goss -g $home/$state-$count.yaml validate")
        done
        rows+=("goss, 10000, json" "$goss -g $home/$state-10000.yaml validate --format json")
        runs=$((runs / 4 + 2)) compare "${rows[@]}"
    done
fi
