# Ubuntu 23.10 and later keep unprivileged programs from making user namespaces unless an AppArmor
# profile allows it. These allow it to bubblewrap and to the
# slot launcher, where root has compiled it. To install them, as root:
#
#   cp sandboxes/apparmor.profile /etc/apparmor.d/gauntlet-bwrap
#   apparmor_parser -r /etc/apparmor.d/gauntlet-bwrap

abi <abi/4.0>,
include <tunables/global>

profile gauntlet-bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
}

profile gauntlet-slot /var/lib/gauntlet/slot-*/slot flags=(unconfined) {
  userns,
}
