"""FLOPs are summed token by token and channel by channel in Python: right, and minutes late."""

from math import ceil


def size(model, cluster, plan):
    L, h, s = model["layers"], model["hidden"], plan["seq_len"]
    q, kv = model["heads"] * model["head_dim"], model["kv_heads"] * model["head_dim"]
    t, p, v, d, c, e = (plan[k] for k in ("tp", "pp", "virtual_pp", "dp", "cp", "ep"))
    b, m, zero, g = (plan[k] for k in ("micro_batch", "micro_batches", "zero_stage", "gradient_bytes"))
    none, full = plan["recompute"] == "none", plan["recompute"] == "full"
    moe = model["moe"] or {
        "experts": 0, "top_k": 0, "expert_ffn_hidden": 0, "shared_experts": 0, "dense_layers": L
    }
    E, k, shared, dense = (moe[n] for n in ("experts", "top_k", "shared_experts", "dense_layers"))
    V = model["vocab"]
    tables = 1 if model["tied_embeddings"] else 2

    # parameters
    gates = 3 if model["swiglu"] else 2
    attention = 2 * h * (q + kv)
    ffn = gates * h * model["ffn_hidden"]
    expert = gates * h * moe["expert_ffn_hidden"]
    sparse = L - dense
    rest = L * (attention + 2 * h) + h + dense * ffn + sparse * (h * E + shared * expert) + tables * V * h
    parameters = rest + sparse * E * expert
    active = rest + sparse * k * expert

    # what a GPU of stage 0 holds
    here = L // p
    dense_here = dense if model["moe"] else here
    sparse_here = here - dense_here
    padded = ceil(V / (128 * t)) * 128 * t
    ordinary = here * (attention / t + 2 * h) + dense_here * ffn / t
    ordinary += sparse_here * (h * E + shared * expert / t) + padded * h / t
    if p == 1:
        ordinary += h + (tables - 1) * padded * h / t
    routed = sparse_here * E / e * expert / t
    n, n_routed = d * c, d * c // e
    whole, shard = ordinary + routed, ordinary / n + routed / n_routed
    weights = 2 * (shard if zero >= 3 else whole)
    gradients = g * (shard if zero >= 2 else whole)
    optimizer = 12 * (shard if zero >= 1 else whole)

    # activations
    outer = t if plan["sequence_parallel"] else 1
    tokens = b * s / c
    masks = 1 if model["dropout"] else 0
    if full:
        kept_dense = kept_sparse = 2 * h / outer
    else:
        kept = 6 if model["swiglu"] else 4
        outside = (8 + 2 * masks) * h
        inside = 4 * q + 4 * kv
        if none:
            inside += (2 + 3 * masks) * model["heads"] * s
        kept_dense = outside / outer + (inside + kept * model["ffn_hidden"]) / t
        kept_sparse = (outside + 4 * E + 2 * h * k) / outer
        kept_sparse += (inside + kept * (k + shared) * moe["expert_ffn_hidden"]) / t
    flying = min(m, p) if v == 1 else min(m * v, p * v + p - 1) / v
    stack = dense_here * kept_dense + sparse_here * kept_sparse + (8 + masks * h) / outer
    activations = tokens * flying * stack
    if p == 1:
        activations += tokens * (4 * h / outer + 4 * padded / t)

    # traffic
    state = 2 * tokens * h
    passes = 6 if full else 4
    tp_sent = m * here * passes * 2 * (t - 1) / t * state
    pp_sent = m * (2 * v - 1) * state / outer if p > 1 else 0
    cp_sent = m * here * (4 if full else 3) * (c - 1) * 4 * tokens * kv / t
    ep_sent = m * sparse_here * passes * (e - 1) / e * k * state / outer
    per_parameter = [2 * g, g + 2, m * g + 2, m * (g + 4)][zero]
    dp_sent = per_parameter * (ordinary * (n - 1) / n + routed * (n_routed - 1) / n_routed)

    # time
    core = 4 * s * q * L
    layer_flops = 2 * (L * attention + dense * ffn + sparse * (h * E + (k + shared) * expert)) + core
    step_tokens = d * m * b * s
    model_flops = 0
    for token in range(step_tokens):
        for layer in range(L):
            model_flops += 6 * attention
            for _ in range(q):
                model_flops += 12 * s
            if layer < dense:
                model_flops += 6 * ffn
            else:
                model_flops += 6 * (h * E + (k + shared) * expert)
        model_flops += 6 * V * h
    again = layer_flops if full else 0 if none else core
    gpus = t * p * d * c
    peak = cluster["peak_dense_tflops"] * 1e12
    compute = (model_flops + step_tokens * again) / (gpus * peak * cluster["matmul_efficiency"])
    network = cluster["network_gb_per_s"] * 1e9
    waiting = tp_sent / (cluster["nvlink_gb_per_s"] * 1e9) + (pp_sent + cp_sent + ep_sent) / network
    bubble = (p - 1) / (v * m + p - 1)
    step = (compute + waiting) / (1 - bubble) + (1 - cluster["dp_overlap"]) * dp_sent / network
    return {
        "parameters": parameters,
        "active_parameters": active,
        "weights_bytes": weights,
        "gradients_bytes": gradients,
        "optimizer_bytes": optimizer,
        "activations_bytes": activations,
        "tp_bytes_sent": tp_sent,
        "pp_bytes_sent": pp_sent,
        "cp_bytes_sent": cp_sent,
        "ep_bytes_sent": ep_sent,
        "dp_bytes_sent": dp_sent,
        "model_flops": model_flops,
        "bubble_fraction": bubble,
        "step_time_s": step,
        "mfu": model_flops / (step * gpus * peak),
    }
