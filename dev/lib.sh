# Shared by the scripts in dev/: where the checkout is, how they talk, how they build. Sourced, never run.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root"
jobs=$(nproc)

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' reset=$'\e[0m'
else
  bold='' red='' green='' reset=''
fi

say() { printf '%s==>%s %s\n' "$bold" "$reset" "$*"; }
die() {
  printf '%s%s: %s%s\n' "$red" "$(basename -- "$0")" "$*" "$reset" >&2
  exit 1
}

# The comment block at the top of the script that was called.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# Runs a command and shows what it printed only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  ((status == 0)) || cat -- "$log" >&2
  rm -f -- "$log"
  return "$status"
}

# build PRESET [TARGET…]: configures and builds (everything when no target is named).
build() {
  local preset=$1 start=$SECONDS
  shift
  say "building ${*:-everything} in build/$preset"
  quietly cmake --preset "$preset" || die "cmake --preset $preset failed (output above)"
  # On a terminal ninja keeps its progress on one line; elsewhere it would print thousands.
  local show=quietly
  [[ -t 1 ]] && show=command
  "$show" cmake --build --preset "$preset" --parallel "$jobs" ${1:+--target "$@"} || die "the build failed (output above)"
  say "built in $((SECONDS - start)) s"
}

# A checkout may belong to someone else than the user who runs the script (containers, CI).
git() { command git -c safe.directory="$root" "$@"; }
