# Shared by the scripts of this folder: the deployment in containers.
# shellcheck shell=bash
#
# MERIDIAN_PROJECT: name of the compose project (default meridian)
# MERIDIAN_VAR: folder of its token and deployment file (default var/ of this repository)
# shellcheck source=deploy/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

compose_file=$root/deploy/docker-compose.yml
project=${MERIDIAN_PROJECT:-meridian}
token=$var/compose/secrets/admin-token
export MERIDIAN_VAR=$var # the secret's place in the compose file

# Compose 2 where it is installed, else docker-compose 1.29.
if docker compose version > /dev/null 2>&1; then
  composer=(docker compose)
elif command -v docker-compose > /dev/null; then
  composer=(docker-compose)
else
  say "there is no docker-compose: apt-get install docker.io docker-compose"
  exit 2
fi
if ! docker info > /dev/null 2>&1; then
  say "no Docker engine answers: start one (systemctl start docker), or join the group docker"
  exit 2
fi

compose() {
  "${composer[@]}" --project-name "$project" --file "$compose_file" \
    --project-directory "$root/deploy" "$@"
}
