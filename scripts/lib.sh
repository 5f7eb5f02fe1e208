# SPDX-License-Identifier: GPL-2.0-or-later
# What the commands of this folder share; to be sourced by sh with $top set.
# shellcheck shell=sh disable=SC2034,SC2154 # names of those who source it

export LC_ALL=C.UTF-8

# What a build and a run need, as Debian names it.
packages_to_build='gcc libc6-dev linux-libc-dev meson ninja-build pkg-config
    libglib2.0-dev libjson-glib-dev liburing-dev libseccomp-dev acpica-tools'
packages_to_run='python3 busybox-static kmod linux-image-amd64
    qemu-system-x86'
packages_to_pair='e2fsprogs grub-common grub-pc-bin'
packages_to_check="clang eject fio libvirt-clients libvirt-daemon strace
    $packages_to_pair"
packages_to_fuzz='clang libclang-rt-14-dev'

# How build-fuzz is configured, by whoever comes first.
fuzz_options='--cc=clang --enable-fuzzing --enable-sanitizers -Doptimization=2'

say()
{
    printf '== %s\n' "$*"
}

# step TEXT HOW-LONG: what comes now and what to expect of it.
step()
{
    say "$1 ($2)"
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        say "this needs root or sudo: $*" >&2
        return 1
    fi
}

installed()
{
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need PACKAGE...: install those that are missing.
need()
{
    missing=
    for package; do
        installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "install what these Debian packages bring:$missing" >&2
        return 1
    fi
    step "installing$missing" '1 to 10 minutes, by the network'
    log=$(mktemp)
    # Without a fresh list a version may be named that is gone.
    # shellcheck disable=SC2086 # packages are words
    if as_root env DEBIAN_FRONTEND=noninteractive sh -c '
        apt-get -q update &&
        exec apt-get -q -y --no-install-recommends install "$@"' \
            sh $missing >"$log" 2>&1 </dev/null; then
        rm -f "$log"
    else
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "could not install:$missing" >&2
        return 1
    fi
}

# prepare FOLDER CONFIGURE-OPTION...: configure once.
prepare()
{
    folder=$1
    shift
    [ -e "$top/$folder/build.ninja" ] ||
        (cd "$top" && ./configure --builddir="$folder" "$@" </dev/null)
}

# build FOLDER CONFIGURE-OPTION...: the same, then build what changed.
build()
{
    prepare "$@" && ninja -C "$top/$1" </dev/null
}
