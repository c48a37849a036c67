// A loop without atomics calls nothing that could notice: only the watchdog can.
#include "check.h"

static volatile int forever = 1;

SCENARIOS({.name = "endless", .threads = {[] { int* local = new int(0); while (forever) *local = 1; }}})
