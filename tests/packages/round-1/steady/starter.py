def wait(wait_s: float) -> dict:
    return {"waited_s": 0.0}
