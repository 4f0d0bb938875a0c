#!/bin/sh
# Tries the image without an engine: lays out its root file system, starts the program in it in namespaces of its own, with a read-only
# root, no network but loopback, as a user without rights, and asks it for health and for one classification.
#   try.sh BINARY RECORDING...      RECORDING: files of one recording
# Ends with 0 and the size where it answers, with 77 where this machine does not let us make namespaces, else with 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
binary=$1
shift

if ! unshare --mount --net --pid --fork true 2>/dev/null; then
    echo "skipped: this machine does not permit namespaces (unshare --mount --net --pid)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$here/rootfs.sh" "$binary" "$work/root"
size=$(du -s --bytes "$work/root" | cut -f1)
mkdir "$work/answers" "$work/recording"
cp "$@" "$work/recording"
# Everything below runs where only loopback is, and where the new root is read-only but for the two folders that an engine would mount.
BODY='
set -eu
mount --make-rprivate /
mount --bind "$WORK/root" "$WORK/root"
mount -t tmpfs -o size=512m,mode=0700,uid=65532,gid=65532 data "$WORK/root/data"
mount -t tmpfs -o size=512m,mode=1777 tmp "$WORK/root/tmp"
mount -t proc proc "$WORK/root/proc"
mount -t tmpfs -o size=1m dev "$WORK/root/dev"
for node in null zero urandom random; do touch "$WORK/root/dev/$node"; mount --bind "/dev/$node" "$WORK/root/dev/$node"; done
mount -o remount,bind,ro "$WORK/root"
ip link set lo up 2>/dev/null || python3 -c "
import fcntl, socket, struct
s = socket.socket()
name = struct.pack(\"16sh\", b\"lo\", 0x1 | 0x40)
fcntl.ioctl(s, 0x8914, name)"
KEY=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d " \n")
chroot --userspec=65532:65532 "$WORK/root" /usr/bin/env true 2>/dev/null && { echo "the image has more in it than the program"; exit 1; }
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin EINTHOVEN_OWNER_KEY="$KEY" EINTHOVEN_LISTEN=0.0.0.0:5000 EINTHOVEN_DATA=/data EINTHOVEN_LOG_FORMAT=json \
    setpriv --no-new-privs chroot --userspec=65532:65532 "$WORK/root" /usr/bin/einthoven serve > "$WORK/answers/out" 2> "$WORK/answers/log" &
server=$!
turns=0
until curl --silent --fail --output /dev/null http://127.0.0.1:5000/v1/health/ready; do
    turns=$((turns + 1))
    if [ "$turns" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then cat "$WORK/answers/log" "$WORK/answers/out"; exit 1; fi
    sleep 0.2
done
set --
for file in "$WORK"/recording/*; do set -- "$@" --form "file=@$file"; done
curl --silent --show-error --fail --header "Authorization: Bearer $KEY" "$@" --output "$WORK/answers/document" http://127.0.0.1:5000/v1/classify
curl --silent --show-error --fail --header "Authorization: Bearer $KEY" --output "$WORK/answers/metrics" http://127.0.0.1:5000/metrics
[ "$(curl --silent --output /dev/null --write-out "%{http_code}" http://127.0.0.1:5000/metrics)" = 401 ] || { echo "metrics are open"; exit 1; }
real=$(pgrep -x einthoven | head -n 1)
grep -q "^Uid:.65532.65532" "/proc/$real/status" || { echo "it does not run as 65532"; exit 1; }
grep -q "^CapEff:.0000000000000000" "/proc/$real/status" || { echo "it has capabilities"; exit 1; }
kill -TERM "$server"
wait "$server" || { echo "it ended with $?"; cat "$WORK/answers/log"; exit 1; }
'
WORK=$work unshare --mount --net --pid --fork --mount-proc sh -c "$BODY"
grep -q '"beats"' "$work/answers/document" || { echo "no beats were found"; head -c 500 "$work/answers/document"; exit 1; }
grep -q '^einthoven_build_info' "$work/answers/metrics" || { echo "no metrics"; exit 1; }
packed=$(tar -C "$work/root" -c . | gzip -6 | wc -c)
echo "the root file system is $((size / 1000000)) MB ($size bytes, $((packed / 1000000)) MB packed); health, a classification and the metrics answered"
