# What the scripts share: where things lie, how they speak and build. Sourced, never run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CUPEL_HOME=${CUPEL_HOME:-${HOME:?set HOME or CUPEL_HOME}/.cache/cupel}
libtorch=$CUPEL_HOME/libtorch-2.11.0
models=$CUPEL_HOME/models
arrow=$CUPEL_HOME/arrow-26.0.1
cd "$root"

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

now() { printf '%s' "${EPOCHREALTIME/,/.}"; }
since() { LC_ALL=C awk -v a="$1" -v b="$(now)" 'BEGIN {printf "%.1f", b - a}'; }

# build PRESET [TARGET…]: configures and builds. A file that includes LibTorch takes 1.5 GB to
# compile, so a machine with little memory runs fewer jobs than it has cores.
build() {
  local preset=$1 targets=() jobs by_memory
  shift
  [ $# = 0 ] || targets=(--target "$@")
  by_memory=$(awk '/MemTotal/ {print int($2 / 1500000)}' /proc/meminfo)
  jobs=$(nproc)
  [ "$by_memory" -ge "$jobs" ] || jobs=$((by_memory > 0 ? by_memory : 1))
  cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" "${targets[@]}"
}
