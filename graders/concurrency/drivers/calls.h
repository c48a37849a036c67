// What becomes of a submission's system calls with real threads: the compiler makes them for atomic
// waiting, and no other is let through. The driver itself goes by functions of libc.
#pragma once

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <linux/futex.h>
#include <sys/syscall.h>

extern "C" long __real_syscall(long number, ...);

extern "C" long __wrap_syscall(long number, ...) {
    va_list arguments;
    va_start(arguments, number);
    long a[6];
    for (long& argument : a) argument = va_arg(arguments, long);
    va_end(arguments);
    const long operation = a[1] & FUTEX_CMD_MASK;
    const bool waits = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
    const bool wakes = operation == FUTEX_WAKE || operation == FUTEX_WAKE_BITSET;
    if (number != SYS_futex || !(waits || wakes)) std::abort();
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
