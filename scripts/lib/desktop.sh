#!/usr/bin/env bash
# scripts/lib/desktop.sh - a virtual desktop where things move, and a real RDP server that shows it.
#
# Run it, or source it and call desktop_start and desktop_stop. Needs no privileges; root is fine, too.

desktop_script=$(readlink -f "${BASH_SOURCE[0]}")

desktop_usage() {
  cat <<'USAGE'
Usage: scripts/lib/desktop.sh start [OPTION...]
       scripts/lib/desktop.sh stop | status [--dir DIR]

start brings up Xvfb on a free display with a window manager, a clock with a second hand, a scrolling
terminal, a mouse that moves and a window that opens and closes; then an RDP server on a free port of
127.0.0.1. It returns when all of it is ready and prints what a client must know (also in DIR/desktop.env):

  desktop_display=:N  desktop_size=WxH  desktop_host=127.0.0.1  desktop_port=P
  desktop_user=...  desktop_password=...  desktop_server=...  desktop_security=...

Started twice it says the same again. stop ends, by pid, what start started.

  --dir DIR          where pids, logs, certificate and SAM file live; default: a folder of this user in
                     ${TMPDIR:-/tmp}. Everything stays in there; stop empties it, but keeps the logs.
  --size WxH         size of the desktop (default 1280x720)
  --idle             nothing moves: for numbers of an idle desktop
  --server NAME      shadow (default): freerdp-shadow-cli3 shows the virtual display
                     xrdp: xrdp shows Xvnc, which is the display then; legacy bitmaps, any password, needs root
                     none: only the virtual display
  --security KIND    nla (default): user and password by CredSSP, from a SAM file
                     tls: TLS, no authentication; the only kind xrdp has here
  --port P           this port instead of a free one
  --while PID        stops by itself when that process has ended, however it ended
  --user NAME        default: lucid. The password is $DESKTOP_PASSWORD, or a random one.
  --help             this text

Exit code: 0 ready, 1 failed (the reason on stderr, logs in DIR), 2 bad usage, 77 a program is missing.
USAGE
}

# Nothing here waits longer than this: 15 s, since a loaded 2-core machine needs up to 5 s for Xvfb and the server.
desktop_ready_seconds_max=15

desktop_say() { printf 'desktop: %s\n' "$*" >&2; }

