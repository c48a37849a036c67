def analyse(routes: list[dict], spare: int) -> dict:
    """{"cycle": {"priority": p, "links": [[a, b], ...]} or None, "moves": [route, ...] or None}"""
    return {"cycle": None, "moves": []}
