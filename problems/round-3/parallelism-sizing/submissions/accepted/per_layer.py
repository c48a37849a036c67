"""A model as a list of layers and a layer as a list of tensors; every number is a sum over them.

In flight is counted by playing the 1F1B schedule of stage 0, not by its formula.
"""

from dataclasses import dataclass, field


@dataclass
class Matrix:
    rows: int
    columns: int
    routed: bool = False  # one of the experts that expert parallelism divides
    replicated: bool = False  # not divided by tensor parallelism
    copies: int = 1
    visited: int = 1  # copies that one token meets

    @property
    def parameters(self):
        return self.rows * self.columns


@dataclass
class Layer:
    matrices: list = field(default_factory=list)
    is_moe: bool = False


def build(model):
    h, moe = model["hidden"], model["moe"]
    for number in range(model["layers"]):
        sparse = bool(moe) and number >= moe["dense_layers"]
        layer = Layer(is_moe=sparse)
        query, key = (model[n] * model["head_dim"] for n in ("heads", "kv_heads"))
        layer.matrices += [Matrix(h, query), Matrix(h, key), Matrix(h, key), Matrix(query, h)]
        width = moe["expert_ffn_hidden"] if sparse else model["ffn_hidden"]
        blocks = [(h, width), (width, h)] + [(h, width)] * bool(model["swiglu"])
        for rows, columns in blocks:
            if not sparse:
                layer.matrices.append(Matrix(rows, columns))
                continue
            layer.matrices.append(
                Matrix(rows, columns, routed=True, copies=moe["experts"], visited=moe["top_k"])
            )
            for _ in range(moe["shared_experts"]):
                layer.matrices.append(Matrix(rows, columns))
        if sparse:
            layer.matrices.append(Matrix(h, moe["experts"], replicated=True))
        yield layer


def play_stage_0(plan):
    """Most chunks in flight at once on stage 0, from its own order of work."""
    pp, chunks = plan["pp"], plan["virtual_pp"]
    work = plan["micro_batches"] * chunks
    warm_up = pp - 1 if chunks == 1 else 2 * (pp - 1) + (chunks - 1) * pp
    order = ["F"] * min(warm_up, work)
    left = work - len(order)
    order += ["F", "B"] * left + ["B"] * (work - left)
    held = most = 0
    for step in order:
        held += 1 if step == "F" else -1
        most = max(most, held)
    return most / chunks


def tensors(model, plan, layer):
    """(bytes a token, divided by tp or only with sequence parallelism) of one layer."""
    h = model["hidden"]
    if plan["recompute"] == "full":
        yield 2 * h, False
        return
    for _ in ("norm", "norm", "qkv", "ffn"):
        yield 2 * h, False
    if model["dropout"]:
        yield from [(h, False)] * 2
    query, key = (model[n] * model["head_dim"] for n in ("heads", "kv_heads"))
    for width in (query, key, key, query):
        yield 2 * width, True
    if plan["recompute"] == "none":
        scores = model["heads"] * plan["seq_len"]
        yield 2 * scores, True
        if model["dropout"]:
            yield 3 * scores, True
    widths = [model["ffn_hidden"]]
    if layer.is_moe:
        moe = model["moe"]
        widths = [moe["expert_ffn_hidden"]] * (moe["top_k"] + moe["shared_experts"])
        yield 4 * moe["experts"], False
        yield 2 * h * moe["top_k"], False
    for width in widths:
        for _ in range(3 if model["swiglu"] else 2):
            yield 2 * width, True


def ring(n):
    return (n - 1) / n


