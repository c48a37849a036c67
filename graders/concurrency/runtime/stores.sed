# Puts a look before each store of a submission's assembly (sed -E): at its address, and as a write for
# the race detector, unless a hook of -fsanitize=thread has just told it of the same bytes. gcc calls
# none for a result that is stored directly where the caller wants it. Stores to a fixed place of the
# function's own frame go without: those are mostly what gcc keeps there for itself. An array in it is
# looked at by address only.

# Instructions that only read what they name last.
/^\t(cmp|test|u?comis|bt[bwlq]?\t|lea|nop|call|jmp|push|i?mul|i?div|prefetch|fld|fild|fn?ldcw|fcom)/b
/\([%]rsp\)$/b
s/^\trep (stos|movs)b$/\tpushq\t%rsi\n\tmovq\t%rcx, %rsi\n\tcall\tgauntlet_check_fill@PLT\n\tpopq\t%rsi\n&/
t
s/^\trep (stos|movs)w$/\tpushq\t%rsi\n\tleaq\t(,%rcx,2), %rsi\n\tcall\tgauntlet_check_fill@PLT\n\tpopq\t%rsi\n&/
t
s/^\trep (stos|movs)l$/\tpushq\t%rsi\n\tleaq\t(,%rcx,4), %rsi\n\tcall\tgauntlet_check_fill@PLT\n\tpopq\t%rsi\n&/
t
s/^\trep (stos|movs)q$/\tpushq\t%rsi\n\tleaq\t(,%rcx,8), %rsi\n\tcall\tgauntlet_check_fill@PLT\n\tpopq\t%rsi\n&/
t
# What lies relative to the stack pointer lies 8 bytes further after the push.
s/^\t.*[ \t]([-0-9]+)\((%rsp,[^()]*)\)$/\tpushq\t%rdi\n\tleaq\t8+\1(\2), %rdi\n\tcall\tgauntlet_check_store@PLT\n\tpopq\t%rdi\n&/
t
s/^\t.*[ \t]\((%rsp,[^()]*)\)$/\tpushq\t%rdi\n\tleaq\t8(\1), %rdi\n\tcall\tgauntlet_check_store@PLT\n\tpopq\t%rdi\n&/
t
s/^\t[a-z].*[ \t]([-+A-Za-z0-9_.$@]*\([^()]*\))$/\tpushq\t%rdi\n\tleaq\t\1, %rdi\n\tcall\tgauntlet_check_store@PLT\n\tpopq\t%rdi\n&/
T
# The instruction, now in the last line, says how many bytes it stores. Of one that is not here only
# the address is looked at.
s/_store(@PLT.*\n\tset[a-z]+\t)/_store_1\1/
t
s/_store(@PLT.*\n\tfn?st[cs]w\t)/_store_2\1/
t
s/_store(@PLT.*\n\t(fistp?s|fisttps)\t)/_store_2\1/
t
s/_store(@PLT.*\n\t(fstp?s|fistp?l|fisttpl|stmxcsr|movss|movd)\t)/_store_4\1/
t
s/_store(@PLT.*\n\t(fstp?l|fistp?q|fistpll|fisttpq|fisttpll|mov[hl]p[sd]|movsd)\t)/_store_8\1/
t
s/_store(@PLT.*\n\tfstpt\t)/_store_10\1/
t
s/_store(@PLT.*\n\tmov(dq)?[au](p[sd])?\t)/_store_16\1/
t
/\n\tf[a-z]+\t[^\n]*$/b
s/_store(@PLT.*\n\t[a-z]+b\t)/_store_1\1/
t
s/_store(@PLT.*\n\t[a-z]+w\t)/_store_2\1/
t
s/_store(@PLT.*\n\t[a-z]+l\t)/_store_4\1/
t
s/_store(@PLT.*\n\t[a-z]+q\t)/_store_8\1/
