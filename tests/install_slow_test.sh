#!/usr/bin/env bash
# Installs into an empty prefix, moves that, and builds examples/compress against nothing but it: once with
# find_package, once with pkg-config.
#
# Usage: install_slow_test.sh BUILD_FOLDER SOURCE_FOLDER COMPILER
set -euo pipefail
build=$1 source=$2 compiler=$3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

fail() { printf 'install_slow_test: %s\n' "$*" >&2; exit 1; }

for component in signfold_library signfold_program; do
  cmake --install "$build" --prefix "$work/first" --component "$component" >/dev/null
done
mv "$work/first" "$work/prefix"  # what is installed must not know where it was

# Nothing but the debug information of the library may name the folders it came from.
if grep -rIl -e "$source" -e "$build" -e "$work/first" "$work/prefix"; then fail "the files above name a folder of the build"; fi
[[ -z $(find "$work/prefix" -name '*_test*' -o -name 'testing.h') ]] || fail "test files were installed"

# Every public header stands on its own.
for header in signfold codec/codec codec/fit codec/train prior/prior source/source base/matrix; do
  printf '#include <signfold/%s.h>\n' "$header"
done >"$work/headers.cc"
echo 'int main() {}' >>"$work/headers.cc"

check() { grep -Eq '^1040 bits per vector of 1024 coordinates: risk 0\.06[0-9]+, predicted 0\.06[0-9]+$' "$1" || { cat "$1"; fail "unexpected output"; }; }

cmake -S "$source/examples/compress" -B "$work/example" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$work/example" >/dev/null
"$work/example/compress" >"$work/out"
check "$work/out"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name signfold.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$compiler" -std=c++20 "$source/examples/compress/compress.cc" $(pkg-config --cflags --libs signfold) -o "$work/compress"
"$work/compress" >"$work/out"
check "$work/out"
# shellcheck disable=SC2046
"$compiler" -std=c++20 -fsyntax-only "$work/headers.cc" $(pkg-config --cflags signfold)

"$work/prefix/bin/signfold" --version | grep -q '^signfold [0-9]' || fail "the installed program does not run"
