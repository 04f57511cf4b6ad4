# A Docker engine and a base image for the tests, where the machine has none.  Sourced by tests/run.
# shellcheck shell=bash
#
# start_engine FOLDER: leaves an engine that answers alone; else starts one (root), to be ended with
# stop_engine.  base_image FOLDER: the base of deploy/Dockerfile, from its registry, else from Debian's
# packages by debootstrap.

engine_pid=

start_engine() {
  local folder=$1
  docker info > /dev/null 2>&1 && return
  say "starting a Docker engine"
  mkdir -p "$folder"
  dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
    > "$folder/dockerd.log" 2>&1 &
  engine_pid=$!
  local tries
  for ((tries = 0; tries < 120; tries++)); do
    docker info > /dev/null 2>&1 && return
    kill -0 "$engine_pid" 2> /dev/null || break
    sleep 0.5
  done
  tail -n 20 "$folder/dockerd.log" >&2
  return 1
}

stop_engine() {
  [ -n "$engine_pid" ] || return 0
  kill -TERM "$engine_pid" 2> /dev/null || true
  wait "$engine_pid" 2> /dev/null || true
  engine_pid=
}

# As the registry's image is: with updates to come, without what nobody reads in a container.
slim() {
  local mirror=http://deb.debian.org suite
  for suite in "debian bookworm" "debian bookworm-updates" "debian-security bookworm-security"; do
    printf 'deb %s/%s main\n' "$mirror" "$suite"
  done > "$1/etc/apt/sources.list"
  {
    printf 'path-exclude /usr/share/%s\n' 'doc/*' 'man/*' 'info/*' 'locale/*'
    printf 'path-include /usr/share/doc/*/copyright\n'
  } > "$1/etc/dpkg/dpkg.cfg.d/docker"
  rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/usr/share/{man,info,locale}/*
  find "$1/usr/share/doc" -type f ! -name copyright -delete
}

base_image() {
  local base=debian:bookworm-slim folder=$1
  docker image inspect "$base" > /dev/null 2>&1 && return
  timeout 120 docker pull --quiet "$base" > /dev/null 2>&1 && return
  say "no registry answers: making $base with debootstrap"
  mkdir -p "$folder"
  rm -rf "$folder/base"
  debootstrap --variant=minbase bookworm "$folder/base" > "$folder/debootstrap.log" 2>&1 || {
    tail -n 20 "$folder/debootstrap.log" >&2
    return 1
  }
  slim "$folder/base"
  tar -C "$folder/base" -c . | docker import - "$base" > /dev/null
  rm -rf "$folder/base"
}
