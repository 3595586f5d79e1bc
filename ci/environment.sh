# To be sourced: makes the virtual environment $folder with the first Python that is new enough, and sets $python to its
# interpreter. Where Python has no venv module (Debian packs it apart), virtualenv, uv or pipx make the environment, or root
# installs the module with apt-get. Otherwise one line says what to install.

. ci/packages.sh

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

has_venv() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null
}

# A folder that an attempt without ensurepip left behind has an interpreter and no pip.
has_pip() {
    "$folder/bin/python" -c 'import pip' 2>/dev/null
}

make_environment() {
    if [ -z "$base" ]; then
        if has uv; then
            uv venv --quiet --seed --clear --python '>=3.11' "$folder"
            return
        fi
        echo "needs Python 3.11 or later (on Debian 12 or later: sudo apt install python3-venv), or uv, which brings one" >&2
        return 1
    fi
    if has_venv "$base"; then
        "$base" -m venv --clear "$folder"
    elif "$base" -c 'import virtualenv' 2>/dev/null; then
        "$base" -m virtualenv --quiet --clear "$folder"
    elif has virtualenv; then
        virtualenv --quiet --clear --python "$base" "$folder"
    elif has uv; then
        uv venv --quiet --seed --clear --python "$base" "$folder"
    elif has pipx; then
        pipx run virtualenv --quiet --clear --python "$base" "$folder"
    elif may_install && install python3-venv && has_venv "$base"; then
        "$base" -m venv --clear "$folder"
    else
        echo "needs Python's venv module (on Debian: sudo apt install python3-venv), or virtualenv, uv or pipx" >&2
        return 1
    fi
}

if ! has make; then
    may_install && install make || { echo "needs GNU make (on Debian: sudo apt install make)" >&2; exit 1; }
fi
base=$(find_python) || base=
has_pip || make_environment || exit 1
has_pip || { echo "$folder has no pip: remove it and try again" >&2; exit 1; }
python=$folder/bin/python
"$python" -m pip install --quiet --disable-pip-version-check --upgrade pip
