import time


def wait(wait_s: float) -> dict:
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        pass
    return {"waited_s": wait_s}
