"""The ring's clocks against times worked out by hand and against closed forms."""

from __future__ import annotations

import pytest

from graders.simulation.ring.ring import Message, Ring, Side, Violation, ring_bytes, ring_time_s

ALPHA_S, BETA_S_PER_BYTE = 1e-6, 1e-9


def ring(n_ranks: int) -> Ring:
    return Ring(n_ranks, ALPHA_S, BETA_S_PER_BYTE)


def send(ring: Ring, rank: int, peer: int, n_bytes: int = 8) -> Message:
    return ring.post(Side.SEND, rank, peer, "<i1", n_bytes, n_bytes, payload=b"x" * n_bytes)


def recv(ring: Ring, rank: int, peer: int, n_bytes: int = 8) -> Message:
    return ring.post(Side.RECV, rank, peer, "<i1", n_bytes, n_bytes)


def all_reduce_by_ring(n_ranks: int, chunk_bytes: list[int]) -> Ring:
    """The textbook schedule; `chunk_bytes` has the size of each of the n chunks."""
    simulated = ring(n_ranks)
    for step in range(2 * (n_ranks - 1)):
        first = step // (n_ranks - 1)  # the all-gather begins one chunk on
        for rank in range(n_ranks):
            recv(
                simulated,
                rank,
                (rank - 1) % n_ranks,
                chunk_bytes[(rank - 1 + first - step) % n_ranks],
            )
            send(
                simulated, rank, (rank + 1) % n_ranks, chunk_bytes[(rank + first - step) % n_ranks]
            )
        for rank in range(n_ranks):
            assert simulated.wait(rank, 2 * step)
            assert simulated.wait(rank, 2 * step + 1)
    return simulated


@pytest.mark.parametrize("n_ranks", range(2, 17))
def test_a_ring_all_reduce_takes_what_the_closed_form_says(n_ranks: int) -> None:
    chunk_bytes = 4096
    simulated = all_reduce_by_ring(n_ranks, [chunk_bytes] * n_ranks)
    expected_s = 2 * (n_ranks - 1) * (ALPHA_S + BETA_S_PER_BYTE * chunk_bytes)
    assert simulated.time_s == pytest.approx(expected_s, rel=1e-12)
    assert ring_time_s(
        n_ranks, chunk_bytes * n_ranks, 1, ALPHA_S, BETA_S_PER_BYTE
    ) == pytest.approx(expected_s, rel=1e-12)
    assert simulated.sent_bytes == [2 * (n_ranks - 1) * chunk_bytes] * n_ranks
    assert simulated.sent_bytes[0] == pytest.approx(ring_bytes(n_ranks, n_ranks * chunk_bytes))


@pytest.mark.parametrize(("n_ranks", "factor"), [(2, 1.0), (4, 1.5), (8, 1.75), (16, 1.875)])
def test_the_byte_factor_is_that_of_nccl_tests(n_ranks: int, factor: float) -> None:
    assert ring_bytes(n_ranks, 1000) == 1000 * factor
    # Bus bandwidth as nccl-tests defines it, S / t * 2(n-1)/n, is the link's when alpha is 0.
    time_s = ring_time_s(n_ranks, n_ranks * 1000, 1, 0.0, BETA_S_PER_BYTE)
    assert n_ranks * 1000 / time_s * factor == pytest.approx(1 / BETA_S_PER_BYTE)


def test_the_largest_chunk_sets_the_bound() -> None:
    assert ring_time_s(3, 7, 8, ALPHA_S, BETA_S_PER_BYTE) == pytest.approx(4 * (1e-6 + 24e-9))
    simulated = all_reduce_by_ring(3, [24, 16, 16])
    # The chunk of 24 bytes travels in every step, and whoever gets it is late for the next one.
    assert simulated.time_s == pytest.approx(4 * (1e-6 + 24e-9))


def test_one_rank_needs_no_time_and_no_bytes() -> None:
    assert ring_time_s(1, 1000, 8, ALPHA_S, BETA_S_PER_BYTE) == 0
    assert ring_bytes(1, 8000) == 0
    assert ring(1).neighbours(0) == []


def test_a_transfer_begins_when_both_ends_have_posted() -> None:
    simulated = ring(3)
    recv(simulated, 1, 0, 1000)
    send(simulated, 0, 1, 1000)
    assert simulated.wait(1, 0)  # rank 1 is at 2 us now
    late = send(simulated, 1, 2, 500)
    assert not simulated.wait(1, 1)
    early = recv(simulated, 2, 1, 500)  # rank 2 has been ready since 0
    assert early is late
    assert early.start_s == pytest.approx(2e-6)
    assert early.end_s == pytest.approx(3.5e-6)
    assert simulated.wait(2, 0)
    assert simulated.clock_s == pytest.approx([0, 2e-6, 3.5e-6])


def test_messages_of_one_direction_of_a_link_go_one_after_the_other() -> None:
    simulated = ring(3)
    first, second = send(simulated, 0, 1, 1000), send(simulated, 0, 1, 3000)
    recv(simulated, 1, 0, 1000)
    recv(simulated, 1, 0, 3000)
    assert first.end_s == pytest.approx(2e-6)
    assert second.start_s == first.end_s
    assert second.end_s == pytest.approx(6e-6)


def test_links_are_full_duplex_and_apart() -> None:
    simulated = ring(3)
    for source, target in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)):
        send(simulated, source, target, 1000)
        recv(simulated, target, source, 1000)
    assert [each.end_s for each in simulated.messages] == pytest.approx([2e-6] * 6)


def test_two_ranks_have_one_link_each_way() -> None:
    simulated = ring(2)
    assert simulated.neighbours(0) == [1]
    send(simulated, 0, 1, 1000)
    send(simulated, 0, 1, 1000)
    recv(simulated, 1, 0, 1000)
    second = recv(simulated, 1, 0, 1000)
    assert second.end_s == pytest.approx(4e-6)


def test_sends_meet_receives_in_their_order_whoever_posts_first() -> None:
    simulated = ring(2)
    recv(simulated, 1, 0, 3)
    send(simulated, 0, 1, 3)
    send(simulated, 0, 1, 5)
    with pytest.raises(Violation, match=r"same length: rank 0's isend of 5 elements .* of 3 "):
        recv(simulated, 1, 0, 3)


def test_a_dtype_that_differs_is_named() -> None:
    simulated = ring(2)
    send(simulated, 0, 1, 8)
    with pytest.raises(Violation, match=r"dtype <i1 meets .* dtype <f8") as caught:
        simulated.post(Side.RECV, 1, 0, "<f8", 1, 8)
    assert caught.value.kind == "mismatch"


@pytest.mark.parametrize("side", list(Side))
def test_a_message_to_no_neighbour_is_refused(side: Side) -> None:
    simulated = ring(5)
    with pytest.raises(Violation, match=r"rank 0's .* rank 2, whose neighbours are 1 and 4"):
        simulated.post(side, 0, 2, "<f8", 1, 8)


def test_the_order_in_which_ranks_are_run_changes_no_time() -> None:
    def times(order: list[int]) -> list[tuple[int, int, float | None]]:
        simulated = ring(4)
        for rank in order:
            for peer in simulated.neighbours(rank):
                send(simulated, rank, peer, 100 * (rank + 1))
        for rank in reversed(order):
            for peer in simulated.neighbours(rank):
                recv(simulated, rank, peer, 100 * (peer + 1))
        return sorted((each.source, each.target, each.end_s) for each in simulated.messages)

    assert times([0, 1, 2, 3]) == times([2, 0, 3, 1])
