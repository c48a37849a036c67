"""What the assembly of a submission may hold."""

from __future__ import annotations

import pytest

from graders.concurrency.inspection import objection

CODE = '\t.section\t.text._ZN1QC2Ev,"axG",@progbits,_ZN1QC5Ev,comdat\n'
DATA = '\t.section\t.rodata.str1.1,"aMS",@progbits,1\n'


@pytest.mark.parametrize(
    ("assembly", "fragment"),
    [
        (CODE + "#APP\n\tnop\n#NO_APP\n", "Inline assembly"),
        (CODE + "\tsyscall\n", "the instruction syscall"),
        (CODE + "\tlock xaddl\t%eax, (%rdx)\n", "lock xaddl"),
        (CODE + "\tmovntiq\t%rax, (%rdx)\n", "movntiq"),
        (CODE + "\trdtsc\n", "rdtsc"),
        (CODE + "\tstosq\n", "stosq"),
        (CODE + "\tvmovups\t%ymm0, (%rdi)\n", "vmovups"),
        (CODE + "\tmovq\t%rax, %fs:(%rdi)\n", "%fs:(%rdi)"),
        (CODE + "\tmovq\t%rax, 6295552\n", "6295552"),
        (CODE + "\tcall\t__gxx_personality_v0@PLT\n", "__gxx_personality_v0 it does not know"),
        (CODE + "\tcall\t_ZNSt13runtime_errorD1Ev@PLT\n", "does not know"),
        (CODE + "\tcall\t_ZNSt10_Sp_lockerC1EPKv@PLT\n", "does not know"),
        ('\t.section\t.eh_frame,"a"\n', "is reserved"),
        ('\t.section\t.init,"ax"\n', "is reserved"),
        ("\t.type\tf, @gnu_indirect_function\n", "ifunc"),
        (CODE + "\t.byte\t15\n", "Data must not lie"),
        ("\t.text\n\t.quad\t15\n", "Data must not lie"),
        ('\t.section\t.mine,"awx"\n\t.long\t15\n', "Data must not lie"),
        ("\t.section\t.text.mine\n\t.long\t15\n", "Data must not lie"),
        ('\t.section\t.text,"a"\n\t.ascii\t"x"\n', "Data must not lie"),
        ('\t.section\t.mine,"a"\n\t.ascii\t"x"\n', "Data must not lie"),
        ('\t.section\t.rodata.a,"ax"\n\t.section\t.rodata.a,"a"\n', "different sections"),
        (CODE + "\tcall\twrite@PLT\n", "write it does not know"),
        (CODE + "\tmovq\tdlsym@GOTPCREL(%rip), %rax\n", "dlsym it does not know"),
        (CODE + "\tcall\tmmap\n", "mmap it does not know"),
        ('\t.section\t.data.rel,"aw"\n\t.quad\topen\n', "open it does not know"),
        (CODE + "\tcall\t*8(%rax)\n", "through memory"),
        ("\t.globl\t__tsan_write8\n" + CODE + "__tsan_write8:\n", "C++ linkage"),
        (
            "\t.globl\tgauntlet_initialisers_end\n" + DATA + "gauntlet_initialisers_end:\n",
            "linkage",
        ),
        (CODE + "\t.globl\twrite\n\t.type\twrite, @function\nwrite:\n", "C++ linkage"),
        (CODE + "\tcall\t__atomic_store_16@PLT\n", "__atomic_store_16 it does not know"),
        (CODE + "\tcall\t__atomic_load@PLT\n", "more than 16 bytes is a lock"),
        ("\t.globl\tf\n\t.set\tf,code\n", "stand for another"),
    ],
)
def test_what_goes_round_the_model_checker_is_refused(assembly: str, fragment: str) -> None:
    assert fragment in (objection(assembly) or "")


@pytest.mark.parametrize(
    "assembly",
    [
        CODE + "_ZN1QC2Ev:\n\tcall\t__tsan_write8@PLT\n\tcall\t_Znwm@PLT\n\trep nop\n",
        "\t.globl\thazards\n\t.bss\n\t.type\thazards, @object\nhazards:\n\t.zero\t64\n",
        DATA + '.LC0:\n\t.string\t"syscall"\n\t.byte\t15\n',
        "\t.section\t.rodata\n\t.long\t15\n",
        '\t.section\t.gcc_except_table,"a",@progbits\n\t.byte\t0xff\n',
        "\t.local\t_ZL5queue\n\t.comm\t_ZL5queue,64,64\n" + CODE + "\tleaq\t_ZL5queue@GOTPCREL\n",
        CODE + "\tmovq\t_ZNSt13runtime_errorD1Ev@GOTPCREL(%rip), %rdx\n",
        CODE + "\tmovups\t%xmm0, -8(%rsp,%rbx,8)\n\tmovl\t$0, x(%rip)\n\tsete\t(%rax)\n",
        "\t.weak\t_ZN1QC1Ev\n\t.set\t_ZN1QC1Ev,_ZN1QC2Ev\n",
        "\t.globl\tgauntlet_push_0\n" + CODE + "gauntlet_push_0:\n\trep stosq\n",
    ],
)
def test_what_the_compiler_makes_of_honest_code_passes(assembly: str) -> None:
    assert objection(assembly) is None


def test_atomic_instructions_are_as_they_should_be_where_nothing_is_instrumented() -> None:
    assert objection(CODE + "\tlock xaddl\t%eax, (%rdx)\n", instrumented=False) is None


def test_only_real_threads_may_leave_atomics_of_16_bytes_to_the_library() -> None:
    narrow = CODE + "\tcall\t__atomic_compare_exchange_16@PLT\n"
    assert objection(narrow, instrumented=False) is None
    wide = objection(CODE + "\tcall\t__atomic_load@PLT\n", instrumented=False)
    assert "is a lock inside the library" in (wide or "")
