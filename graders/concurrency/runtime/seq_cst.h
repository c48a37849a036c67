// RC11's axiom for seq_cst: the relation psc must have no cycle.
#pragma once

#include "memory_model.h"

namespace gauntlet {

// Whether psc stays acyclic when `probe` happens as `option` says. The graph itself must already be
// consistent, so that a cycle can only go through the probe.
bool seq_cst_acyclic(const Graph& graph, const Event& probe, Option option);

}  // namespace gauntlet
