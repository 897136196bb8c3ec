# Installs the packages in its arguments, as root, without starting, enabling or creating anything of theirs.
set -eu
export DEBIAN_FRONTEND=noninteractive

made_policy=
undo() { [ -z "$made_policy" ] || rm -f /usr/sbin/policy-rc.d; }
trap undo EXIT
trap 'exit 130' INT TERM HUP

# 101 forbids package scripts to start services.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
# Without this the server's package creates a cluster on port 5432. A file that is there already is left as it is.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
fi

had_redis=$(command -v redis-server || true)
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
# The package would have it started with the machine from now on.
if [ -z "$had_redis" ] && command -v systemctl > /dev/null; then
    systemctl --quiet disable redis-server || true
fi
