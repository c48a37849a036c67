def ecmp(n_flows: int, n_paths: int, n_qps: int, path_of: list[list[int]]) -> dict:
    return {
        "expected_max_load": n_flows / n_paths,
        "no_collision": 0.0,
        "expected_max_load_split": n_flows / n_paths,
        "ports": [list(range(n_qps)) for _ in range(n_flows)],
    }
