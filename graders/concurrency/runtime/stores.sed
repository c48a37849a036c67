# Puts a look at its address before each store of a submission's assembly (sed -E). Only those to a
# fixed place of the function's own frame go without. The hooks of -fsanitize=thread look too, but gcc
# calls none for a local array or for a result that is returned through memory.

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
