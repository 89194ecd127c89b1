#!/bin/sh
# Makes .venv: Python 3.10, the packages of requirements.lock, this project
# built and installed. Needs any Python and a package index; a second run only
# compares checksums. `bootstrap.sh lock` writes requirements.lock anew.
#
# The caller's shell must not matter: whatever steers Python, pip or uv is
# dropped first, except what says how to reach the package index.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
venv=$root/.venv
python=$venv/bin/python
tools=$root/.tools
log=$tools/bootstrap.log
zig_package=ziglang==0.13.0.post1

say() { printf 'interest-towers: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# Sets the environment straight ---------------------------------------------

drop_odd_variables() {
    unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONDONTWRITEBYTECODE \
        PYTHONPYCACHEPREFIX PYTHONOPTIMIZE PYTHONWARNINGS PYTHONPLATLIBDIR \
        PYTHONSAFEPATH PYTHONUSERBASE VIRTUAL_ENV CONDA_PREFIX CDPATH \
        __PYVENV_LAUNCHER__ PYENV_VERSION
    for name in $(env | sed -n -e 's/^\(PIP_[A-Za-z0-9_]*\)=.*/\1/p' \
        -e 's/^\(UV_[A-Za-z0-9_]*\)=.*/\1/p'); do
        case $name in
        UV_DEFAULT_INDEX | UV_INDEX_URL | UV_INDEX_*_USERNAME) ;;
        UV_INDEX_*_PASSWORD | UV_KEYRING_PROVIDER | UV_INSECURE_HOST) ;;
        UV_CACHE_DIR | UV_HTTP_* | UV_OFFLINE | UV_PYTHON_INSTALL_*) ;;
        UV_CONCURRENT_* | UV_LINK_MODE | UV_NO_PROGRESS) ;;
        PIP_INDEX_URL | PIP_EXTRA_INDEX_URL | PIP_FIND_LINKS) ;;
        PIP_CERT | PIP_CLIENT_CERT | PIP_PROXY | PIP_TRUSTED_HOST) ;;
        PIP_CONFIG_FILE | PIP_CACHE_DIR | PIP_*TIMEOUT | PIP_RETRIES) ;;
        *) unset "$name" ;;
        esac
    done
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}" # one wheel has 590 MB
}

# The file with this machine's trusted certificates, a company's included.
system_certificates() {
    for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt \
        /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
        /etc/ssl/cert.pem; do
        if [ -n "$file" ] && [ -s "$file" ]; then
            printf '%s\n' "$file"
            return
        fi
    done
}

use_system_certificates() {
    certificates=$(system_certificates)
    if [ -n "$certificates" ]; then
        # The name before uv 0.11 and the one since; each ignores the other.
        export UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1
    fi
}

# Setting $1 (index-url, cert) in $2, the output of `pip config list`; what
# stands in a variable or in pip's section `install` wins. Not `config get`:
# that does not see the file that PIP_CONFIG_FILE names.
pip_setting() {
    for section in :env: install global; do
        value=$(printf '%s\n' "$2" |
            sed -n "s/^$section\\.$1=['\"]\\(.*\\)['\"]\$/\\1/p")
        if [ -n "$value" ]; then
            printf '%s\n' "$value"
            return
        fi
    done
}

# uv does not read pip's configuration, where a company names its index.
use_settings_of_pip() {
    settings=$(pythons | while read -r candidate; do
        if "$candidate" -m pip config list 2>/dev/null; then
            break
        fi
    done)
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        index=$(pip_setting index-url "$settings")
        if [ -n "$index" ]; then
            # Two names again: since uv 0.4.23, and before.
            export UV_DEFAULT_INDEX="$index" UV_INDEX_URL="$index"
        fi
    fi
    if [ -z "${SSL_CERT_FILE:-}" ]; then
        cert=$(pip_setting cert "$settings")
        [ -z "$cert" ] || export SSL_CERT_FILE="$cert"
    fi
}

# Finds what there is -------------------------------------------------------

