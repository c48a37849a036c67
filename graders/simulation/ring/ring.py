"""A ring of ranks under the alpha-beta model: matching, links and clocks, nothing else.

Each rank has a clock that only waiting moves; computing costs nothing. Between two neighbours
there is one link in each direction (with two ranks: one link each way in all). The k-th send from
a rank to another meets the k-th receive there. A transfer begins when both are posted and the
link has finished the one before, and takes ``alpha + beta * bytes``; both requests complete at its
end. All times follow from the order of each rank's own calls, so the order in which ranks are run
changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from graders.text import Text, say, say_list, say_n


class Side(StrEnum):
    """Which end of a message a request is."""

    SEND = "send"
    RECV = "recv"


@dataclass(slots=True)
class Post:
    """One isend or irecv, as a rank posted it.

    `first` is where the array begins in the rank's own vector, in elements, or None if it is no
    part of it; it is the rank's own word and only used in explanations.
    """

    side: Side
    rank: int
    peer: int
    request: int
    dtype: str
    count: int
    n_bytes: int
    first: int | None
    time_s: float
    waited: bool = False

    @property
    def source(self) -> int:
        return self.rank if self.side is Side.SEND else self.peer

    @property
    def target(self) -> int:
        return self.peer if self.side is Side.SEND else self.rank

    def describe(self) -> Text:
        """``rank 0's isend of 2 elements (16 bytes) to rank 1``."""
        elements = say_n("{count} element", "{count} elements", count=self.count)
        if self.side is Side.SEND:
            return say(
                "rank {rank}'s isend of {elements} ({n_bytes} bytes) to rank {peer}",
                rank=self.rank,
                elements=elements,
                n_bytes=self.n_bytes,
                peer=self.peer,
            )
        return say(
            "rank {rank}'s irecv of {elements} ({n_bytes} bytes) from rank {peer}",
            rank=self.rank,
            elements=elements,
            n_bytes=self.n_bytes,
            peer=self.peer,
        )


@dataclass(slots=True)
class Message:
    """The k-th message from one rank to another: the posts of its ends, and when it travelled."""

    source: int
    target: int
    position: int  # among the messages of its link, from 0
    send: Post | None = None
    recv: Post | None = None
    start_s: float | None = None
    end_s: float | None = None
    payload: bytes = b""

    @property
    def post(self) -> Post:
        """The send if it was posted, else the receive."""
        post = self.send or self.recv
        assert post is not None  # noqa: S101 - a message is made by its first post
        return post

    @property
    def first(self) -> int | None:
        """Where its elements lie in the vector, by the sender's word or else the receiver's."""
        for post in (self.send, self.recv):
            if post is not None and post.first is not None:
                return post.first
        return None


@dataclass(frozen=True, slots=True)
class Wait:
    """A rank stood still from begin to end for a message."""

    rank: int
    begin_s: float
    end_s: float


@dataclass(slots=True)
class Violation(Exception):
    """A post that the rules forbid; `kind` is ``neighbours`` or ``mismatch``."""

    kind: str
    text: Text
    message: Message


