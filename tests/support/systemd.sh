#!/bin/bash
# Runs a command where a real `systemd --user` can be started, though this machine's first process is no systemd.
#
# usage: systemd.sh COMMAND [ARGUMENT…]     as root, with util-linux and systemd
# The command gets mount, pid and cgroup namespaces of its own; all of it dies with this script. It finds a delegated
# cgroup tree at /sys/fs/cgroup and an empty /run that says systemd runs. The environment is handed on as it is.
set -euo pipefail
if [ -z "${HOUSECALL_SYSTEMD_CGROUP:-}" ]; then
    root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    mounted=
    if [ -z "$root" ]; then
        root=$(mktemp -d -p "${HOUSECALL_TEST_RUN:-/tmp}")
        mount -t cgroup2 none "$root"
        mounted=1
    fi
    # By this name the next test run finds it, should this one be killed.
    group=$root/$(basename "${HOUSECALL_TEST_RUN:-housecall-tests}")-$$
    mkdir "$group"
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        export HOUSECALL_SYSTEMD_CGROUP=$group
        exec unshare --mount --pid --cgroup --fork --kill-child --mount-proc --propagation private "$0" "$@"
    ) && code=0 || code=$?
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.1
    done
    if [ -n "$mounted" ]; then umount "$root" && rmdir "$root"; fi
    exit "$code"
fi

# Inside: this shell is the first process of its namespace.
umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/init.scope
echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system
"$@"
