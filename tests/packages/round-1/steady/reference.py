import time


def wait(wait_s: float) -> dict:
    time.sleep(wait_s)
    return {"waited_s": wait_s}
