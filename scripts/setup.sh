#!/bin/sh
# Installs what sandsweep needs and this machine lacks: bubblewrap, the interpreters and small
# tools of the shipped corpus, and what cargo links with. Says what it does, and does nothing when
# all is there.
#
#   scripts/setup.sh               what building and running need
#   scripts/setup.sh --with test   and what the tests need
#
# Who is not root needs sudo. With CI set, or without a terminal, sudo must not ask for a password.
# SANDSWEEP_BWRAP names a bwrap that is not on PATH, as it does for sandsweep itself.

set -eu

OLDEST_BWRAP=0.8.0
# GHSA-pxhw-h44j-8pfx: older ones follow links when they create mount points.
OLDEST_BWRAP_WITHOUT_ADVISORY=0.12.0
# The corpus uses <const>.
OLDEST_LUA=5.4
# PATH in a sandbox: an interpreter elsewhere, such as a version manager's in $HOME, is not seen.
SANDBOX_PATH='/usr/local/bin /usr/bin /bin'

INTERPRETERS='python3 sh bash node ruby perl lua php'
NEEDED="bwrap $INTERPRETERS awk diff gzip tar cc"
NEEDED_BY_TESTS='setpriv'

say() {
    printf 'setup: %s\n' "$*"
}

complain() {
    printf 'setup: error: %s\n' "$*" >&2
}

# find_in_sandbox NAME...: sets `path` to the first of these names that a sandbox will find.
find_in_sandbox() {
    for name in "$@"; do
        for directory in $SANDBOX_PATH; do
            path=$directory/$name
            if [ -f "$path" ] && [ -x "$path" ]; then
                return 0
            fi
        done
    done
    return 1
}

# not_older VERSION OLDEST
not_older() {
    [ "$(number "$1")" -ge "$(number "$2")" ]
}

# number 1.2.3: prints 1002003, so that versions compare as numbers. Words around it do not count.
number() {
    digits=${1%%[!0-9.]*}
    IFS=.
    # shellcheck disable=SC2086 # to be split at the dots
    set -- $digits
    echo $((${1:-0} * 1000000 + ${2:-0} * 1000 + ${3:-0}))
}

# bwrap_version PATH, lua_version PATH: the second word of what they say.
bwrap_version() {
    "$1" --version 2>/dev/null | cut -d ' ' -f 2
}

lua_version() {
    "$1" -v 2>&1 | cut -d ' ' -f 2
}

