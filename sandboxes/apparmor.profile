# Ubuntu 23.10 and later keep unprivileged programs from making user namespaces unless an AppArmor
# profile allows it. These allow it to bubblewrap and to the slot launcher, which lies in
# /var/lib/gauntlet where root has compiled it, and in a checkout's folder var where its owner has;
# add the place if yours is not under /home, or GAUNTLET_RUNTIME_DIR names another. script/bootstrap
# installs them; by hand, as root:
#
#   cp sandboxes/apparmor.profile /etc/apparmor.d/gauntlet-bwrap
#   apparmor_parser -r /etc/apparmor.d/gauntlet-bwrap

abi <abi/4.0>,
include <tunables/global>

profile gauntlet-bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
}

profile gauntlet-slot /{var/lib/gauntlet,home/**/var}/slot-*/slot flags=(unconfined) {
  userns,
}
