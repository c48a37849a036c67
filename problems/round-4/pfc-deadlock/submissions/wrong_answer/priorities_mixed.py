"""One buffer for all priorities: finds cycles that no packet can be part of."""

from itertools import combinations


def graph(routes):
    edges = {}
    for route in routes:
        p = route["path"]
        for a, b, c in zip(p, p[1:], p[2:]):
            edges.setdefault((a, b, route["priority"]), []).append((b, c, route["priority"]))
    return edges


def find(edges):
    state = {}
    for root in edges:
        if root in state:
            continue
        stack, path = [(root, iter(edges[root]))], [root]
        state[root] = 1
        while stack:
            node, rest = stack[-1]
            for after in rest:
                if state.get(after) == 1:
                    return path[path.index(after) :]
                if after not in state:
                    state[after] = 1
                    path.append(after)
                    stack.append((after, iter(edges.get(after, ()))))
                    break
            else:
                state[node] = 2
                stack.pop()
                path.pop()
    return None


def analyse(routes, spare):
    cycle = find(graph([{"path": route["path"], "priority": 3} for route in routes]))
    if cycle is None:
        return {"cycle": None, "moves": []}
    told = {"priority": cycle[0][2], "links": [[a, b] for a, b, _ in cycle]}
    for size in range(1, len(routes) + 1):
        for chosen in combinations(range(len(routes)), size):
            after = [
                {"path": route["path"], "priority": spare if at in chosen else route["priority"]}
                for at, route in enumerate(routes)
            ]
            if find(graph(after)) is None:
                return {"cycle": told, "moves": list(chosen)}
    return {"cycle": told, "moves": None}