# Names the missing programs; 77 means "skip" to CTest.
desktop_need() {
  local program missing=()
  for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
  ((${#missing[@]} == 0)) || { desktop_say "not installed: ${missing[*]} (scripts/install_deps.sh test)"; return 77; }
}

# Field 22 of /proc/PID/stat: with it, a pid that was given out again is not mistaken for ours.
desktop_started_at() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<<"${stat##*) }" # From the third field on: a program's name may hold anything.
  [[ ${fields[0]} != Z ]] && printf '%s' "${fields[19]}"
}

# desktop_spawn NAME COMMAND...: in the background, in a session of its own, recorded by pid. The pid is in desktop_pid.
desktop_spawn() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$desktop_dir/$name.log" 2>&1 &
  desktop_pid=$!
  printf '%s %s %s\n' "$desktop_pid" "$(desktop_started_at "$desktop_pid")" "$name" >>"$desktop_dir/pids"
}

desktop_alive() { # PID STARTED_AT
  local now
  now=$(desktop_started_at "$1") && [[ $now == "$2" ]]
}

# desktop_wait_until WHAT COMMAND...: polls, bounded; gives up at once when desktop_pid has ended.
desktop_wait_until() {
  local what=$1 deadline=$((SECONDS + desktop_ready_seconds_max))
  shift
  until "$@"; do
    kill -0 "$desktop_pid" 2>/dev/null || { desktop_say "$what ended before it was ready; its log is in $desktop_dir"; return 1; }
    ((SECONDS < deadline)) || { desktop_say "$what was not ready within $desktop_ready_seconds_max s"; return 1; }
    sleep 0.05
  done
}

# True when somebody listens on 127.0.0.1:PORT or 0.0.0.0:PORT. Looks without connecting.
desktop_listening() {
  local port
  printf -v port '%04X' "$1"
  grep -qE "^ *[0-9]+: (0100007F|00000000):$port [0-9A-F:]+ 0A" /proc/net/tcp
}

desktop_free_port() {
  local port
  for _ in {1..50}; do
    port=$((20000 + RANDOM % 12000)) # Below the range that Linux gives to outgoing connections (32768 and up).
    desktop_listening "$port" || { printf '%s' "$port"; return 0; }
  done
  return 1
}

desktop_random_password() { od -An -N12 -tx1 /dev/urandom | tr -d ' \n'; }

# --- the display ---------------------------------------------------------------------------------------------

desktop_has_display_number() { [[ -s $desktop_dir/display ]]; }

desktop_start_display() { # WxH
  : >"$desktop_dir/display"
  if [[ $desktop_server == xrdp ]]; then
    desktop_vnc_port=$(desktop_free_port) || return 1
    desktop_spawn xvnc Xvnc -displayfd 9 -geometry "$1" -depth 24 -localhost -rfbport "$desktop_vnc_port" \
      -SecurityTypes None -noreset 9>"$desktop_dir/display"
    desktop_wait_until Xvnc desktop_has_display_number || return 1
    desktop_display=:$(<"$desktop_dir/display")
    export DISPLAY=$desktop_display
    return 0
  fi
  # Xvfb itself finds a free number and writes it once it listens. -noreset: it outlives its last client.
  desktop_spawn xvfb Xvfb -displayfd 9 -screen 0 "${1}x24" -nolisten tcp -noreset +extension RANDR +extension DAMAGE \
    9>"$desktop_dir/display"
  desktop_wait_until Xvfb desktop_has_display_number || return 1
  desktop_display=:$(<"$desktop_dir/display")
  export DISPLAY=$desktop_display
}

desktop_start_movement() { # W H
  desktop_spawn clock xclock -update 1 -geometry 220x220+20+20
  desktop_spawn terminal xterm -geometry 100x30+260+40 -e "$desktop_script" act scroll
  desktop_spawn mouse "$desktop_script" act mouse "$1" "$2"
  desktop_spawn window "$desktop_script" act window "$2"
}

# What an idle desktop shows: a picture, but nothing that changes.
desktop_start_stillness() { desktop_spawn picture xlogo -geometry 300x300+100+100; }

# The actors. Each is a process of its own, started as `desktop.sh act NAME`.
desktop_act() {
  local nap part line=0 x y points=()
  exec {nap}<> <(:) # `read -t` on it sleeps without a process each time.
  case $1 in
    scroll)
      while :; do
        printf '%(%T)T line %06d: the quick brown fox jumps over the lazy dog, %d times so far\n' -1 $((++line)) $((line / 2))
        read -rt 0.1 -u "$nap" || true
      done ;;
    mouse)
      for part in {0..39}; do # Along a diamond around the middle.
        x=$((part < 20 ? part : 40 - part)) y=$((part < 10 ? part : part < 30 ? 20 - part : part - 40))
        points+=(mousemove $(($2 / 4 + x * $2 / 40)) $(($3 / 2 + y * $3 / 40)) sleep 0.1)
      done
      while xdotool "${points[@]}"; do :; done ;;
    window)
      local shown=
      trap '[[ -z $shown ]] || kill "$shown" 2>/dev/null; exit 0' TERM
      while :; do
        xlogo -geometry "200x200+60+$(($2 - 320 > 0 ? $2 - 320 : 0))" & shown=$!
        read -rt 2 -u "$nap" || true
        kill "$shown" 2>/dev/null || exit 0 # The display is gone.
        wait "$shown" || true
        shown=
        read -rt 2 -u "$nap" || true
      done ;;
    watch) # Stops the desktop in folder $3, itself included, when process $2 has ended.
      while kill -0 "$2" 2>/dev/null; do read -rt 1 -u "$nap" || true; done
      trap '' TERM
      desktop_stop --dir "$3"
      rm -rf "$3" ;;
    *) desktop_say "no act '$1'"; return 2 ;;
  esac
}

