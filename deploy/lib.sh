# Shared by the scripts of this folder: where things are, and how daemons are found and started.
# shellcheck shell=bash disable=SC2034
#
# MERIDIAN_VAR        folder of the deployment's state (default: var/ of this repository)
# MERIDIAN_PORT_BASE  added to every port (default 0), for a second deployment beside another

# However they were spelled: a daemon is known by the path of its settings (pid_of).
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
bin=$root/build/release/bin
var=$(realpath -m -- "${MERIDIAN_VAR:-$root/var}")
port_base=${MERIDIAN_PORT_BASE:-0}
regions_max=10

say() { printf '%s\n' "$*" >&2; }

# The script's own opening comment is its help.
usage() {
  sed -n '2,/^[^#]/{/^#/!q;s/^# \{0,1\}//;p}' "$1"
}

fail_usage() {
  say "$1"
  say "try '$(basename "$0") --help'"
  exit 2
}

# make_token FILE: a random admin token, for nobody else's eyes, unless there is one.
make_token() {
  [ ! -s "$1" ] || return 0
  (umask 077 && od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' > "$1.new")
  mv "$1.new" "$1"
}

# program_of DAEMON: the program of a daemon's files: several replicators are replicator-2 and so on.
program_of() { printf '%s' "${1%-[0-9]}"; }

# pid_of REGION DAEMON: the pid when that very daemon runs; else fails.  A pid file may outlive its
# process, and the number may by then be another's, so the command line has to match.
pid_of() {
  local file=$var/$1/$2.pid pid
  [ -r "$file" ] || return 1
  read -r pid < "$file" || return 1
  [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] || return 1
  local words
  mapfile -d '' -t words < "/proc/$pid/cmdline" 2> /dev/null || return 1
  [ "${#words[@]}" -ge 3 ] || return 1
  [ "$(basename "${words[0]}")" = "$(program_of "$2")" ] || return 1
  [ "${words[2]}" = "$var/$1/$2.yaml" ] || return 1
  printf '%s\n' "$pid"
}

# stop_daemons REGION/PROGRAM...: asks all to end, waits together, and kills after 10 s.
stop_daemons() {
  local pids=() names=() one pid
  for one in "$@"; do
    if pid=$(pid_of "${one%/*}" "${one#*/}"); then
      kill -TERM "$pid" 2> /dev/null || true
      kill -CONT "$pid" 2> /dev/null || true # a paused process would never see the signal
      pids+=("$pid")
      names+=("$one")
    else
      rm -f "$var/${one%/*}/${one#*/}.pid"
    fi
  done
  local deadline=$((SECONDS + 10)) i
  for i in "${!pids[@]}"; do
    one=${names[$i]}
    while pid_of "${one%/*}" "${one#*/}" > /dev/null; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        say "$one did not end within 10 s: killing it"
        kill -KILL "${pids[$i]}" 2> /dev/null || true
        deadline=$((SECONDS + 10))
      fi
      sleep 0.05
    done
    rm -f "$var/${one%/*}/${one#*/}.pid"
    say "stopped $one (pid ${pids[$i]})"
  done
}

# Regions of the deployment in $var, in the order of their ports; nothing when there is none.
deployed_regions() {
  [ -r "$var/deployment.yaml" ] || return 0
  sed -n 's/^ *- name: *//p' "$var/deployment.yaml"
}
