#!/bin/bash
# Runs as a service of a booted Debian that has the package: lives through what a machine does with
# the daemon, and notes what it sees as `name=value` in /trial.log.
set -u
readonly unit=servicestage-auditd.service etc=/etc/servicestage-auditd

note() { echo "$1=$2" >> /trial.log; }
show() { systemctl show --value --property="$1" "$unit"; }
metric() { python3 -c '
import sys, urllib.request
page = urllib.request.urlopen("http://127.0.0.1:9877/metrics", timeout=5).read().decode()
print(next((l.split()[-1] for l in page.splitlines() if l.startswith(sys.argv[1])), ""))' "$1"; }
# Usage: await COMMAND...: until it succeeds, for at most 20 s.
await() { for _ in $(seq 100); do "$@" && return; sleep 0.2; done; return 1; }
is_up() { [[ "$(metric auditd_project_up)" == 1.0 ]]; }
is_restarted() { [[ "$(show NRestarts)" == 1 && "$(systemctl is-active "$unit")" == active ]]; }

trap 'journalctl --no-pager --output=cat --unit="$unit" > /trial.journal' EXIT
servicestage-auditd simulate --listen=127.0.0.1:9878 &
printf DEMOACCESSKEY0000001 > "$etc/secrets/access_key"
printf demo/not+a+secret/0000000000000000000000 > "$etc/secrets/secret_key"
chmod 0600 "$etc"/secrets/*
cat > "$etc/auditd.yaml" <<'YAML'
global: {poll_interval: 1s, poll_timeout: 1s}
credentials:
  - name: prod
    type: aksk
    access_key_file: ${AUDITD_SECRETS}access_key
    secret_key_file: ${AUDITD_SECRETS}secret_key
    iam_endpoint: http://127.0.0.1:9878
discovery:
  - {type: iam, credential: prod, endpoint: "http://127.0.0.1:9878"}
YAML
echo 'AUDITD_FLAGS="--log.level=debug"' > /etc/default/servicestage-auditd

note before "$(systemctl is-active "$unit")"
systemctl start "$unit" || exit
note active "$(systemctl is-active "$unit")"
await is_up
note project_up $?
pid="$(show MainPID)"
note user "$(stat -c %u "/proc/$pid")"
note capabilities "$(awk '/^CapEff/ {print $2}' "/proc/$pid/status")"
note seccomp "$(awk '/^Seccomp:/ {print $2}' "/proc/$pid/status")"
note command "$(tr '\0' ' ' < "/proc/$pid/cmdline")"
note state "$(stat -c %a /var/lib/private/servicestage-auditd/state.db)"
note age_seconds "$(($(date +%s) - $(metric process_start_time_seconds | awk '{printf "%d", $1}')))"
await eval '[[ "$(show StatusText)" == *firing* ]]'
note status "$(show StatusText)"

reloaded_at="$(metric auditd_config_last_reload_success_timestamp_seconds)"
sed -i 's/poll_interval: 1s/poll_interval: 2s/' "$etc/auditd.yaml"
systemctl reload "$unit"
note reload $?
await eval '[[ "$(metric auditd_config_last_reload_success_timestamp_seconds)" != "$reloaded_at" ]]'
note reloaded $?

mkdir -p "/run/systemd/system/$unit.d"
printf '[Service]\nWatchdogSec=2s\nTimeoutStopSec=1s\nRestartSec=1s\n' \
  > "/run/systemd/system/$unit.d/quick.conf"
systemctl daemon-reload
systemctl restart "$unit"
kill -STOP "$(show MainPID)"
await is_restarted
note after_hanging $?

sed -i 's/poll_interval/pol_interval/' "$etc/auditd.yaml"
systemctl restart "$unit"
note start_misconfigured $?
sleep 3
note misconfigured "$(show ActiveState) $(show ExecMainStatus) $(show NRestarts)"
sed -i 's/pol_interval/poll_interval/' "$etc/auditd.yaml"
systemctl restart "$unit"

apt-get purge --yes --quiet=2 servicestage-auditd > /trial.purge 2>&1
note purge $?
note after_purge "$(systemctl is-active "$unit")"
note left "$(find /etc /lib/systemd /usr /var/lib -path '*servicestage*' | tr '\n' ' ')"
