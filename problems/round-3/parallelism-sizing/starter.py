"""Size one training step. Every convention is in the statement; units are in the key names."""


def size(model: dict, cluster: dict, plan: dict) -> dict:
    return {
        # the whole model
        "parameters": 0,
        "active_parameters": 0,
        # on one GPU of pipeline stage 0
        "weights_bytes": 0,
        "gradients_bytes": 0,
        "optimizer_bytes": 0,
        "activations_bytes": 0,
        # sent by that GPU in one step
        "tp_bytes_sent": 0,
        "pp_bytes_sent": 0,
        "cp_bytes_sent": 0,
        "ep_bytes_sent": 0,
        "dp_bytes_sent": 0,
        # the whole job, one step
        "model_flops": 0,
        "bubble_fraction": 0,
        "step_time_s": 0,
        "mfu": 0,
    }
