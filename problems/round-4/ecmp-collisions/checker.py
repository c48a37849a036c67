"""Compares the expectations, and counts what the chosen ports put on each path."""

from __future__ import annotations

import math
import random
from typing import Any

from reference import ecmp, expected_max, place

from graders.harness.items import Item, Step
from graders.text import say

TOLERANCE = 1e-6  # relative; all of it is exact up to rounding


def draw(case_input: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """Fabrics with random hashes: as many flows as paths, more, fewer; few ports and many."""
    generator = random.Random(seed)
    inputs = []
    for _ in range(case_input["count"]):
        n_paths = generator.choice([1, 2, 3, 4, 6, 8, 16])
        n_flows = generator.randint(1, 12 if case_input["draw"] == "small" else 32)
        n_qps = generator.choice([1, 2, 4])
        n_ports = generator.choice([n_qps, n_qps + 1, 2 * n_qps, 4 * n_qps])
        inputs.append(fabric(generator, n_flows, n_paths, n_qps, n_ports))
    return inputs


def fabric(
    generator: random.Random, n_flows: int, n_paths: int, n_qps: int, n_ports: int
) -> dict[str, Any]:
    """A random hash of every flow's ports."""
    return {
        "n_flows": n_flows,
        "n_paths": n_paths,
        "n_qps": n_qps,
        "path_of": [[generator.randrange(n_paths) for _ in range(n_ports)] for _ in range(n_flows)],
    }


def simpler(case_input: dict[str, Any]) -> list[dict[str, Any]]:
    """A flow less, one queue pair a flow, a port less."""
    given, paths = case_input, case_input["path_of"]
    smaller = [
        {**given, "n_flows": given["n_flows"] - 1, "path_of": paths[:at] + paths[at + 1 :]}
        for at in range(len(paths))
        if given["n_flows"] > 1
    ]
    if given["n_qps"] > 1:
        smaller.append({**given, "n_qps": given["n_qps"] // 2})
    if len(paths[0]) > given["n_qps"]:
        smaller.append({**given, "path_of": [own[:-1] for own in paths]})
    return smaller


def check(case_input: dict[str, Any], answer: Any, seed: int) -> list[Item] | str:
    """Three expectations and the fullest path; a str if the answer has another shape."""
    right = ecmp(**case_input)
    complaint = complaint_about(answer, case_input)
    if complaint:
        return complaint
    n_qps, n_paths = case_input["n_qps"], case_input["n_paths"]
    items = [
        number(case_input, name, right[name], float(answer[name]))
        for name in ("expected_max_load", "no_collision", "expected_max_load_split")
    ]
    _, best = place(n_paths, n_qps, case_input["path_of"])
    load = loads(case_input, answer["ports"])
    got = max(load)
    fullest = load.index(got)
    shown = ", ".join(map(str, load))
    steps = (
        Step(
            say("queue pairs that your ports put on each path"),
            "path 0, path 1, ...",
            shown,
            got,
            say("queue pairs"),
        ),
        Step(
            say("the fullest path of the best choice"),
            say("a maximum flow of queue pairs over paths"),
            say("{count} queue pairs over {paths} paths", count=sum(load), paths=n_paths),
            best,
            say("queue pairs"),
        ),
    )
    advice = say(
        "path {path} carries too many: let a queue pair leave a full path also by moving another "
        "one out of its way",
        path=fullest,
    )
    right_one = got == best
    items.append(
        Item(
            "fullest_path",
            say("queue pairs"),
            best,
            got,
            0,
            ok=right_one,
            advice="" if right_one else advice,
            arithmetic=() if right_one else steps,
        )
    )
    return items


def loads(case_input: dict[str, Any], ports: list[list[int]]) -> list[int]:
    """Queue pairs on each path."""
    load = [0] * case_input["n_paths"]
    for flow, own in enumerate(ports):
        for port in own:
            load[case_input["path_of"][flow][port]] += 1
    return load


def number(case_input: dict[str, Any], name: str, expected: float, got: float) -> Item:
    """One expectation, with its arithmetic and the likely mistake where it is wrong."""
    tolerance = TOLERANCE * expected + 1e-12
    if abs(got - expected) <= tolerance:
        return Item(name, "", expected, got, tolerance, ok=True)
    mistake, advice = likely(case_input, name, got)
    return Item(
        name,
        "",
        expected,
        got,
        tolerance,
        ok=False,
        misconception=mistake,
        advice=advice,
        arithmetic=arithmetic(case_input, name, expected),
    )


def likely(case_input: dict[str, Any], name: str, got: float) -> tuple[str, str]:
    """Name and advice of the known mistake that gives exactly this number."""
    n, m, q = case_input["n_flows"], case_input["n_paths"], case_input["n_qps"]
    known = {
        "expected_max_load": [
            ("mean", n / m, say("that is the mean load of a path, and the fullest one counts")),
            (
                "at least one",
                m * (1 - (1 - 1 / m) ** n),
                say("that is the expected number of paths in use"),
            ),
        ],
        "no_collision": [
            (
                "birthday approximation",
                math.exp(-n * (n - 1) / (2 * m)),
                say("that is the approximation of the birthday problem: multiply the exact terms"),
            ),
            (
                "complement",
                1 - math.prod((m - i) / m for i in range(n)),
                say("that is the probability of a collision"),
            ),
        ],
        "expected_max_load_split": [
            (
                "not scaled",
                expected_max(n * q, m),
                say("that counts queue pairs: each carries 1 / n_qps of a flow"),
            ),
            (
                "split first",
                expected_max(n, m) / q,
                say("that splits the load of whole flows: every queue pair is hashed for itself"),
            ),
            (
                "not split",
                expected_max(n, m),
                say("that is the load without splitting"),
            ),
        ],
    }
    for mistake, value, advice in known[name]:
        if math.isclose(value, got, rel_tol=1e-6, abs_tol=1e-12):
            return mistake, advice
    return "", ""


def arithmetic(case_input: dict[str, Any], name: str, expected: float) -> tuple[Step, ...]:
    """How the number comes about."""
    n, m, q = case_input["n_flows"], case_input["n_paths"], case_input["n_qps"]
    if name == "no_collision":
        factors = " x ".join(f"{m - i}/{m}" for i in range(min(n, 6))) + (" x ..." if n > 6 else "")
        label = say("each flow must find a path that no earlier one has")
        return (Step(label, "prod over i < n of (m - i) / m", factors, expected, ""),)
    balls, scale = (n, 1) if name == "expected_max_load" else (n * q, q)
    whole = expected_max(balls, m)
    steps = [
        Step(
            say("expected number in the fullest of {paths} paths", paths=m),
            "sum over k >= 0 of P(max > k)",
            say("{count} hashed one by one over {paths} paths", count=balls, paths=m),
            whole,
            "",
        )
    ]
    if scale > 1:
        label = say("each queue pair carries a part of its flow")
        steps.append(Step(label, "expected / n_qps", f"{whole:.6g} / {q}", expected, ""))
    return tuple(steps)


def complaint_about(answer: Any, case_input: dict[str, Any]) -> str:
    """Rule and fact about an answer of another shape; empty if there is nothing to say."""
    names = {"expected_max_load", "no_collision", "expected_max_load_split", "ports"}
    if not isinstance(answer, dict) or set(answer) != names:
        return say("ecmp must return a dict with exactly {names}", names=", ".join(sorted(names)))
    for name in names - {"ports"}:
        value = answer[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return say("{name} must be a number, got {kind}", name=name, kind=type(value).__name__)
    ports, n_qps = answer["ports"], case_input["n_qps"]
    if not isinstance(ports, list) or len(ports) != case_input["n_flows"]:
        return say(
            "ports must be a list with one list for each of the {n} flows", n=case_input["n_flows"]
        )
    for flow, own in enumerate(ports):
        n_ports = len(case_input["path_of"][flow])
        valid = isinstance(own, list) and all(
            type(one) is int and 0 <= one < n_ports for one in own
        )
        if not valid or len(own) != n_qps or len(set(own)) != n_qps:
            return say(
                "flow {flow} must get {n_qps} different ports from 0 to {last}, one for each queue "
                "pair, got {got}",
                flow=flow,
                n_qps=n_qps,
                last=n_ports - 1,
                got=f"{own!r:.80}",
            )
    return ""
