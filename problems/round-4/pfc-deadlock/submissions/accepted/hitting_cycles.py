"""Branches over the routes of the first cycle that is left: one of them must change its side."""


def graph(routes, moved, spare):
    edges = {}
    for number, route in enumerate(routes):
        priority = spare if number in moved else route["priority"]
        p = route["path"]
        for a, b, c in zip(p, p[1:], p[2:]):
            edges.setdefault((a, b, priority), {}).setdefault((b, c, priority), set()).add(number)
    return edges


def find(edges):
    for start in edges:
        seen, stack = {start}, [(start, [start])]
        while stack:
            node, path = stack.pop()
            for after in edges.get(node, {}):
                if after == start:
                    return path
                if after not in seen:
                    seen.add(after)
                    stack.append((after, [*path, after]))
    return None


def search(routes, spare, moved, budget):
    edges = graph(routes, moved, spare)
    cycle = find(edges)
    if cycle is None:
        return moved
    if budget == 0 or cycle[0][2] == spare:
        # A cycle of routes that were moved cannot be mended by moving more.
        return None
    on_it = set()
    for node, after in zip(cycle, cycle[1:] + cycle[:1]):
        on_it |= edges[node][after]
    for number in sorted(on_it - moved):
        found = search(routes, spare, moved | {number}, budget - 1)
        if found is not None:
            return found
    return None


def analyse(routes, spare):
    cycle = find(graph(routes, set(), spare))
    if cycle is None:
        return {"cycle": None, "moves": []}
    told = {"priority": cycle[0][2], "links": [[a, b] for a, b, _ in cycle]}
    for budget in range(1, len(routes) + 1):
        found = search(routes, spare, frozenset(), budget)
        if found is not None:
            return {"cycle": told, "moves": sorted(found)}
    return {"cycle": told, "moves": None}
