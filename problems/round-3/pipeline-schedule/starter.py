def schedule(name, p, m, v, costs):
    """Order the operations of each rank.

    name: "1f1b", "interleaved", "zb1p" or "dualpipe"
    p, m, v: ranks, micro-batches, stages a rank
    costs: units of time, {"F": 1, "B": 2, "I": 1, "W": 1, "FB": 3, "latency": 0}

    Give a list for each rank: ("F", micro_batch, stage), ("B", micro_batch, stage), ...
    """
    # Right for the last rank of 1f1b only: it runs each micro-batch forward and at once back.
    orders = []
    for rank in range(p):
        order = []
        for micro_batch in range(m):
            order.append(("F", micro_batch, rank))
            order.append(("B", micro_batch, rank))
        orders.append(order)
    return orders
