# To be sourced: makes the virtual environment $folder with the first Python that is new enough, and sets $python to its
# interpreter.

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    echo "needs Python 3.11 or later with its venv module (on Debian: apt install python3-venv)" >&2
    return 1
}

command -v make >/dev/null || { echo "needs GNU make" >&2; exit 1; }
base=$(find_python) || exit 1
[ -x "$folder/bin/python" ] || "$base" -m venv "$folder" || exit 1
python=$folder/bin/python
"$python" -m pip install --quiet --disable-pip-version-check --upgrade pip
