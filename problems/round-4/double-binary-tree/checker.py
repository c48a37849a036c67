"""Examines two trees: rule after rule, the first broken one told with its ranks."""

from __future__ import annotations

import random
from typing import Any

from reference import ROOT, trees

from graders.harness.items import Item
from graders.text import say

MAX_LINKS = 4
SMALLER = (*range(1, 33), 63, 64, 65, 127, 128, 129)


def draw(case_input: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """All sizes up to 64, or sizes beyond, powers of two and their neighbours among them."""
    if case_input["draw"] == "small":
        return [{"n_ranks": n_ranks} for n_ranks in range(1, 65)]
    generator = random.Random(seed)
    sizes = {generator.randrange(65, 3000) for _ in range(case_input["count"])}
    return [{"n_ranks": n_ranks} for n_ranks in sorted({127, 128, 129, 1023, 1024, 1025} | sizes)]


def simpler(case_input: dict[str, Any]) -> list[dict[str, Any]]:
    """Fewer ranks, fewest first."""
    return [{"n_ranks": n_ranks} for n_ranks in SMALLER if n_ranks < case_input["n_ranks"]]


def check(case_input: dict[str, Any], answer: Any, seed: int) -> list[Item] | str:
    """One item if every rule holds, else what is broken."""
    n_ranks = case_input["n_ranks"]
    complaint = shape_complaint(n_ranks, answer)
    if complaint:
        return complaint
    first, second = answer["parents"]
    complaint = (
        tree_complaint(first, "first")
        or first_complaint(first)
        or tree_complaint(second, "second")
        or depth_complaint(second)
        or pair_complaint(first, second)
    )
    if complaint:
        return complaint
    return [Item("ranks", "", n_ranks, len(second), 0, ok=True)]


def shape_complaint(n_ranks: int, answer: Any) -> str:
    """What is wrong with the answer's shape; empty if nothing is."""
    if not isinstance(answer, dict) or set(answer) != {"parents"}:
        return say('trees must return {{"parents": [first, second]}}, got {got}', got=short(answer))
    parents = answer["parents"]
    if not isinstance(parents, list) or len(parents) != 2:
        return say("parents must be a list of two lists, got {got}", got=short(parents))
    for name, tree in zip(("first", "second"), parents, strict=True):
        if not isinstance(tree, list) or len(tree) != n_ranks:
            return say(
                "the {name} tree must be a list of {n_ranks} parents, one for each rank, got {got}",
                name=name,
                n_ranks=n_ranks,
                got=short(tree),
            )
        for rank, parent in enumerate(tree):
            if type(parent) is not int or not ROOT <= parent < n_ranks:
                return say(
                    "a parent must be -1 or a rank from 0 to {last}: in the {name} tree that of "
                    "rank {rank} is {got}",
                    last=n_ranks - 1,
                    name=name,
                    rank=rank,
                    got=short(parent),
                )
    return ""


def tree_complaint(tree: list[int], name: str) -> str:
    """Why these parents are no binary tree; empty if they are one."""
    roots = [rank for rank, parent in enumerate(tree) if parent == ROOT]
    if len(roots) != 1:
        return say(
            "a tree must have one root: the {name} tree has {count} ({ranks})",
            name=name,
            count=len(roots),
            ranks=listed(roots),
        )
    reached = set(roots)
    for rank in range(len(tree)):
        walked: list[int] = []
        at = rank
        while at not in reached and at not in walked:
            walked.append(at)
            at = tree[at]
        if at not in reached:
            circle = [*walked[walked.index(at) :], at]
            return say(
                "every rank must reach the root: in the {name} tree rank {rank} goes round in a "
                "circle ({ranks})",
                name=name,
                rank=rank,
                ranks=" -> ".join(map(str, circle[:12])),
            )
        reached.update(walked)
    children = children_of(tree)
    for rank, own in enumerate(children):
        if len(own) > 2:
            return say(
                "a rank may have two children: in the {name} tree rank {rank} has {count} "
                "({ranks})",
                name=name,
                rank=rank,
                count=len(own),
                ranks=listed(own),
            )
    return ""


def first_complaint(tree: list[int]) -> str:
    """Where the first tree is another one than the statement fixes."""
    right = trees(len(tree))["parents"][0]
    for rank, (parent, expected) in enumerate(zip(tree, right, strict=True)):
        if parent != expected:
            return say(
                "the first tree is fixed by the statement: the parent of rank {rank} among "
                "{n_ranks} must be {expected}, got {parent}",
                rank=rank,
                n_ranks=len(tree),
                expected=expected,
                parent=parent,
            )
    return ""


def depth_complaint(tree: list[int]) -> str:
    """Whether the second tree is deeper than it may be."""
    limit = (len(tree) - 1).bit_length()
    for rank in range(len(tree)):
        depth, at = 0, rank
        while tree[at] != ROOT:
            depth, at = depth + 1, tree[at]
        if depth > limit:
            return say(
                "no rank may be further than ceil(log2 n) = {limit} links from the root: in the "
                "second tree rank {rank} is {depth} away",
                limit=limit,
                rank=rank,
                depth=depth,
            )
    return ""


def pair_complaint(first: list[int], second: list[int]) -> str:
    """Which rank does too much in both trees."""
    both = interior(first) & interior(second)
    if both:
        rank = min(both)
        return say(
            "no rank may be interior in both trees, or it forwards everything twice: rank {rank} "
            "has a parent and children in the first ({first}) and in the second ({second})",
            rank=rank,
            first=neighbours(first, rank),
            second=neighbours(second, rank),
        )
    counts = zip(link_counts(first), link_counts(second), strict=True)
    for rank, links in enumerate(one + other for one, other in counts):
        if links > MAX_LINKS:
            return say(
                "a rank may have {limit} links in both trees together, since each carries half of "
                "the data each way: rank {rank} has {links}, in the first {first}, in the second "
                "{second}",
                limit=MAX_LINKS,
                rank=rank,
                links=links,
                first=neighbours(first, rank),
                second=neighbours(second, rank),
            )
    return ""


def children_of(tree: list[int]) -> list[list[int]]:
    """For each rank those whose parent it is."""
    children: list[list[int]] = [[] for _ in tree]
    for rank, parent in enumerate(tree):
        if parent != ROOT:
            children[parent].append(rank)
    return children


def interior(tree: list[int]) -> set[int]:
    """Ranks with a parent and at least one child."""
    return {rank for rank in set(tree) - {ROOT} if tree[rank] != ROOT}


def link_counts(tree: list[int]) -> list[int]:
    """For each rank its neighbours in the tree: parent and children."""
    children = children_of(tree)
    return [len(own) + (parent != ROOT) for own, parent in zip(children, tree, strict=True)]


def neighbours(tree: list[int], rank: int) -> str:
    """The links of a rank in words."""
    own = [other for other, parent in enumerate(tree) if parent == rank]
    if tree[rank] == ROOT:
        return say("root, children {children}", children=listed(own))
    return say("parent {parent}, children {children}", parent=tree[rank], children=listed(own))


def listed(ranks: list[int]) -> str:
    """The first few of them."""
    if not ranks:
        return say("none")
    shown = ", ".join(map(str, ranks[:8]))
    return shown if len(ranks) <= 8 else f"{shown}, ..."


def short(value: Any) -> str:
    """A value as Python writes it, cut."""
    return f"{value!r:.80}"