# --- the servers ---------------------------------------------------------------------------------------------

desktop_start_shadow() { # PORT SECURITY USER PASSWORD
  local options=(/port:"$1" /bind-address:127.0.0.1 /log-level:INFO)
  case $2 in
    nla)
      (umask 077; winpr-hash3 -u "$3" -p "$4" -f sam >"$desktop_dir/sam") || return 1
      options+=(/sec:nla /sam-file:"$desktop_dir/sam") ;;
    tls) options+=(/sec:tls -auth) ;;
  esac
  # It makes itself a certificate below its configuration folder.
  desktop_spawn shadow env HOME="$desktop_dir" XDG_CONFIG_HOME="$desktop_dir/config" freerdp-shadow-cli3 "${options[@]}"
  desktop_wait_until freerdp-shadow-cli3 desktop_listening "$1"
}

# Without its session manager, hence without PAM: xrdp shows one VNC server to whoever comes.
desktop_start_xrdp() { # PORT
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$desktop_dir/key.pem" -out "$desktop_dir/cert.pem" -days 30 \
    -subj /CN=desktop 2>"$desktop_dir/openssl.log" || return 1
  cat >"$desktop_dir/xrdp.ini" <<INI
[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:$1
security_layer=tls
certificate=$desktop_dir/cert.pem
key_file=$desktop_dir/key.pem
ssl_protocols=TLSv1.2, TLSv1.3
autorun=desktop
allow_channels=false
max_bpp=32
[Logging]
LogFile=$desktop_dir/xrdp.log
LogLevel=INFO
EnableSyslog=false
[desktop]
name=desktop
lib=libvnc.so
ip=127.0.0.1
port=$desktop_vnc_port
username=na
password=na
INI
  desktop_spawn xrdp-console xrdp --nodaemon --config "$desktop_dir/xrdp.ini"
  desktop_wait_until xrdp desktop_listening "$1"
}

# --- start and stop ------------------------------------------------------------------------------------------

desktop_running() {
  local pid started_at _
  [[ -s $desktop_dir/desktop.env && -s $desktop_dir/pids ]] || return 1
  read -r pid started_at _ <"$desktop_dir/pids"
  desktop_alive "$pid" "$started_at"
}

desktop_options() {
  desktop_dir=${TMPDIR:-/tmp}/lucid-desktop-$UID desktop_size=1280x720 desktop_idle='' desktop_server=shadow
  desktop_security=nla desktop_port='' desktop_user=lucid desktop_while=''
  while (($#)); do
    case $1 in
      --idle) desktop_idle=1; shift; continue ;;
      --dir|--size|--server|--security|--port|--user|--while) ;;
      *) desktop_say "no option '$1'; --help lists them"; return 2 ;;
    esac
    [[ -n ${2:-} ]] || { desktop_say "$1 needs a value"; return 2; }
    case $1 in
      --dir) desktop_dir=$2 ;;
      --size) desktop_size=$2 ;;
      --server) desktop_server=$2 ;;
      --security) desktop_security=$2 ;;
      --port) desktop_port=$2 ;;
      --user) desktop_user=$2 ;;
      --while) desktop_while=$2 ;;
    esac
    shift 2
  done
  [[ $desktop_size =~ ^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$ ]] || { desktop_say "--size must be WxH, not '$desktop_size'"; return 2; }
  [[ $desktop_server =~ ^(shadow|xrdp|none)$ ]] || { desktop_say "--server must be shadow, xrdp or none, not '$desktop_server'"; return 2; }
  [[ $desktop_security =~ ^(nla|tls)$ ]] || { desktop_say "--security must be nla or tls, not '$desktop_security'"; return 2; }
  [[ -z $desktop_port || $desktop_port =~ ^[1-9][0-9]{0,4}$ ]] || { desktop_say "--port must be a number, not '$desktop_port'"; return 2; }
}

