"""Every run of root has an unprivileged id of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxes.identity import take_identity
from sandboxes.interface import SandboxError
from sandboxes.meter import process_tree
from tests.sandboxes.conftest import AnySandbox
from tests.sandboxes.programs import ECHO, python

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has one id to give")


def kernel_uids(process_id: int) -> list[str]:
    status = Path(f"/proc/{process_id}/status").read_text()
    return next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))


@only_root
def test_no_process_of_a_run_is_kernel_root(sandbox: AnySandbox) -> None:
    with sandbox.start(python(ECHO)) as run:
        run.send(b"")
        run.receive(10)
        tree = process_tree(run._launched.process_id)
        assert len(tree) == run._launched.own_processes + 1  # the sandbox's own, the program
        assert {uid for process in tree for uid in kernel_uids(process)} == {str(run._launched.uid)}
        assert run._launched.uid != 0


@only_root
def test_two_runs_at_once_have_two_ids(sandbox: AnySandbox) -> None:
    with sandbox.start(python(ECHO)) as one, sandbox.start(python(ECHO)) as other:
        assert one._launched.uid != other._launched.uid


@only_root
def test_an_id_is_given_again_when_it_is_free_and_not_before() -> None:
    with take_identity(65000, 65001) as one:
        other = take_identity(65000, 65001)
        assert {one.uid, other.uid} == {65000, 65001}
        with pytest.raises(SandboxError, match="all user ids from 65000 to 65001 are in use"):
            take_identity(65000, 65001)
        other.release()
        with take_identity(65000, 65001) as again:
            assert again.uid == other.uid