# Every executable called one of "$@" on PATH, in its order.
on_path() {
    for command in "$@"; do
        printf '%s\n' "$PATH" | tr ':' '\n' | while read -r folder; do
            file=${folder:-.}/$command
            case $file in
            "$venv"/*) ;; # about to be replaced
            *) [ -d "$file" ] || [ ! -x "$file" ] || printf '%s\n' "$file" ;;
            esac
        done
    done
}

# Pythons of pyenv whose version matches the pattern $1.
in_pyenv() {
    pyenv=${PYENV_ROOT:-${HOME:-}/.pyenv}
    for file in "$pyenv"/versions/$1/bin/python; do
        [ ! -x "$file" ] || printf '%s\n' "$file"
    done
}

# Any Python, the new ones first, since uv and pip prefer those. A file that
# exists may still fail: pyenv's shims do where no version is chosen.
pythons() {
    {
        on_path python3 python python3.14 python3.13 python3.12 python3.11 \
            python3.10 python3.9 python3.8 python3.7 python3.6
        in_pyenv '3*'
        on_path python2 python2.7
        in_pyenv '2*'
    } | while read -r candidate; do
        if "$candidate" -c '' </dev/null >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
        fi
    done
}

# Prints the interpreter behind "$1" if that is a 64-bit CPython 3.10.
base_of_310() {
    "$1" -c '
import platform, sys
fits = sys.version_info[:2] == (3, 10) and sys.maxsize > 2**32
if not fits or platform.python_implementation() != "CPython":
    sys.exit(1)
print(sys._base_executable)' </dev/null 2>/dev/null
}

find_310() {
    {
        on_path python3.10 python3 python
        in_pyenv '3.10*'
    } | while read -r candidate; do
        if base_of_310 "$candidate"; then
            break
        fi
    done
}

find_uv() {
    {
        on_path uv
        printf '%s\n' "$tools/uv/bin/uv"
    } | while read -r candidate; do
        if "$candidate" pip sync --help </dev/null 2>/dev/null |
            grep -q -e --compile-bytecode; then
            printf '%s\n' "$candidate"
            break
        fi
    done
}

# Gets what is missing ------------------------------------------------------

# pip install "$@"; again with the system's certificates, which a pip older
# than 24.2 does not look at.
pip_install() {
    installer=$1
    shift
    "$installer" -m pip install --quiet --no-warn-script-location \
        --ignore-requires-python "$@" >>"$log" 2>&1 && return
    [ -n "$certificates" ] && [ -z "${PIP_CERT:-}" ] || return 1
    PIP_CERT=$certificates "$installer" -m pip install --quiet \
        --no-warn-script-location --ignore-requires-python "$@" >>"$log" 2>&1
}

# uv's wheel holds one program, which does not care for the Python beside it.
uv_in_venv() {
    rm -rf "$tools/uv"
    "$1" -m venv "$tools/uv" >>"$log" 2>&1 || return 1
    pip_install "$tools/uv/bin/python" uv && return
    # A pip from before 2019 refuses the wheel's platform tag.
    pip_install "$tools/uv/bin/python" --upgrade pip &&
        pip_install "$tools/uv/bin/python" uv
}

uv_in_folder() {
    rm -rf "$tools/uv"
    pip_install "$1" --no-user --target "$tools/uv" uv && return
    pip_install "$1" --no-user --target "$tools/uv" --no-deps \
        --only-binary :all: --python-version 310 --implementation cp \
        --abi none --platform "manylinux2014_$(uname -m)" uv
}

install_uv() {
    say "installing uv privately into .tools"
    pythons >"$tools/pythons"
    while read -r candidate; do
        for way in uv_in_venv uv_in_folder; do
            if "$way" "$candidate" </dev/null && [ -n "$(find_uv)" ]; then
                rm -f "$tools/pythons"
                return
            fi
        done
    done <"$tools/pythons"
    rm -rf "$tools/uv" "$tools/pythons"
    die "uv could not be installed with any Python here (.tools/bootstrap.log" \
        "says why); install uv, or Python's pip and venv modules, and run" \
        "make again."
}

make_venv() {
    if [ -x "$python" ] && base_of_310 "$python" >/dev/null; then
        return
    fi
    rm -rf "$venv"
    interpreter=$(find_310)
    if [ -z "$interpreter" ]; then
        say "no Python 3.10 on PATH or in pyenv; asking uv for one"
        interpreter=3.10
    fi
    "$uv" venv --quiet --python "$interpreter" "$venv" >>"$log" 2>&1 ||
        die "there is no Python 3.10 and uv could not fetch one" \
            "(.tools/bootstrap.log says why); install Python 3.10, for" \
            "example with 'pyenv install 3.10', and run make again."
}

# Two of TFX's dependencies come as C and C++ source only. Where there is no
# compiler, Zig's, which PyPI has as a wheel, is put to use.
use_some_compiler() {
    if [ -n "$(on_path cc)" ] && [ -n "$(on_path c++)" ]; then
        return
    fi
    zig=$tools/zig/ziglang/zig
    if [ ! -x "$zig" ]; then
        say "no C++ compiler on PATH; installing Zig's privately into .tools"
        "$uv" pip install --quiet --python "$python" --target "$tools/zig" \
            "$zig_package" >>"$log" 2>&1 ||
            die "there is no C++ compiler and Zig's could not be fetched" \
                "(.tools/bootstrap.log says why); install g++ and run make" \
                "again."
    fi
    for name in cc c++; do
        printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$name" \
            >"$tools/$name"
        chmod +x "$tools/$name"
    done
    export CC="$tools/cc" CXX="$tools/c++"
}

# The three steps -----------------------------------------------------------

prepare() {
    mkdir -p "$tools"
    : >"$log"
    use_system_certificates
    uv=$(find_uv)
    if [ -z "$uv" ]; then
        install_uv
        uv=$(find_uv)
    fi
    use_settings_of_pip
}

install_locked() {
    key=$(cksum <requirements.lock)
    stamp=$venv/interest-towers.locked
    if [ "$(cat "$stamp" 2>/dev/null)" = "$key" ] &&
        base_of_310 "$python" >/dev/null; then
        return
    fi
    prepare
    make_venv
    use_some_compiler
    say "installing the packages of requirements.lock into .venv"
    rm -f "$stamp" "$venv/interest-towers.installed"
    "$uv" pip sync --quiet --python "$python" --require-hashes \
        --compile-bytecode requirements.lock ||
        die "the packages could not be installed; check the network and" \
            "pip's index-url, then run make again."
    printf '%s\n' "$key" >"$stamp"
}

# A source distribution, then a wheel of it, then the installation: what a
# user of a release gets, and nothing that only lies in this folder.
install_project() {
    key=$(find schema trainer serving pipeline setup.py pyproject.toml MANIFEST.in \
        requirements.lock -type f ! -name '*.pyc' -exec cksum {} + |
        sort | cksum)
    stamp=$venv/interest-towers.installed
    [ "$(cat "$stamp" 2>/dev/null)" != "$key" ] || return 0
    mkdir -p "$tools"
    rm -rf "$tools/dist"
    "$python" setup.py --quiet sdist --dist-dir "$tools/dist" \
        >"$tools/build.log" 2>&1 &&
        "$python" -I -m pip --isolated install --quiet --no-index --no-deps \
            --no-build-isolation --force-reinstall \
            "$tools"/dist/*.tar.gz >>"$tools/build.log" 2>&1 ||
        {
            cat "$tools/build.log" >&2
            die "the project could not be built; mend what stands above."
        }
    rm -rf interest_towers.egg-info "$tools/dist"
    printf '%s\n' "$key" >"$stamp"
}

# The lock is for 64-bit Linux and Python 3.10; versions that are in it stay
# unless bounds or pins changed (delete the file for all newest).
write_lock() {
    prepare
    "$uv" pip compile --quiet setup.py requirements.in --all-extras \
        --python-version 3.10 --python-platform x86_64-unknown-linux-gnu \
        --generate-hashes --no-annotate --no-emit-index-url \
        --custom-compile-command "make lock" --output-file requirements.lock
    rm -rf interest_towers.egg-info
}

drop_odd_variables
if [ "${1:-}" = lock ]; then
    write_lock
    exit
fi
install_locked
install_project
