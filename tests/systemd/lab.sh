#!/bin/bash
# Boots a real systemd over a throw-away overlay of this machine's own file tree: units can be started, hung, killed and
# stopped for real, and nothing of it stays. Root only. Needs systemd, util-linux and iproute2.
#
#   lab.sh start | exec COMMAND... | stop         its folder: $SYSTEMD_LAB
#
# It has processes, users, mounts, cgroups and a loopback of its own: no network.
set -euo pipefail

lab=${SYSTEMD_LAB:?the folder of the lab}
hierarchy=/sys/fs/cgroup/unified
[ -d "$hierarchy" ] || hierarchy=/sys/fs/cgroup
cgroup=$hierarchy/systemd-lab-$(basename "$lab")

leader() { pgrep -P "$(cat "$lab/pid")" | head -1; }

inside() { nsenter --target "$(leader)" --mount --pid --uts --ipc --net --cgroup --wd=/ -- "$@"; }

is_up() { [ -n "$(leader 2>/dev/null)" ] && inside systemctl is-system-running --wait 2>/dev/null; }

start() {
    mkdir -p "$lab"
    mountpoint -q "$lab" || mount -t tmpfs -o "size=${SYSTEMD_LAB_SIZE:-2G}" tmpfs "$lab"
    mkdir -p "$lab"/{upper,work,root} "$cgroup"
    lab=$lab cgroup=$cgroup setsid bash -c 'echo $$ >"$cgroup/cgroup.procs"
        exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child --propagation private \
            bash "$0" boot' "$0" </dev/null >"$lab/log" 2>&1 &
    echo $! >"$lab/pid"
    for _ in $(seq 200); do
        sleep .05
        is_up && return
    done
    cat "$lab/log"
    return 1
}

# Within the new namespaces: a root of its own, then systemd as its first process.
boot() {
    mount -t overlay overlay -o "lowerdir=/,upperdir=$lab/upper,workdir=$lab/work" "$lab/root"
    cd "$lab/root"
    mount -t proc proc proc
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs dev
    for device in null zero full random urandom tty; do
        touch "dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    done
    mkdir dev/pts dev/shm dev/mqueue
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
    mount -t tmpfs -o mode=1777 tmpfs dev/shm
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    ln -s fd/0 dev/stdin
    ln -s fd/1 dev/stdout
    ln -s fd/2 dev/stderr
    touch dev/console
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs -o mode=1777 tmpfs tmp
    ip link set lo up
    rm -f etc/systemd/system/multi-user.target.wants/* etc/systemd/system/*.timer
    rm -rf etc/systemd/system/timers.target.wants
    ln -sf /dev/null etc/systemd/system/console-getty.service
    mkdir -p .old
    pivot_root . .old
    umount -l /.old
    cd /
    mount --make-rshared /
    exec env -i container=systemd-lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target
}

stop() {
    inside systemctl poweroff || true
    for _ in $(seq 100); do
        kill -0 "$(cat "$lab/pid")" 2>/dev/null || break
        sleep .1
    done
    kill -9 "$(cat "$lab/pid")" 2>/dev/null || true
    find "$cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    umount "$lab" && rmdir "$lab"
}

case ${1:-} in
start | boot | stop) "$1" ;;
exec)
    shift
    inside "$@"
    ;;
*)
    sed -n 2,7p "$0"
    exit 64
    ;;
esac
