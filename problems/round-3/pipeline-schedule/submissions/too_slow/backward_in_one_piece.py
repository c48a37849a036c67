"""ZB1P without cutting the backward pass: 1F1B under another name."""


def schedule(name, p, m, v, costs):
    if name == "dualpipe":
        first_half = [dualpipe(p, m, rank) for rank in range(p // 2)]
        return first_half + [mirrored(order, m) for order in reversed(first_half)]
    turns = {"1f1b": one_f_one_b, "interleaved": interleaved, "zb1p": one_f_one_b}[name]
    return [[one for _, one in sorted(turns(p, m, v, rank))] for rank in range(p)]


def one_f_one_b(p, m, v, r):
    """F and B take a slot each: the first backward pass comes back to rank r in slot 2p - 1 - r."""
    for i in range(m):
        yield (r + i if i < p - r else 2 * i + r), ("F", i, r)
        yield 2 * p - 1 - r + 2 * i, ("B", i, r)


def interleaved(p, m, v, r):
    behind = 2 * (p - 1 - r) + (v - 1) * p
    for i in range(m):
        for chunk in range(v):
            turn = (i // p * v + chunk) * p + i % p
            back = (i // p * v + v - 1 - chunk) * p + i % p + behind
            yield 2 * turn, ("F", i, chunk * p + r)
            yield 2 * back + 1, ("B", i, chunk * p + r)


def zb1p(p, m, v, r):
    for i in range(m):
        yield 3 * i, ("F", i, r)
        yield 3 * (i + p - 1 - r) + 1, ("I", i, r)
        yield 3 * (i + p - 1) + 2, ("W", i, r)


def dualpipe(p, m, rank):
    """The order of a rank of the first half as letters: small ones enter here, large ones there.

    f forward, b backward, i its first half, w the oldest second half, x and y overlapped pairs.
    """
    gap = p // 2 - 1 - rank
    pairs = "xy" * (m // 2 - p + rank + 1)
    if gap == 0:
        pairs = "fB" + pairs[1:]
    backward = "Bb" * (rank + 1)
    split = backward[rank + 1 :].replace("B", "I").replace("b", "i")
    letters = "f" * 2 * gap + "fF" * (rank + 1) + "IwF" * gap + pairs + "By" * gap
    letters += backward[: rank + 1] + split + "wi" * gap + "w" * (rank + 1)

    seen = dict.fromkeys("fFbB", 0)
    put_off, order = [], []

    def take(letter):
        seen[letter] += 1
        i = seen[letter] - 1
        return (i, rank) if letter in "fb" else (m // 2 + i, p - 1 - rank)

    for letter in letters:
        if letter == "w":
            order.append(("W", *put_off.pop(0)))
        elif letter in "iI":
            put_off.append(take("b" if letter == "i" else "B"))
            order.append(("I", *put_off[-1]))
        elif letter in "xy":
            first, second = ("f", "B") if letter == "x" else ("F", "b")
            order.append(("FB", *take(first), *take(second)))
        else:
            order.append((letter.upper(), *take(letter)))
    return order


def mirrored(order, m):
    """What the rank opposite does: the same with the two directions exchanged."""
    return [
        (kind, *(n if at % 2 else (n + m // 2) % m for at, n in enumerate(numbers)))
        for kind, *numbers in order
    ]
