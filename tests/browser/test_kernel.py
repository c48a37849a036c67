"""A kernel judged without a GPU: what was not measured, and what the compiler made of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.accounts.models import User
from app.practice.models import Problem, Submission
from graders.kernel.report import not_measured
from graders.verdict import CaseResult, JsonObject, Verdict
from tests.app.practice_data import RIGHT, judge_to_the_end, send
from tests.browser.conftest import PHONE, OpenBrowser

KERNEL: JsonObject = {
    "kernel": "row_in_registers",
    "target": "sm_90",
    "threads": [512, 1, 1],
    "registers": 31,
    "local_bytes_per_thread": 24,
    "shared_bytes_per_block": 16448,
    "resident_blocks": 4,
    "resident_warps": 64,
    "occupancy": 1.0,
    "limiter": "registers",
    "tensor_cores": "",
    "async_copies": "cp.async",
    "listing": [
        {
            "line": 14,
            "source": "    for row in tl.range(tl.program_id(0), n_rows, tl.num_programs(0)):",
            "ptx": "mov.u32 %r209, %ctaid.x;\nsetp.ge.s32 %p4, %r209, %r8;",
        }
    ],
}


@pytest.fixture
def accepted(owner: User, problem: Problem) -> Submission:
    metrics: JsonObject = {"not_measured": not_measured(in_cuda=False), "compiled": [KERNEL]}
    result = CaseResult("two", Verdict.ACCEPTED, score=1.0)
    return judge_to_the_end(send(owner, problem, RIGHT), [result], metrics)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("wide", [True, False])
def test_the_page_says_what_no_gpu_measured_and_shows_the_instructions(
    open_browser: OpenBrowser, owner: User, accepted: Submission, wide: bool, scheme: str
) -> None:
    viewport = {"width": 1280, "height": 900} if wide else PHONE
    page = open_browser(owner, viewport=viewport, color_scheme=scheme).new_page()
    page.goto(f"/submissions/{accepted.pk}/")
    expect(page.get_by_text("No GPU took part in this verdict.")).to_be_visible()
    row = page.get_by_role("row", name="row_in_registers")
    expect(row).to_contain_text("31")
    expect(row).to_contain_text("64 warps in 4 blocks")
    expect(row).to_contain_text("not used")
    page.get_by_text("Instructions of row_in_registers for sm_90").click()
    expect(page.get_by_text("setp.ge.s32")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]
    if "SCREENSHOTS" in os.environ:
        page.screenshot(
            path=Path(os.environ["SCREENSHOTS"]) / f"kernel-{scheme}-{wide}.png", full_page=True
        )