# have NAME: whether it is there, and good enough.
have() {
    case $1 in
    bwrap)
        path=$(command -v "${SANDSWEEP_BWRAP:-bwrap}") && not_older "$(bwrap_version "$path")" $OLDEST_BWRAP
        ;;
    cc)
        # The C library's start-up files are a package of their own on some systems.
        case $(cc -print-file-name=crt1.o 2>/dev/null) in
        /*) ;;
        *) return 1 ;;
        esac
        ;;
    lua)
        find_in_sandbox lua lua5.4 && not_older "$(lua_version "$path")" $OLDEST_LUA
        ;;
    perl)
        # Debian's perl-base has a perl without most of its modules.
        find_in_sandbox perl && "$path" -MTime::HiRes -e 1 2>/dev/null
        ;;
    python3)
        # So has python3-minimal.
        find_in_sandbox python3 && "$path" -I -S -c 'import multiprocessing' 2>/dev/null
        ;;
    php)
        find_in_sandbox php php84
        ;;
    setpriv)
        # BusyBox has one that cannot change the user.
        setpriv --help 2>/dev/null | grep -q reuid
        ;;
    *)
        find_in_sandbox "$1"
        ;;
    esac
}

# look_for NAME...: sets `missing` to those that are not there.
look_for() {
    missing=
    for wanted in "$@"; do
        have "$wanted" || missing="$missing $wanted"
    done
    missing=${missing# }
}

# describe NAME: what to install, for people.
describe() {
    case $1 in
    bwrap)
        path=$(command -v "${SANDSWEEP_BWRAP:-bwrap}") || path=
        echo "bwrap (bubblewrap $OLDEST_BWRAP or newer${path:+; $path is $(bwrap_version "$path")})"
        ;;
    cc) echo 'cc (a C compiler with its linker and C library)' ;;
    lua)
        find_in_sandbox lua lua5.4 || path=
        echo "lua ($OLDEST_LUA or newer${path:+; $path is $(lua_version "$path")})"
        ;;
    node) echo 'node (Node.js)' ;;
    perl) echo 'perl (with its standard modules)' ;;
    php) echo 'php (its command line)' ;;
    python3) echo 'python3 (with its standard library)' ;;
    setpriv) echo 'setpriv (util-linux)' ;;
    *) echo "$1" ;;
    esac
}

find_manager() {
    for manager in apt-get dnf pacman apk; do
        if command -v $manager >/dev/null; then
            return 0
        fi
    done
    manager=
}

# packages_of NAME: what the package manager calls the packages that bring it.
packages_of() {
    case $manager:$1 in
    *:bwrap) echo bubblewrap ;;
    pacman:python3) echo python ;;
    apt-get:sh) echo dash ;;
    apk:sh) echo busybox ;;
    *:sh) echo bash ;;
    *:node) echo nodejs ;;
    apt-get:lua | apk:lua) echo lua5.4 ;;
    apt-get:php | dnf:php) echo php-cli ;;
    apk:php) echo php84 ;;
    apt-get:awk) echo mawk ;;
    *:awk) echo gawk ;;
    *:diff) echo diffutils ;;
    apt-get:cc) echo gcc libc6-dev ;;
    dnf:cc) echo gcc glibc-devel ;;
    apk:cc) echo gcc musl-dev ;;
    *:cc) echo gcc ;;
    apk:setpriv) echo setpriv ;;
    *:setpriv) echo util-linux ;;
    *) echo "$1" ;;
    esac
}

# name_packages: sets `packages` to those that bring what is missing.
name_packages() {
    packages=
    for wanted in $missing; do
        packages="$packages $(packages_of "$wanted")"
    done
    packages=${packages# }
}

# as_root COMMAND...
as_root() {
    # shellcheck disable=SC2086 # none, or sudo with its option
    $sudo "$@"
}

# install_packages PACKAGE...: quiet, unless it fails.
install_packages() {
    log=$(mktemp)
    if run_manager "$@" </dev/null >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    cat "$log" >&2
    rm -f "$log"
    return 1
}

run_manager() {
    case $manager in
    apt-get)
        # A list that cannot be fetched may be one that is not needed: what counts is the install.
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || echo 'apt-get update failed; going on'
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
        ;;
    dnf) as_root dnf install -y -q "$@" ;;
    pacman) as_root pacman -Sy --needed --noconfirm "$@" ;;
    apk) as_root apk add --no-cache "$@" ;;
    esac
}

# give_up WHY: says what is missing, and ends.
give_up() {
    complain "$1"
    complain 'still missing; install these and run this again:'
    place=
    for wanted in $missing; do
        printf '    %s\n' "$(describe "$wanted")" >&2
        case $wanted in
        bwrap | cc | setpriv) ;;
        *) place=1 ;;
        esac
    done
    if [ -n "$place" ]; then
        complain "interpreters and tools count when they are where sandboxes look for them: $SANDBOX_PATH"
    fi
    if [ -n "$manager" ]; then
        complain "packages for $manager: $packages"
    fi
    exit 1
}

# Not wrong, but worth knowing.
notes() {
    bwrap=$(command -v "${SANDSWEEP_BWRAP:-bwrap}")
    version=$(bwrap_version "$bwrap")
    if ! not_older "$version" $OLDEST_BWRAP_WITHOUT_ADVISORY; then
        say "note: bwrap $version is older than $OLDEST_BWRAP_WITHOUT_ADVISORY (GHSA-pxhw-h44j-8pfx); sandsweep" \
            "puts no mount point where a script could write, so it is not affected"
    fi
    if [ -u "$bwrap" ]; then
        say "note: $bwrap is setuid root, which sandsweep refuses; remove the bit: chmod u-s $bwrap"
    fi
    find_in_sandbox lua || note_name lua lua5.4
    find_in_sandbox php || note_name php php84
    for name in $INTERPRETERS; do
        find_in_sandbox "$name" || continue
        real=$(readlink -f "$path")
        case $real in
        /usr/* | /bin/* | /sbin/* | /lib*) ;;
        *) say "note: $path leads to $real, which sandboxes do not see; \`sandsweep run\` will say what to configure" ;;
        esac
    done
    command -v cargo >/dev/null || say 'note: cargo is not on PATH; get it from https://rustup.rs'
}

# note_name LANGUAGE NAME: the interpreter is there only by this name.
note_name() {
    find_in_sandbox "$2"
    say "note: $1 is here only as $path; tell sandsweep so in sandsweep.toml:" \
        "[languages.$1] command = [\"$2\"]"
}

usage() {
    echo 'usage: scripts/setup.sh [--with test]'
}

while [ $# -gt 0 ]; do
    case $1 in
    --with)
        if [ "${2:-}" != test ]; then
            complain "--with takes \`test\`, not \`${2:-}\`"
            exit 2
        fi
        NEEDED="$NEEDED $NEEDED_BY_TESTS"
        shift 2
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        complain "unknown argument \`$1\`"
        usage >&2
        exit 2
        ;;
    esac
done

# shellcheck disable=SC2086 # lists of words, here and below
look_for $NEEDED
if [ -z "$missing" ]; then
    say 'nothing to install'
    notes
    exit 0
fi

case ${SANDSWEEP_BWRAP:+$missing} in
*bwrap*)
    complain "SANDSWEEP_BWRAP names $SANDSWEEP_BWRAP, which is no bwrap of version $OLDEST_BWRAP or newer;" \
        'correct or unset it'
    exit 1
    ;;
esac

find_manager
if [ -z "$manager" ]; then
    give_up 'no package manager that this script knows (apt-get, dnf, pacman, apk)'
fi
name_packages
if [ "$(id -u)" -eq 0 ]; then
    sudo=
elif ! command -v sudo >/dev/null; then
    give_up 'neither root nor sudo to install with'
elif [ -n "${CI:-}" ] || ! [ -t 0 ]; then
    sudo='sudo -n'
else
    sudo=sudo
fi

say "installing $packages through $manager"
# shellcheck disable=SC2086
install_packages $packages || give_up "$manager failed"
# shellcheck disable=SC2086
look_for $NEEDED
if [ -n "$missing" ]; then
    name_packages
    give_up "$manager installed its packages, but not all is there or new enough"
fi
say 'installed'
notes
