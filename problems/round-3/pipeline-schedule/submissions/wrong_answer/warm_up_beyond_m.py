"""The warm-up does not look at m, so a short batch is followed by micro-batches that are not there."""


def schedule(name, p, m, v, costs):
    orders = []
    for rank in range(p):
        warm_up = p - 1 - rank
        order = [("F", i, rank) for i in range(warm_up)]
        for i in range(m - warm_up):
            order += [("F", warm_up + i, rank), ("B", i, rank)]
        order += [("B", i, rank) for i in range(max(0, m - warm_up), m)]
        orders.append(order)
    return orders
