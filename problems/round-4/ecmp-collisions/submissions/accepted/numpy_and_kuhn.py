"""Convolutions of Poisson weights with numpy; depth-first augmenting paths for the ports."""

from math import lgamma, log

import numpy as np


def expected(n, m):
    mean = n / m
    weights = np.exp([j * log(mean) - mean - lgamma(j + 1) for j in range(n + 1)])
    total = np.exp(n * log(n) - n - lgamma(n + 1))
    answer = 0.0
    for most in range(n):
        together = np.ones(1)
        for _ in range(m):
            together = np.convolve(together, weights[: most + 1])[: n + 1]
        share = together[n] / total if len(together) > n else 0.0
        answer += 1 - share
    return float(answer)


def choose(path_of, n_paths, n_qps, limit):
    taken = {}  # (flow, port) -> True
    on_path = [[] for _ in range(n_paths)]

    def settle(flow, seen):
        for port, path in enumerate(path_of[flow]):
            if (flow, port) in taken or path in seen:
                continue
            seen.add(path)
            if len(on_path[path]) < limit:
                on_path[path].append((flow, port))
                taken[flow, port] = True
                return True
            for other, old in list(on_path[path]):
                if settle(other, seen):
                    on_path[path].remove((other, old))
                    del taken[other, old]
                    on_path[path].append((flow, port))
                    taken[flow, port] = True
                    return True
        return False

    for flow in range(len(path_of)):
        for _ in range(n_qps):
            if not settle(flow, set()):
                return None
    return [sorted(port for owner, port in taken if owner == flow) for flow in range(len(path_of))]


def ecmp(n_flows, n_paths, n_qps, path_of):
    limit = 1
    while (ports := choose(path_of, n_paths, n_qps, limit)) is None:
        limit += 1
    alone = 1.0
    for taken in range(min(n_flows, n_paths + 1)):
        alone *= (n_paths - taken) / n_paths
    return {
        "expected_max_load": expected(n_flows, n_paths),
        "no_collision": alone,
        "expected_max_load_split": expected(n_flows * n_qps, n_paths) / n_qps,
        "ports": ports,
    }
