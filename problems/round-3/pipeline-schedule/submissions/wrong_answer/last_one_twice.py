"""The cool-down begins one too early and runs a backward pass again."""


def schedule(name, p, m, v, costs):
    orders = []
    for rank in range(p):
        warm_up = min(m, p - 1 - rank)
        order = [("F", i, rank) for i in range(warm_up)]
        for i in range(m - warm_up):
            order += [("F", warm_up + i, rank), ("B", i, rank)]
        order += [("B", i, rank) for i in range(max(0, m - warm_up - 1), m)]
        orders.append(order)
    return orders