@dataclass
class Ring:
    """The state of a ring of `n_ranks` ranks.

    Parameters
    ----------
    n_ranks : int
        Ranks on the ring, >= 1.
    alpha_s, beta_s_per_byte : float
        Latency of one message in seconds, and seconds a byte on one link.
    """

    n_ranks: int
    alpha_s: float
    beta_s_per_byte: float
    messages: list[Message] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock_s = [0.0] * self.n_ranks
        self.sent_bytes = [0] * self.n_ranks
        self.requests: list[list[Message]] = [[] for _ in range(self.n_ranks)]
        self._posts: list[list[Post]] = [[] for _ in range(self.n_ranks)]
        self._links: dict[tuple[int, int], list[Message]] = {}
        self._placed: dict[tuple[int, int, Side], int] = {}

    def neighbours(self, rank: int) -> list[int]:
        """The ranks that `rank` may send to and receive from, ascending."""
        return sorted({(rank - 1) % self.n_ranks, (rank + 1) % self.n_ranks} - {rank})

    def post(
        self,
        side: Side,
        rank: int,
        peer: int,
        dtype: str,
        count: int,
        n_bytes: int,
        first: int | None = None,
        payload: bytes = b"",
    ) -> Message:
        """Post a send or a receive at the rank's present time; its request is the rank's next.

        Raises
        ------
        Violation
            If `peer` is no neighbour, or the other end has another dtype or length.
        """
        request = len(self.requests[rank])
        post = Post(side, rank, peer, request, dtype, count, n_bytes, first, self.clock_s[rank])
        message = self._place(post)
        self.requests[rank].append(message)
        self._posts[rank].append(post)
        if side is Side.SEND:
            message.payload = payload
            self.sent_bytes[rank] += n_bytes
        if peer not in self.neighbours(rank):
            raise Violation(
                "neighbours",
                say(
                    "a rank may exchange messages with its neighbours on the ring only: "
                    "{post}, whose neighbours are {neighbours}. "
                    "Pass the data on from neighbour to neighbour.",
                    post=post.describe(),
                    neighbours=say_list([str(each) for each in self.neighbours(rank)]),
                ),
                message,
            )
        self._match(message)
        return message

    def wait(self, rank: int, request: int) -> bool:
        """Let the rank wait: move its clock if the request is complete, else return False."""
        message = self.requests[rank][request]
        self._posts[rank][request].waited = True
        if message.end_s is None:
            return False
        if message.end_s > self.clock_s[rank]:
            self.waits.append(Wait(rank, self.clock_s[rank], message.end_s))
            self.clock_s[rank] = message.end_s
        return True

    def post_of(self, rank: int, request: int) -> Post:
        """The post behind a request."""
        return self._posts[rank][request]

    @property
    def posts(self) -> list[Post]:
        """All posts, by rank and then in the order of its calls."""
        return [post for posts in self._posts for post in posts]

    @property
    def time_s(self) -> float:
        """The clock of the last rank."""
        return max(self.clock_s)

    def _place(self, post: Post) -> Message:
        """Put the post at the first message of its link that lacks this side."""
        link = self._links.setdefault((post.source, post.target), [])
        side = (post.source, post.target, post.side)
        position = self._placed.get(side, 0)
        self._placed[side] = position + 1
        if position == len(link):
            link.append(Message(post.source, post.target, position))
            self.messages.append(link[-1])
        message = link[position]
        if post.side is Side.SEND:
            message.send = post
        else:
            message.recv = post
        return message

    def _match(self, message: Message) -> None:
        send, recv = message.send, message.recv
        if send is None or recv is None:
            return
        if send.dtype != recv.dtype:
            raise Violation(
                "mismatch",
                say(
                    "both ends of a message must have the same dtype: {send} with dtype "
                    "{send_dtype} meets {recv} with dtype {recv_dtype}. "
                    "Receive into an array of buf.dtype.",
                    send=send.describe(),
                    send_dtype=send.dtype,
                    recv=recv.describe(),
                    recv_dtype=recv.dtype,
                ),
                message,
            )
        if send.count != recv.count:
            raise Violation(
                "mismatch",
                say(
                    "both ends of a message must have the same length: {send} meets {recv}. "
                    "Make both ends compute the chunk's bounds in the same way.",
                    send=send.describe(),
                    recv=recv.describe(),
                ),
                message,
            )
        link = self._links[send.source, send.target]
        free_s = link[message.position - 1].end_s if message.position else 0.0
        assert free_s is not None  # noqa: S101 - messages of a link match in their order
        message.start_s = max(send.time_s, recv.time_s, free_s)
        message.end_s = message.start_s + self.alpha_s + self.beta_s_per_byte * send.n_bytes


def ring_time_s(
    n_ranks: int, length: int, item_bytes: int, alpha_s: float, beta_s_per_byte: float
) -> float:
    """Time of a ring all-reduce in seconds: ``2(n-1)`` messages, each the largest chunk.

    Parameters
    ----------
    n_ranks : int
        Ranks on the ring, >= 1; one rank takes no time.
    length, item_bytes : int
        Elements of the vector, and bytes of each. The largest chunk is ``ceil(length / n_ranks)``
        elements, since a chunk is a whole number of them.
    alpha_s, beta_s_per_byte : float
        Latency of one message in seconds, and seconds a byte on one link.

    References
    ----------
    .. [1] Patarasuk, Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
       workstations", JPDC 69(2), 2009.

    Examples
    --------
    >>> round(ring_time_s(4, 1000, 8, 1e-6, 1e-9) * 1e6, 6)
    18.0
    """
    chunk_bytes = -(-length // n_ranks) * item_bytes
    return 2 * (n_ranks - 1) * (alpha_s + beta_s_per_byte * chunk_bytes)


def ring_bytes(n_ranks: int, vector_bytes: int) -> float:
    """Bytes that each rank of a ring all-reduce sends: ``2(n-1)/n`` of the vector.

    The factor is the one by which nccl-tests turns algorithm bandwidth into bus bandwidth.

    Examples
    --------
    >>> ring_bytes(4, 8000)
    12000.0
    """
    return 2 * (n_ranks - 1) / n_ranks * vector_bytes
