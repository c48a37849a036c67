"""How badly hashing spreads flows over paths, exactly, and how well chosen ports could do it."""

from __future__ import annotations

import math
from collections import deque
from functools import cache


def ecmp(n_flows: int, n_paths: int, n_qps: int, path_of: list[list[int]]) -> dict:
    ports, _ = place(n_paths, n_qps, path_of)
    return {
        "expected_max_load": expected_max(n_flows, n_paths),
        "no_collision": no_collision(n_flows, n_paths),
        "expected_max_load_split": expected_max(n_flows * n_qps, n_paths) / n_qps,
        "ports": ports,
    }


@cache
def expected_max(n_balls: int, n_bins: int) -> float:
    """Expected number of balls in the fullest bin, each ball in a bin of its own choice.

    The number of balls becomes Poisson, so that bins are independent, and the total is fixed again
    at the end: P(max <= k) is the k-truncated convolution at n_balls over the full one.
    """
    mean = n_balls / n_bins
    weights = [
        math.exp(-mean + j * math.log(mean) - math.lgamma(j + 1)) for j in range(n_balls + 1)
    ]
    total = math.exp(-n_balls + n_balls * math.log(n_balls) - math.lgamma(n_balls + 1))
    expected = 0.0
    for largest in range(n_balls):
        at_most = power(weights[: largest + 1], n_bins, n_balls)[n_balls] / total
        expected += 1.0 - at_most
        if at_most > 1.0 - 1e-13:
            break
    return expected


def power(factor: list[float], exponent: int, degree: int) -> list[float]:
    """Coefficients of a polynomial's power up to `degree`, by squaring."""
    result = [1.0] + [0.0] * degree
    while exponent:
        if exponent & 1:
            result = product(result, factor, degree)
        factor = product(factor, factor, degree)
        exponent >>= 1
    return result


def product(one: list[float], other: list[float], degree: int) -> list[float]:
    """Coefficients of a product up to `degree`."""
    result = [0.0] * (degree + 1)
    for i, left in enumerate(one[: degree + 1]):
        if left:
            for j, right in enumerate(other[: degree + 1 - i], i):
                result[j] += left * right
    return result


def no_collision(n_flows: int, n_paths: int) -> float:
    """Probability that all flows take different paths."""
    return math.prod((n_paths - taken) / n_paths for taken in range(n_flows))


def place(n_paths: int, n_qps: int, path_of: list[list[int]]) -> tuple[list[list[int]], int]:
    """Ports that make the fullest path carry the fewest queue pairs, and how many it carries.

    A flow of queue pairs over paths: augmented one queue pair at a time, and a path may take one
    more when no way is left.
    """
    free: list[dict[int, list[int]]] = []  # flow -> path -> ports that lead there and are unused
    for paths in path_of:
        by_path: dict[int, list[int]] = {}
        for port, path in enumerate(paths):
            by_path.setdefault(path, []).append(port)
        free.append(by_path)
    used: list[dict[int, list[int]]] = [{} for _ in path_of]
    load = [0] * n_paths
    limit = math.ceil(len(path_of) * n_qps / n_paths)
    for flow in range(len(path_of)):
        for _ in range(n_qps):
            while not augment(flow, free, used, load, limit):
                limit += 1
    ports = [sorted(port for there in paths.values() for port in there) for paths in used]
    return ports, max(load)


def augment(
    flow: int,
    free: list[dict[int, list[int]]],
    used: list[dict[int, list[int]]],
    load: list[int],
    limit: int,
) -> bool:
    """One queue pair more for `flow`, others moving out of its way; False if it cannot be."""
    came: dict[int, tuple[int, int | None]] = {}  # path -> flow that goes there, path it leaves
    queue = deque([(flow, None)])
    seen = set()
    while queue:
        mover, left = queue.popleft()
        for path, ports in free[mover].items():
            if not ports or path in came:
                continue
            came[path] = (mover, left)
            if load[path] < limit:
                load[path] += 1
                at: int | None = path
                while at is not None:
                    who, before = came[at]
                    used[who].setdefault(at, []).append(free[who][at].pop())
                    if before is not None:
                        free[who][before].append(used[who][before].pop())
                    at = before
                return True
            for other, paths in enumerate(used):
                if paths.get(path) and (other, path) not in seen:
                    seen.add((other, path))
                    queue.append((other, path))
    return False
