#!/usr/bin/env bash
# Ceph's object gateway on one monitor and one store in memory, for as long as standard input is open.
#
#   radosgw.sh FOLDER MONITOR_PORT GATEWAY_PORT DOMAIN
#
# Debian: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd
set -euo pipefail
folder=$1 monitor=$2 gateway=$3 domain=$4
conf=$folder/ceph.conf
mkdir "$folder/mon" "$folder/osd" "$folder/rgw"
fsid=$(cat /proc/sys/kernel/random/uuid)

# No keys, so no secure connections between its parts. Room is not counted: on a disk that is almost full a monitor
# ends without a word in its log, and its data is small.
cat >"$conf" <<EOF
[global]
fsid = $fsid
mon_host = v2:127.0.0.1:$monitor
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_cluster_mode = crc
ms_service_mode = crc
ms_client_mode = crc
ms_mon_cluster_mode = crc
ms_mon_service_mode = crc
ms_mon_client_mode = crc
keyring = /dev/null
run_dir = $folder
admin_socket =
crash_dir = $folder/crash
log_file = $folder/\$name.log
pid_file = $folder/\$name.pid
mon_data = $folder/mon
mon_data_avail_crit = -1
mon_data_avail_warn = -1
mon_allow_pool_size_one = true
osd_data = $folder/osd
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
rgw_data = $folder/rgw
rgw_dns_name = $domain
rgw_frontends = beast endpoint=127.0.0.1:$gateway
EOF

trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
{
    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor]" "$folder/monmap"
    ceph-mon --mkfs -i a --monmap "$folder/monmap" -c "$conf"
    ceph-mon -f -i a -c "$conf" </dev/null &
    id=$(cat /proc/sys/kernel/random/uuid)
    timeout 60 ceph -c "$conf" osd new "$id"
    ceph-osd -i 0 --mkfs --osd-uuid "$id" -c "$conf"
    ceph-osd -f -i 0 -c "$conf" </dev/null &
    radosgw -f -n client.admin -c "$conf" </dev/null &
} >"$folder/log" 2>&1
cat >/dev/null
