// The functions that gcc's -fsanitize=thread calls, for every plain and atomic access.
//
// Atomic ones are entered through a few instructions that keep the callee-saved registers: they are
// half of a thread's local state, which tells a spinning loop from one that gets somewhere.
#include "boundary.h"
#include "execution.h"

using namespace gauntlet;

namespace gauntlet {
extern "C" EntryState gauntlet_entry;
EntryState gauntlet_entry;
}  // namespace gauntlet

#define ENTRY(name, implementation)                      \
    asm(".text\n.globl " name "\n.type " name ", @function\n" name ":\n" \
        "  mov %rbx, gauntlet_entry(%rip)\n"             \
        "  mov %rbp, gauntlet_entry+8(%rip)\n"           \
        "  mov %r12, gauntlet_entry+16(%rip)\n"          \
        "  mov %r13, gauntlet_entry+24(%rip)\n"          \
        "  mov %r14, gauntlet_entry+32(%rip)\n"          \
        "  mov %r15, gauntlet_entry+40(%rip)\n"          \
        "  mov %rsp, gauntlet_entry+48(%rip)\n"          \
        "  jmp " implementation "\n")

namespace {

Address return_address() {
    return reinterpret_cast<Address>(
        *reinterpret_cast<void* const*>(gauntlet_entry.stack_pointer));
}

// The program may call a hook itself, with any number.
Order order_of(int order) {
    return static_cast<Order>(std::min(order & 7, static_cast<int>(Order::seq_cst)));
}

Value add(Value a, Value b) { return a + b; }
Value subtract(Value a, Value b) { return a - b; }
Value bit_and(Value a, Value b) { return a & b; }
Value bit_or(Value a, Value b) { return a | b; }
Value bit_xor(Value a, Value b) { return a ^ b; }
Value bit_nand(Value a, Value b) { return ~(a & b); }
Value replace(Value, Value b) { return b; }

// What follows is part of each hook itself: InRuntime takes down where the program called it.

template <class T>
Address address_of(const volatile T* at) {
    return reinterpret_cast<Address>(at);
}

template <class T>
[[gnu::always_inline]] inline T atomic_load(const volatile T* at, int order) {
    const Address pc = return_address();
    if (!checked()) return *at;
    InRuntime inside;
    guard(address_of(at), sizeof(T), false, pc);
    return static_cast<T>(the_execution->load(address_of(at), sizeof(T), order_of(order), pc));
}

template <class T>
[[gnu::always_inline]] inline void atomic_store(volatile T* at, T value, int order) {
    const Address pc = return_address();
    if (!checked()) {
        *at = value;
        return;
    }
    InRuntime inside;
    guard(address_of(at), sizeof(T), true, pc);
    the_execution->store(address_of(at), sizeof(T), value, order_of(order), pc);
}

template <class T, Value (*Function)(Value, Value)>
[[gnu::always_inline]] inline T atomic_modify(volatile T* at, T operand, int order) {
    const Address pc = return_address();
    if (!checked()) {
        const T old = *at;
        *at = static_cast<T>(Function(old, operand));
        return old;
    }
    InRuntime inside;
    guard(address_of(at), sizeof(T), true, pc);
    return static_cast<T>(the_execution->modify(address_of(at), sizeof(T), Function, operand,
                                                order_of(order), pc));
}

template <class T, bool Weak>
[[gnu::always_inline]] inline int atomic_compare_exchange(volatile T* at, T* expected, T desired, int success, int failure) {
    const Address pc = return_address();
    if (!checked()) {
        const T old = *at;
        const bool equal = old == *expected;
        if (equal) *at = desired;
        else *expected = old;
        return equal;
    }
    InRuntime inside;
    guard(address_of(at), sizeof(T), true, pc);
    guard(address_of(expected), sizeof(T), true, pc);
    Value wanted = *expected;
    if (the_execution->compare_exchange(address_of(at), sizeof(T), wanted, desired,
                                        order_of(success), order_of(failure), Weak, pc))
        return 1;
    // The program's own variable is written as by any other store of this thread.
    the_execution->plain(address_of(expected), sizeof(T), true, pc);
    *expected = static_cast<T>(wanted);
    return 0;
}

void plain_access(const volatile void* at, std::size_t size, bool writes, Address pc) {
    if (!checked()) return;
    // A copy is announced as a write first, and then as a read.
    const Announced before = gauntlet_announced;
    InRuntime inside;
    const auto address = reinterpret_cast<Address>(at);
    guard(address, size, writes, pc);
    the_execution->plain(address, size, writes, pc);
    gauntlet_announced = writes ? Announced{address, size, 0} : before;
}

}  // namespace

#define PC reinterpret_cast<Address>(__builtin_return_address(0))

