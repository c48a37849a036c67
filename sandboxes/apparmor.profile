# Ubuntu 23.10 and later keep unprivileged programs from making user namespaces unless an AppArmor
# profile allows it. This one allows it to bubblewrap. To install it, as root:
#
#   cp sandboxes/apparmor.profile /etc/apparmor.d/gauntlet-bwrap
#   apparmor_parser -r /etc/apparmor.d/gauntlet-bwrap

abi <abi/4.0>,
include <tunables/global>

profile gauntlet-bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
}