def size(model, cluster, plan):
    h, vocab, tp, pp, ep = model["hidden"], model["vocab"], plan["tp"], plan["pp"], plan["ep"]
    layers = list(build(model))
    norms = h * (2 * len(layers) + 1)
    tables = 1 if model["tied_embeddings"] else 2
    flat = [matrix for layer in layers for matrix in layer.matrices]
    total = sum(x.parameters * x.copies for x in flat) + norms + tables * vocab * h
    active = sum(x.parameters * x.visited for x in flat) + norms + tables * vocab * h

    mine = layers[: len(layers) // pp]
    multiple = 128 * tp
    rows = (vocab + multiple - 1) // multiple * multiple
    kinds = {False: 0.0, True: 0.0}
    for layer in mine:
        kinds[False] += 2 * h
        for x in layer.matrices:
            kinds[x.routed] += x.parameters * x.copies / (ep if x.routed else 1) / (
                1 if x.replicated else tp
            )
    kinds[False] += rows * h / tp
    if pp == 1:
        kinds[False] += h + (rows * h / tp if tables == 2 else 0)
    same = {False: plan["dp"] * plan["cp"], True: plan["dp"] * plan["cp"] // ep}

    def held(width, from_stage):
        cut = plan["zero_stage"] >= from_stage
        return sum(width * count / (same[kind] if cut else 1) for kind, count in kinds.items())

    outer = tp if plan["sequence_parallel"] else 1
    tokens = plan["micro_batch"] * plan["seq_len"] // plan["cp"]
    a_token = sum(
        width / (tp if inside else outer)
        for layer in mine
        for width, inside in tensors(model, plan, layer)
    )
    a_token += (8 + (h if model["dropout"] else 0)) / outer
    activations = tokens * a_token * play_stage_0(plan)
    if pp == 1:
        activations += tokens * (2 * h / outer + 2 * h / outer + 4 * rows / tp)

    forwards = 2 if plan["recompute"] == "full" else 1
    sent = dict.fromkeys(("tp", "pp", "cp", "ep", "dp"), 0.0)
    state = 2 * tokens * h
    key_value = 2 * 2 * tokens * model["kv_heads"] * model["head_dim"] / tp
    for layer in mine:
        runs = plan["micro_batches"] * (forwards + 1)
        sent["tp"] += runs * 2 * 2 * ring(tp) * state
        sent["cp"] += plan["micro_batches"] * (forwards + 2) * (plan["cp"] - 1) * key_value
        if layer.is_moe:
            sent["ep"] += runs * 2 * ring(ep) * model["moe"]["top_k"] * state / outer
    if pp > 1:
        forward, backward = plan["virtual_pp"], plan["virtual_pp"] - 1
        sent["pp"] = plan["micro_batches"] * (forward + backward) * state / outer
    g, count, zero = plan["gradient_bytes"], plan["micro_batches"], plan["zero_stage"]
    for kind, parameters in kinds.items():
        reduce = g * (count if zero >= 2 else 1)
        gather = {0: g, 1: 2, 2: 2, 3: 2 * 2 * count}[zero]
        sent["dp"] += (reduce + gather) * ring(same[kind]) * parameters

    dot = 4 * plan["seq_len"] * model["heads"] * model["head_dim"]
    forward_layers = sum(
        dot + sum(2 * x.parameters * x.visited for x in layer.matrices) for layer in layers
    )
    batch = plan["dp"] * plan["micro_batches"] * plan["micro_batch"] * plan["seq_len"]
    flops = 3 * batch * (forward_layers + 2 * h * vocab)
    again = {"none": 0, "selective": dot * len(layers), "full": forward_layers}[plan["recompute"]]
    gpus = tp * pp * plan["dp"] * plan["cp"]
    peak = cluster["peak_dense_tflops"] * 1e12
    nvlink, network = (cluster[n] * 1e9 for n in ("nvlink_gb_per_s", "network_gb_per_s"))
    busy = (flops + batch * again) / (gpus * peak * cluster["matmul_efficiency"])
    busy += sent["tp"] / nvlink + (sent["pp"] + sent["cp"] + sent["ep"]) / network
    slots = plan["virtual_pp"] * plan["micro_batches"]
    step = busy * (slots + pp - 1) / slots + (1 - cluster["dp_overlap"]) * sent["dp"] / network
    return {
        "parameters": total,
        "active_parameters": active,
        "weights_bytes": held(2, 3),
        "gradients_bytes": held(g, 2),
        "optimizer_bytes": held(12, 1),
        "activations_bytes": activations,
        **{f"{kind}_bytes_sent": value for kind, value in sent.items()},
        "model_flops": flops,
        "bubble_fraction": (pp - 1) / (slots + pp - 1),
        "step_time_s": step,
        "mfu": flops / (step * gpus * peak),
    }
