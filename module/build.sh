#!/bin/bash
# Builds ngx_http_upload_module.so for the nginx whose nginx-dev is installed.
#
#   build.sh OUT_DIR
#
# Prints the path of the module, alone, on stdout; everything else goes to
# stderr.  SLIPWAY_SANITIZE=1 builds with AddressSanitizer and
# UndefinedBehaviorSanitizer (load with LD_PRELOAD=libasan.so).
# NGINX_DEV is where nginx-dev lies (default: /usr/share/nginx/src).
set -euo pipefail

die() {
    echo "build.sh: $1" >&2
    exit 1
}

[ $# -eq 1 ] || die "OUT_DIR: expected one argument, got $#; use build.sh OUT_DIR"

module=$(cd "$(dirname "$0")" && pwd)
nginx_dev=${NGINX_DEV:-/usr/share/nginx/src}

[ -f "$nginx_dev/conf_flags" ] ||
    die "NGINX_DEV: no conf_flags in \"$nginx_dev\"; install nginx-dev (apt-get install nginx-dev)"

mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -rL "$nginx_dev/." "$work"

# shellcheck source=/dev/null
. "$nginx_dev/conf_flags"

cc_opt="-g -O2 -fPIC -fstack-protector-strong -Wall -Wextra -Wformat -Werror=format-security"
cc_opt+=" -ffile-prefix-map=$work=. -ffile-prefix-map=$module=module"
ld_opt="-Wl,-z,relro -Wl,-z,now -fPIC"

if [ "${SLIPWAY_SANITIZE:-}" = 1 ]; then
    # nginx itself passes NULL with a length of 0
    cc_opt+=" -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=nonnull-attribute"
    ld_opt+=" -fsanitize=address,undefined"
else
    cc_opt+=" -D_FORTIFY_SOURCE=2"
fi

{
    cd "$work"
    ./configure "${NGX_CONF_FLAGS[@]}" --with-cc-opt="$cc_opt" --with-ld-opt="$ld_opt" \
        --add-dynamic-module="$module"
    make -f objs/Makefile -j2 modules
} >"$work/build.log" 2>&1 || {
    cat "$work/build.log" >&2
    die "the build failed; its output is above"
}

install -m 0644 "$work/objs/ngx_http_upload_module.so" "$out/ngx_http_upload_module.so"
echo "$out/ngx_http_upload_module.so"
