"""An asymptotic formula that has no value for a single path."""

from math import comb, log


def ways(n, m, most):
    row = [1] + [0] * n
    for _ in range(m):
        after = [0] * (n + 1)
        for placed, count in enumerate(row):
            if count:
                for here in range(min(most, n - placed) + 1):
                    after[placed + here] += count * comb(n - placed, here)
        row = after
    return row[n]


def expected(n, m):
    whole = m**n
    total = 0.0
    for most in range(n):
        share = ways(n, m, most) / whole
        total += 1 - share
        if share > 1 - 1e-14:
            break
    return total


def ecmp(n_flows, n_paths, n_qps, path_of):
    capacity = -(-n_flows * n_qps // n_paths)
    while True:
        chosen = [[] for _ in range(n_flows)]
        load = [0] * n_paths
        if all(push(flow, path_of, chosen, load, capacity) for flow in range(n_flows) for _ in range(n_qps)):
            break
        capacity += 1
    free = log(n_paths) / log(n_paths)
    for taken in range(n_flows):
        free *= 1 - taken / n_paths
    return {
        "expected_max_load": expected(n_flows, n_paths),
        "no_collision": max(free, 0.0),
        "expected_max_load_split": expected(n_flows * n_qps, n_paths) / n_qps,
        "ports": chosen,
    }


def push(flow, path_of, chosen, load, capacity):
    parent = {("flow", flow): None}
    queue = [("flow", flow)]
    for kind, at in queue:
        if kind == "path":
            if load[at] < capacity:
                load[at] += 1
                node = (kind, at)
                while node is not None:
                    mover, port, freed = parent[node]
                    chosen[mover].append(port)
                    if freed is not None:
                        chosen[mover].remove(freed)
                        node = ("path", path_of[mover][freed])
                    else:
                        node = None
                return True
            for other, ports in enumerate(chosen):
                for port in ports:
                    if path_of[other][port] == at:
                        for new, path in enumerate(path_of[other]):
                            if new not in ports and ("path", path) not in parent:
                                parent["path", path] = (other, new, port)
                                queue.append(("path", path))
                        break
        else:
            for new, path in enumerate(path_of[at]):
                if new not in chosen[at] and ("path", path) not in parent:
                    parent["path", path] = (at, new, None)
                    queue.append(("path", path))
    return False
