import time


def wait(wait_s: float) -> dict:
    time.sleep(wait_s / 2)
    return {"waited_s": wait_s / 2}