desktop_start_server() {
  local attempt
  [[ $desktop_server != none ]] || return 0
  # A free port may be taken by somebody else before the server has it: three attempts.
  for attempt in 1 2 3; do
    local port=${desktop_port:-$(desktop_free_port)}
    if "desktop_start_$desktop_server" "$port" "$desktop_security" "$desktop_user" "$desktop_password"; then
      desktop_port=$port
      return 0
    fi
    [[ -z $desktop_port ]] || return 1
    desktop_say "attempt $attempt to start the RDP server on port $port failed"
  done
  return 1
}

desktop_write_env() {
  local name
  (umask 077
   for name in display size host port user password server security; do
     local -n value=desktop_$name
     printf 'desktop_%s=%q\n' "$name" "$value"
   done >"$desktop_dir/desktop.env.new")
  mv "$desktop_dir/desktop.env.new" "$desktop_dir/desktop.env"
}

desktop_start() {
  desktop_options "$@" || return
  if desktop_running; then cat "$desktop_dir/desktop.env"; return 0; fi
  desktop_need xclock xlogo xterm xdotool setsid || return
  if [[ $desktop_server == xrdp ]]; then
    desktop_need xrdp Xvnc openssl || return
  else
    desktop_need Xvfb || return
  fi
  [[ $desktop_server != shadow ]] || desktop_need freerdp-shadow-cli3 winpr-hash3 || return
  (umask 077; mkdir -p "$desktop_dir") || return 1
  desktop_stop --dir "$desktop_dir"
  desktop_options "$@"
  [[ $desktop_server != xrdp ]] || desktop_security=tls

  # shellcheck disable=SC2034 # Read by desktop_write_env, by name.
  desktop_host=127.0.0.1 desktop_password=${DESKTOP_PASSWORD:-$(desktop_random_password)}
  local width=${desktop_size%x*} height=${desktop_size#*x}
  desktop_start_display "$desktop_size" || { desktop_stop --dir "$desktop_dir"; return 1; }
  if command -v openbox >/dev/null; then
    desktop_spawn openbox env HOME="$desktop_dir" XDG_CONFIG_HOME="$desktop_dir/config" XDG_CACHE_HOME="$desktop_dir/cache" openbox
  fi
  if [[ -n $desktop_idle ]]; then desktop_start_stillness; else desktop_start_movement "$width" "$height"; fi
  desktop_start_server || { desktop_stop --dir "$desktop_dir"; return 1; }
  [[ -z $desktop_while ]] || desktop_spawn watch "$desktop_script" act watch "$desktop_while" "$desktop_dir"
  desktop_write_env || return 1
  cat "$desktop_dir/desktop.env"
}

# The last started first. TERM, and KILL for what is still there after 3 s.
desktop_stop() {
  desktop_options "$@" || return
  [[ -e $desktop_dir/pids ]] || return 0
  local pid started_at name deadline lines=()
  mapfile -t lines < <(tac "$desktop_dir/pids")
  for line in "${lines[@]}"; do
    read -r pid started_at name <<<"$line"
    desktop_alive "$pid" "$started_at" && kill -TERM "$pid" 2>/dev/null
  done
  deadline=$((SECONDS + 3))
  for line in "${lines[@]}"; do
    read -r pid started_at name <<<"$line"
    while desktop_alive "$pid" "$started_at" && ((SECONDS < deadline)); do sleep 0.05; done
    if desktop_alive "$pid" "$started_at"; then
      desktop_say "$name ($pid) did not end by itself"
      kill -KILL "$pid" 2>/dev/null
    fi
  done
  rm -rf "$desktop_dir"/{pids,desktop.env,display,sam,config,cache,xrdp.ini,key.pem,cert.pem}
}

desktop_status() {
  desktop_options "$@" || return
  desktop_running || { desktop_say "not running ($desktop_dir)"; return 1; }
  cat "$desktop_dir/desktop.env"
}

desktop_main() {
  case ${1:-} in
    start|stop|status|act) local verb=$1; shift; "desktop_$verb" "$@" ;;
    --help|-h|help) desktop_usage ;;
    *) desktop_usage >&2; return 2 ;;
  esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -uo pipefail
  desktop_main "$@"
fi
