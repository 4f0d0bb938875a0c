#!/bin/sh
# Lays out the root file system of the image: the program, the libraries it is linked with, certificates, one user. The
# Containerfile and the check beside it call the same script.
#   rootfs.sh BINARY FOLDER
set -eu
binary=$1
root=$2
user=65532

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/data" "$root/tmp" "$root/proc" "$root/dev"
strip -o "$root/usr/bin/einthoven" "$binary"
# The dynamic loader and every library, each at the path that the program asks for.
ldd "$binary" | sed -n 's/.*=> *\(\/[^ ]*\) (.*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
# For MLflow, buckets and issuers that are reached by TLS.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
echo "einthoven:x:$user:$user::/data:/sbin/nologin" > "$root/etc/passwd"
echo "einthoven:x:$user:" > "$root/etc/group"
chmod 1777 "$root/tmp"
chmod 0700 "$root/data"
chown -R "$user:$user" "$root/data" 2>/dev/null || true
