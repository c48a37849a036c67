"""The seven rounds in words: what each is about and what the interviewer digs for."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from problems.schema import Round


@dataclass(frozen=True, slots=True)
class RoundText:
    """One station of the path."""

    number: int
    name: str | Promise
    station: str | Promise  # one or two words, for the picture of the path
    about: str | Promise
    digs_for: tuple[str | Promise, ...]
    courses: tuple[str, ...]  # of the training plan


ROUNDS: tuple[RoundText, ...] = (
    RoundText(
        number=Round.LOW_LEVEL_SYSTEMS,
        name=_("Low-level systems coding"),
        station=_("Systems"),
        about=_(
            "C++ under the microscope: structures that many threads share, the memory model that "
            "decides what they may see, and the cost of moving one cache line."
        ),
        digs_for=(
            _("why a lock-free queue needs acquire and release, and what breaks without them"),
            _("when an atomic loses to a mutex: cache-line bouncing, alignment, false sharing"),
            _("bytes that are never copied, from the socket to the server and back"),
            _("a thread-safe memory pool, and a tiled matmul on the spot"),
        ),
        courses=("SYS-601",),
    ),
    RoundText(
        number=Round.GPU_KERNELS,
        name=_("GPU architecture and kernels"),
        station=_("Kernels"),
        about=_(
            "One operator, as fast as the silicon allows: what it must read and write, where it "
            "waits, and how a kernel hides the wait."
        ),
        digs_for=(
            _("time and memory traffic of a core operator, counted by hand"),
            _("attention in tiles: why it needs no N x N matrix in memory"),
            _("what fusing two operators saves, and when it costs registers instead"),
            _("FP8 at full instruction rate without losing the answer"),
        ),
        courses=("SYS-601", "SYS-604"),
    ),
    RoundText(
        number=Round.DISTRIBUTED_TRAINING,
        name=_("Distributed-training architecture"),
        station=_("Training"),
        about=_(
            "A model too large for any machine: split it by data, tensor, pipeline and expert, and "
            "know to the byte what each GPU holds and sends."
        ),
        digs_for=(
            _("memory of weights, gradients, optimizer states and activations on one GPU"),
            _("bytes on each network a step, by kind of parallelism"),
            _("compute-bound or bandwidth-bound, with the arithmetic"),
            _("pipeline bubbles and the schedules that shrink them"),
        ),
        courses=("SYS-602",),
    ),
    RoundText(
        number=Round.NETWORKING,
        name=_("Collectives and networking"),
        station=_("Network"),
        about=_(
            "A thousand GPUs that must agree on one sum: the algorithms that move it, and the "
            "fabric that delivers, drops or stalls it."
        ),
        digs_for=(
            _("ring against tree: who wins at which size, and by how much"),
            _("what RDMA and kernel bypass take out of the path"),
            _("hash collisions in ECMP and the long tail they cause"),
            _("how priority flow control deadlocks, and the routes that cannot"),
        ),
        courses=("SYS-603",),
    ),
    RoundText(
        number=Round.INFERENCE,
        name=_("Inference systems"),
        station=_("Inference"),
        about=_(
            "Serving from zero: every token pays rent in the KV cache, and a scheduler decides who "
            "waits so that the promised latency holds."
        ),
        digs_for=(
            _("growth of the KV cache, and paging it as an operating system pages memory"),
            _("prefixes shared between requests, and what evicts them"),
            _("continuous batching under limits on first-token and inter-token latency"),
            _("an OpenAI-compatible service, drawn end to end"),
        ),
        courses=("SYS-604",),
    ),
    RoundText(
        number=Round.RESILIENCE,
        name=_("Resilience and scheduling"),
        station=_("Resilience"),
        about=_(
            "At ten thousand nodes something is always broken: keep the job running, lose minutes "
            "and not hours, and never half-place a gang."
        ),
        digs_for=(
            _("gang scheduling that cannot deadlock"),
            _("checkpoints on several levels, and how often each pays"),
            _("a crash at any instruction that loses no data"),
            _("recovery by pipeline templates, without rolling everyone back"),
        ),
        courses=("SYS-605",),
    ),
    RoundText(
        number=Round.CAPSTONE,
        name=_("Mega-cluster design"),
        station=_("Capstone"),
        about=_(
            "The whole machine: a hundred thousand GPUs for training and serving, where every "
            "earlier round meets power, storage and money."
        ),
        digs_for=(
            _("a topology with its oversubscription, and the parallelism laid onto it"),
            _("a file system that survives everyone writing a checkpoint at once"),
            _("what to monitor, and which signal tells a slow GPU from a slow link"),
            _("power, cost and MFU, in numbers that add up"),
        ),
        courses=("SYS-601", "SYS-602", "SYS-603", "SYS-604", "SYS-605"),
    ),
)


def round_text(number: int) -> RoundText | None:
    """The round with this number; None if there is no such round."""
    return next((text for text in ROUNDS if text.number == number), None)
