"""In the steady state the backward pass is listed first, on the last rank before its own forward."""


def schedule(name, p, m, v, costs):
    orders = []
    for rank in range(p):
        warm_up = min(m, p - 1 - rank)
        order = [("F", i, rank) for i in range(warm_up)]
        for i in range(m):
            order.append(("B", i, rank))
            if warm_up + i < m:
                order.append(("F", warm_up + i, rank))
        orders.append(order)
    return orders
