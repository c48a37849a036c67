"""The closed form with numpy: experts and layers as vectors, numpy scalars in the answer."""

import numpy as np


def size(model, cluster, plan):
    hidden, layers, moe = model["hidden"], model["layers"], model["moe"]
    is_moe = np.zeros(layers, dtype=bool)
    if moe:
        is_moe[moe["dense_layers"] :] = True
    routed, chosen, shared, width, experts = 0, 0, 0, 0, 0
    if moe:
        experts, width = moe["experts"], moe["expert_ffn_hidden"]
        routed, chosen, shared = experts, moe["top_k"], moe["shared_experts"]
    matrices = np.where(model["swiglu"], 3, 2)
    heads = np.array([model["heads"], model["kv_heads"]]) * model["head_dim"]
    attention = np.full(layers, 2 * hidden * heads.sum(), dtype=np.float64)
    dense_ffn = np.where(is_moe, 0, matrices * hidden * model["ffn_hidden"]).astype(float)
    router = np.where(is_moe, hidden * experts, 0).astype(float)
    expert = np.where(is_moe, matrices * hidden * width, 0).astype(float)
    norms = np.full(layers, 2.0 * hidden)
    table = float(hidden * model["vocab"])
    tables = 1 if model["tied_embeddings"] else 2
    base = (attention + dense_ffn + router + norms + shared * expert).sum() + hidden + tables * table

    tp, pp, chunks, ep, cp, dp = (plan[k] for k in ("tp", "pp", "virtual_pp", "ep", "cp", "dp"))
    stage = slice(0, layers // pp)
    one_table = hidden * np.ceil(model["vocab"] / (128 * tp)) * 128
    ordinary = (attention / tp + dense_ffn / tp + router + norms + shared * expert / tp)[stage].sum()
    ordinary += one_table
    if pp == 1:
        ordinary += hidden + (tables - 1) * one_table
    held = np.array([ordinary, (expert * routed / ep / tp)[stage].sum()])
    group = np.array([dp * cp, dp * cp / ep])
    width_bytes = np.array([2, plan["gradient_bytes"], 12])
    divided = plan["zero_stage"] >= np.array([3, 2, 1])
    weights, gradients, optimizer = width_bytes * np.where(
        divided, (held / group).sum(), held.sum()
    )

    count, tokens = plan["micro_batches"], plan["micro_batch"] * plan["seq_len"] / cp
    outer = tp if plan["sequence_parallel"] else 1
    kept = 6 if model["swiglu"] else 4
    drop = int(model["dropout"])
    if plan["recompute"] == "full":
        token_bytes = np.full(layers, 2 * hidden / outer)
    else:
        scores = (2 + 3 * drop) * model["heads"] * plan["seq_len"]
        inside = 4 * heads.sum() + scores * (plan["recompute"] == "none")
        inside = inside + kept * np.where(is_moe, (chosen + shared) * width, model["ffn_hidden"])
        outside = (8 + 2 * drop) * hidden + np.where(is_moe, 4 * experts + 2 * hidden * chosen, 0)
        token_bytes = outside / outer + inside / tp
    flying = min(count, pp) if chunks == 1 else min(count, pp + (pp - 1) / chunks)
    activations = tokens * flying * (token_bytes[stage].sum() + (8 + drop * hidden) / outer)
    if pp == 1:
        activations += 4 * tokens * (hidden / outer + one_table / hidden)

    forward = 2 if plan["recompute"] == "full" else 1
    state = 2 * tokens * hidden
    here, sparse_here = layers // pp, int(is_moe[stage].sum())
    sent = {
        "tp": count * here * 4 * (forward + 1) * (1 - 1 / tp) * state,
        "pp": count * (2 * chunks - 1) * (pp > 1) * state / outer,
        "cp": count * here * (forward + 2) * (cp - 1) * 4 * tokens * heads[1] / tp,
        "ep": count * sparse_here * 2 * (forward + 1) * (1 - 1 / ep) * chosen * state / outer,
    }
    wide = plan["gradient_bytes"]
    per_parameter = (2 * wide, wide + 2, count * wide + 2, count * (wide + 4))[plan["zero_stage"]]
    sent["dp"] = per_parameter * (held * (1 - 1 / group)).sum()

    core = 4.0 * plan["seq_len"] * heads[0] * layers
    met = (attention + dense_ffn + router + (chosen + shared) * expert).sum()
    batch = dp * count * plan["micro_batch"] * plan["seq_len"]
    flops = 3 * batch * (2 * met + core + 2 * table)
    again = {"none": 0.0, "selective": core, "full": 2 * met + core}[plan["recompute"]]
    gpus, peak = tp * pp * dp * cp, cluster["peak_dense_tflops"] * 1e12
    network = cluster["network_gb_per_s"] * 1e9
    busy = (flops + batch * again) / (gpus * peak * cluster["matmul_efficiency"])
    busy += sent["tp"] / (cluster["nvlink_gb_per_s"] * 1e9)
    busy += (sent["pp"] + sent["cp"] + sent["ep"]) / network
    bubble = np.float64(pp - 1) / (chunks * count + pp - 1)
    step = busy / (1 - bubble) + (1 - cluster["dp_overlap"]) * sent["dp"] / network
    return {
        "parameters": base + (routed * expert).sum(),
        "active_parameters": base + (chosen * expert).sum(),
        "weights_bytes": weights,
        "gradients_bytes": gradients,
        "optimizer_bytes": optimizer,
        "activations_bytes": activations,
        **{f"{kind}_bytes_sent": value for kind, value in sent.items()},
        "model_flops": flops,
        "bubble_fraction": bubble,
        "step_time_s": step,
        "mfu": flops / (step * gpus * peak),
    }