#define ATOMIC_MODIFY(bits, type, name, function)                                              \
    extern "C" type gauntlet_atomic##bits##_##name(volatile type* at, type operand, int order) { \
        return atomic_modify<type, function>(at, operand, order);                              \
    }                                                                                          \
    ENTRY("__tsan_atomic" #bits "_" #name, "gauntlet_atomic" #bits "_" #name);

#define ATOMIC(bits, type)                                                                     \
    extern "C" type gauntlet_atomic##bits##_load(const volatile type* at, int order) {         \
        return atomic_load<type>(at, order);                                                   \
    }                                                                                          \
    ENTRY("__tsan_atomic" #bits "_load", "gauntlet_atomic" #bits "_load");                     \
    extern "C" void gauntlet_atomic##bits##_store(volatile type* at, type value, int order) {  \
        atomic_store<type>(at, value, order);                                                  \
    }                                                                                          \
    ENTRY("__tsan_atomic" #bits "_store", "gauntlet_atomic" #bits "_store");                   \
    ATOMIC_MODIFY(bits, type, exchange, replace)                                               \
    ATOMIC_MODIFY(bits, type, fetch_add, add)                                                  \
    ATOMIC_MODIFY(bits, type, fetch_sub, subtract)                                             \
    ATOMIC_MODIFY(bits, type, fetch_and, bit_and)                                              \
    ATOMIC_MODIFY(bits, type, fetch_or, bit_or)                                                \
    ATOMIC_MODIFY(bits, type, fetch_xor, bit_xor)                                              \
    ATOMIC_MODIFY(bits, type, fetch_nand, bit_nand)                                            \
    extern "C" int gauntlet_atomic##bits##_compare_exchange_strong(                            \
        volatile type* at, type* expected, type desired, int success, int failure) {           \
        return atomic_compare_exchange<type, false>(at, expected, desired, success, failure);  \
    }                                                                                          \
    ENTRY("__tsan_atomic" #bits "_compare_exchange_strong",                                    \
          "gauntlet_atomic" #bits "_compare_exchange_strong");                                 \
    extern "C" int gauntlet_atomic##bits##_compare_exchange_weak(                              \
        volatile type* at, type* expected, type desired, int success, int failure) {           \
        return atomic_compare_exchange<type, true>(at, expected, desired, success, failure);   \
    }                                                                                          \
    ENTRY("__tsan_atomic" #bits "_compare_exchange_weak",                                      \
          "gauntlet_atomic" #bits "_compare_exchange_weak");

ATOMIC(8, unsigned char)
ATOMIC(16, unsigned short)
ATOMIC(32, unsigned int)
ATOMIC(64, unsigned long)
ATOMIC(128, unsigned __int128)

#define PLAIN(size)                                                                             \
    extern "C" void __tsan_read##size(void* at) { plain_access(at, size, false, PC); }          \
    extern "C" void __tsan_write##size(void* at) { plain_access(at, size, true, PC); }          \
    extern "C" void __tsan_unaligned_read##size(void* at) { plain_access(at, size, false, PC); } \
    extern "C" void __tsan_unaligned_write##size(void* at) { plain_access(at, size, true, PC); } \
    extern "C" void __tsan_volatile_read##size(void* at) { plain_access(at, size, false, PC); } \
    extern "C" void __tsan_volatile_write##size(void* at) { plain_access(at, size, true, PC); }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

extern "C" {

void __tsan_read_range(void* at, unsigned long size) { plain_access(at, size, false, PC); }
void __tsan_write_range(void* at, unsigned long size) { plain_access(at, size, true, PC); }
void __tsan_vptr_read(void** at) { plain_access(at, sizeof *at, false, PC); }

void __tsan_vptr_update(void** at, void* vtable) {
    if (checked()) {
        InRuntime inside;
        guard(reinterpret_cast<Address>(at), sizeof *at, true, PC);
    }
    // A destructor that stores the pointer which is there already does not disturb readers.
    if (*at != vtable) plain_access(at, sizeof *at, true, PC);
    else gauntlet_announced.restored = reinterpret_cast<Address>(at);
}

void __tsan_atomic_thread_fence(int order) {
    if (!checked()) return;
    InRuntime inside;
    the_execution->fence(order_of(order), PC);
}

void __tsan_atomic_signal_fence(int) {}
// libatomic's, which the program is not linked with here: it calls no more than 8 bytes lock-free,
// though it takes 16 by cmpxchg16b.
bool __atomic_is_lock_free(unsigned long size, const volatile void*) { return size <= 8; }
// libstdc++ announces the lock bit of atomic<shared_ptr>; here its atomics speak for themselves.
void __tsan_mutex_create(void*, unsigned) {}
void __tsan_mutex_destroy(void*, unsigned) {}
void __tsan_mutex_pre_lock(void*, unsigned) {}
void __tsan_mutex_post_lock(void*, unsigned, int) {}
int __tsan_mutex_pre_unlock(void*, unsigned) { return 0; }
void __tsan_mutex_post_unlock(void*, unsigned) {}
void __tsan_mutex_pre_signal(void*, unsigned) {}
void __tsan_mutex_post_signal(void*, unsigned) {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

void __tsan_init() {}
}
