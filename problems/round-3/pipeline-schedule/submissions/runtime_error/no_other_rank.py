"""The last rank is found by dividing, which one rank does not survive."""


def schedule(name, p, m, v, costs):
    orders = []
    for rank in range(p):
        share = rank / (p - 1)
        warm_up = min(m, round((1 - share) * (p - 1)))
        order = [("F", i, rank) for i in range(warm_up)]
        for i in range(m - warm_up):
            order += [("F", warm_up + i, rank), ("B", i, rank)]
        order += [("B", i, rank) for i in range(m - warm_up, m)]
        orders.append(order)
    return orders
