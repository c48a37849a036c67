// Locks, waiting, thread_local variables, static guards and ways to end the process.
//
// Defined for the whole process, because libstdc++ calls some of them on the program's behalf; calls
// that are not the program's own go on to libc.
#include <cerrno>
#include <csignal>
#include <ctime>
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdlib>

#include "boundary.h"
#include "execution.h"

using namespace gauntlet;

#define PC reinterpret_cast<Address>(__builtin_return_address(0))

namespace {

// These functions are entered without keeping the registers, so what they load says nothing about
// spinning: without this, a state kept by an earlier atomic operation would be taken for theirs.
class InLibraryCall : public InRuntime {
  public:
    InLibraryCall() { gauntlet_entry.stack_pointer = 0; }
};

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

Address address_of(const void* at) { return reinterpret_cast<Address>(at); }

// A program asks for a mutex or a static variable of its own; the library may ask for one of its.
// What it waits for or is notified of is always the program's (`guard`).
template <class Object>
void guard_object(const Object* object, Address pc) {
    if (the_execution->is_program_code(pc)) guard(address_of(object), sizeof *object, true, pc);
}

Value plus_one(Value old, Value) { return old + 1; }

void unsupported(const char* what, Address pc) {
    if (!checked()) return;
    InRuntime inside;
    the_execution->fail("unsupported", std::string("A program under the model checker must not call ") + what + ".", pc);
}

void must_not_end(const char* how, Address pc) {
    if (!checked()) return;
    InRuntime inside;
    the_execution->fail("ended", std::string("The program must not end itself: it called ") + how + ".", pc);
}

// Condition variables and futexes share one idea: a counter of notifications, kept where the
// program keeps the object. Who waits reads it first, so no notification after that is lost; a
// notification wakes every waiter, which both interfaces allow.
std::uint32_t notifications(Address counter, Address pc) {
    return static_cast<std::uint32_t>(the_execution->load(counter, 4, Order::acquire, pc));
}

void notify(Address counter, Address pc) {
    the_execution->modify(counter, 4, plus_one, 0, Order::acq_rel, pc);
}

constexpr std::size_t kFutexes = 64;
std::uint32_t futex_counters[kFutexes];  // outside of the program: always zero in memory

Address futex_counter(Address futex) { return address_of(&futex_counters[futex / 4 % kFutexes]); }

}  // namespace

extern "C" {

// --- mutexes ---

int pthread_mutex_lock(pthread_mutex_t* mutex) {
    if (!checked()) return next<int(pthread_mutex_t*)>("pthread_mutex_lock")(mutex);
    InLibraryCall inside;
    guard_object(mutex, PC);
    the_execution->lock(address_of(mutex), PC);
    return 0;
}

int gauntlet_mutex_trylock(pthread_mutex_t* mutex) {
    if (!checked()) return next<int(pthread_mutex_t*)>("pthread_mutex_trylock")(mutex);
    InRuntime inside;
    guard_object(mutex, PC);
    return the_execution->try_lock(address_of(mutex), PC) ? 0 : EBUSY;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
    if (!checked()) return next<int(pthread_mutex_t*)>("pthread_mutex_unlock")(mutex);
    InLibraryCall inside;
    guard_object(mutex, PC);
    the_execution->unlock(address_of(mutex), PC);
    return 0;
}

int pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) {
    if (!checked())
        return next<int(pthread_mutex_t*, const pthread_mutexattr_t*)>("pthread_mutex_init")(
            mutex, attributes);
    InLibraryCall inside;
    guard_object(mutex, PC);
    the_execution->plain(address_of(mutex), sizeof *mutex, true, PC);
    *mutex = PTHREAD_MUTEX_INITIALIZER;
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t* mutex) {
    if (!checked()) return 0;
    InLibraryCall inside;
    guard_object(mutex, PC);
    the_execution->plain(address_of(mutex), sizeof *mutex, true, PC);
    return 0;
}

int pthread_spin_init(pthread_spinlock_t* lock, int) {
    if (checked()) {
        InLibraryCall inside;
        guard_object(const_cast<int*>(lock), PC);
        the_execution->plain(address_of(const_cast<int*>(lock)), sizeof *lock, true, PC);
    }
    *lock = 0;
    return 0;
}

int pthread_spin_lock(pthread_spinlock_t* lock) {
    if (!checked()) return 0;
    InLibraryCall inside;
    guard_object(const_cast<int*>(lock), PC);
    the_execution->lock(address_of(const_cast<int*>(lock)), PC);
    return 0;
}

int pthread_spin_trylock(pthread_spinlock_t* lock) {
    if (!checked()) return 0;
    InLibraryCall inside;
    guard_object(const_cast<int*>(lock), PC);
    return the_execution->try_lock(address_of(const_cast<int*>(lock)), PC) ? 0 : EBUSY;
}

int pthread_spin_destroy(pthread_spinlock_t* lock) { return pthread_spin_init(lock, 0); }

int pthread_spin_unlock(pthread_spinlock_t* lock) {
    if (!checked()) return 0;
    InLibraryCall inside;
    guard_object(const_cast<int*>(lock), PC);
    the_execution->unlock(address_of(const_cast<int*>(lock)), PC);
    return 0;
}

// --- condition variables ---

int pthread_cond_init(pthread_cond_t* condition, const pthread_condattr_t*) {
    if (checked()) {
        InLibraryCall inside;
        guard(address_of(condition), sizeof *condition, true, PC);
        the_execution->plain(address_of(condition), sizeof *condition, true, PC);
    }
    *condition = PTHREAD_COND_INITIALIZER;
    return 0;
}

int pthread_cond_destroy(pthread_cond_t*) { return 0; }

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    if (!checked())
        return next<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait")(condition, mutex);
    InLibraryCall inside;
    guard(address_of(condition), sizeof *condition, true, PC);
    guard(address_of(mutex), sizeof *mutex, true, PC);
    const std::uint32_t before = notifications(address_of(condition), PC);
    the_execution->unlock(address_of(mutex), PC);
    the_execution->await_change(address_of(condition), before, PC);
    the_execution->lock(address_of(mutex), PC);
    return 0;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec*) {
    if (!checked()) return EINVAL;
    InLibraryCall inside;
    guard(address_of(condition), sizeof *condition, true, PC);
    guard(address_of(mutex), sizeof *mutex, true, PC);
    const std::uint32_t before = notifications(address_of(condition), PC);
    the_execution->unlock(address_of(mutex), PC);
    the_execution->lock(address_of(mutex), PC);
    return notifications(address_of(condition), PC) == before ? ETIMEDOUT : 0;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t,
                           const timespec* until) {
    return pthread_cond_timedwait(condition, mutex, until);
}

int pthread_cond_signal(pthread_cond_t* condition) {
    if (!checked()) return next<int(pthread_cond_t*)>("pthread_cond_signal")(condition);
    InLibraryCall inside;
    guard(address_of(condition), sizeof *condition, true, PC);
    notify(address_of(condition), PC);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) {
    if (!checked()) return next<int(pthread_cond_t*)>("pthread_cond_broadcast")(condition);
    InLibraryCall inside;
    guard(address_of(condition), sizeof *condition, true, PC);
    notify(address_of(condition), PC);
    return 0;
}

// --- who runs ---

// All fibers run on one thread, and a program that asks for its thread must not be told so.
pthread_t pthread_self() {
    if (!checked()) return next<pthread_t()>("pthread_self")();
    return 0x7fff00000000 + 0x1000 * static_cast<pthread_t>(the_execution->current());
}

// --- what is not modelled ---

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) {
    unsupported("pthread_create: the scenario names its threads", PC);
    return next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create")(
        thread, attributes, body, argument);
}

int pthread_once(pthread_once_t* once, void (*body)()) {
    // libgcc calls it too, when the first exception is thrown.
    if (the_execution && the_execution->is_program_code(PC))
        unsupported("pthread_once or std::call_once", PC);
    return next<int(pthread_once_t*, void (*)())>("pthread_once")(once, body);
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
    unsupported("a shared mutex", PC);
    return next<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock")(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
    unsupported("a shared mutex", PC);
    return next<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock")(lock);
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) {
    unsupported("a shared mutex", PC);
    return next<int(pthread_rwlock_t*)>("pthread_rwlock_unlock")(lock);
}

int pthread_join(pthread_t thread, void** result) {
    unsupported("pthread_join: the scenario names its threads", PC);
    return next<int(pthread_t, void**)>("pthread_join")(thread, result);
}

int pthread_detach(pthread_t thread) {
    unsupported("pthread_detach: the scenario names its threads", PC);
    return next<int(pthread_t)>("pthread_detach")(thread);
}

// --- time and yielding ---

int sched_yield() {
    if (!checked()) return 0;
    InLibraryCall inside;
    the_execution->yield();
    return 0;
}

int nanosleep(const timespec*, timespec*) { return sched_yield(); }
int clock_nanosleep(clockid_t, int, const timespec*, timespec*) { return sched_yield(); }
int usleep(useconds_t) { return sched_yield(); }

int clock_gettime(clockid_t clock, timespec* now) {
    if (!checked())
        return next<int(clockid_t, timespec*)>("clock_gettime")(clock, now);
    InLibraryCall inside;
    // Time that depends on nothing but the execution, or it could not be repeated.
    const std::int64_t ns = the_execution->virtual_time_ns();
    now->tv_sec = ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
    return 0;
}

long syscall(long number, ...) {
    va_list arguments;
    va_start(arguments, number);
    long a[6];
    for (long& argument : a) argument = va_arg(arguments, long);
    va_end(arguments);
    if (!checked())
        return next<long(long, ...)>("syscall")(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (number != SYS_futex) {
        unsupported("system calls", PC);
        return -1;
    }
    InLibraryCall inside;
    const auto futex = static_cast<Address>(a[0]);
    guard(futex, 4, true, PC);
    const long operation = a[1] & FUTEX_CMD_MASK;
    if (operation == FUTEX_WAKE || operation == FUTEX_WAKE_BITSET) {
        notify(futex_counter(futex), PC);
        return 1;
    }
    if (operation != FUTEX_WAIT && operation != FUTEX_WAIT_BITSET) {
        the_execution->fail("unsupported", "Of the futex calls only wait and wake are modelled.", PC);
    }
    const std::uint32_t before = notifications(futex_counter(futex), PC);
    // The kernel looks at the value behind full barriers.
    const Value value = the_execution->load(futex, 4, Order::seq_cst, PC);
    if (static_cast<std::uint32_t>(value) != static_cast<std::uint32_t>(a[2])) {
        errno = EAGAIN;
        return -1;
    }
    the_execution->await_change(futex_counter(futex), before, PC);
    return 0;
}

// --- thread_local variables and static guards ---

struct TlsIndex {
    unsigned long module;
    unsigned long offset;
};

void* __tls_get_addr(TlsIndex* index) {
    if (checked() && the_execution->is_program_code(PC)) {
        InRuntime inside;
        guard(address_of(index), sizeof *index, false, PC);
        void* own = the_execution->thread_local_address(index->module, index->offset);
        if (!own)
            the_execution->fail("unsupported",
                                "Of thread_local variables only the program's own are modelled.", PC);
        return own;
    }
    static void* (*real)(TlsIndex*) = nullptr;
    if (!real) real = next<void*(TlsIndex*)>("__tls_get_addr");
    return real(index);
}

int __cxa_thread_atexit(void (*destroy)(void*), void* object, void*) noexcept {
    if (!checked() || !the_execution->is_program_code(PC)) return 0;
    InLibraryCall inside;
    guard_call(address_of(reinterpret_cast<void*>(destroy)), PC);
    the_execution->at_thread_exit(destroy, object);
    return 0;
}

int __cxa_atexit(void (*destroy)(void*), void* object, void*) noexcept {
    // The runner ends by _exit, and so the library's own objects stay.
    if (!checked() || !the_execution->is_program_code(PC)) return 0;
    InLibraryCall inside;
    guard_call(address_of(reinterpret_cast<void*>(destroy)), PC);
    the_execution->at_program_exit(destroy, object);
    return 0;
}

// The first byte of a guard says that the object is there (the compiler's own code loads it with
// acquire); its second half serves as the mutex of whoever constructs it.
int __cxa_guard_acquire(std::uint64_t* guard) {
    auto* done = reinterpret_cast<std::uint8_t*>(guard);
    if (!checked()) return *done == 0;
    InLibraryCall inside;
    guard_object(guard, PC);
    the_execution->lock(address_of(guard) + 4, PC);
    if (the_execution->load(address_of(guard), 1, Order::acquire, PC) == 0) return 1;
    the_execution->unlock(address_of(guard) + 4, PC);
    return 0;
}

void __cxa_guard_release(std::uint64_t* guard) {
    if (!checked()) {
        *reinterpret_cast<std::uint8_t*>(guard) = 1;
        return;
    }
    InLibraryCall inside;
    guard_object(guard, PC);
    the_execution->store(address_of(guard), 1, 1, Order::release, PC);
    the_execution->unlock(address_of(guard) + 4, PC);
}

void __cxa_guard_abort(std::uint64_t* guard) {
    if (!checked()) return;
    InLibraryCall inside;
    guard_object(guard, PC);
    the_execution->unlock(address_of(guard) + 4, PC);
}

// --- ways to end the process ---

void exit(int code) {
    must_not_end("exit", PC);
    _exit(code);
}

void abort() {
    must_not_end("abort", PC);
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
    _exit(134);
}

void _exit(int code) {
    must_not_end("_exit", PC);
    next<long(long, ...)>("syscall")(SYS_exit_group, code);
    __builtin_unreachable();
}

void _Exit(int code) {
    must_not_end("_Exit", PC);
    _exit(code);
}

void quick_exit(int code) {
    must_not_end("quick_exit", PC);
    _exit(code);
}

void __assert_fail(const char* assertion, const char*, unsigned, const char*) noexcept {
    if (checked()) {
        InLibraryCall inside;
        guard(address_of(assertion), 1, false, PC);
        the_execution->fail("assertion", std::string("An assertion must hold: ") + assertion + ".",
                            PC);
    }
    abort();
}
}

// Registers at entry are compared as for atomic operations: spinning on try_lock is spinning.
asm(".text\n.globl pthread_mutex_trylock\n.type pthread_mutex_trylock, @function\n"
    "pthread_mutex_trylock:\n"
    "  mov %rbx, gauntlet_entry(%rip)\n  mov %rbp, gauntlet_entry+8(%rip)\n"
    "  mov %r12, gauntlet_entry+16(%rip)\n  mov %r13, gauntlet_entry+24(%rip)\n"
    "  mov %r14, gauntlet_entry+32(%rip)\n  mov %r15, gauntlet_entry+40(%rip)\n"
    "  mov %rsp, gauntlet_entry+48(%rip)\n  jmp gauntlet_mutex_trylock\n");

// --- check.h ---

extern "C" {

bool gauntlet_operation_begins(int action, std::int64_t argument) {
    if (!checked()) return true;
    InLibraryCall inside;
    return the_execution->operation_begins(static_cast<check::Action>(action), argument);
}

void gauntlet_operation_ends(bool succeeded, std::int64_t result) {
    if (!checked()) return;
    InLibraryCall inside;
    the_execution->operation_ends(succeeded, result);
}

void gauntlet_observe(const char* name, std::int64_t value) {
    if (!checked()) return;
    InLibraryCall inside;
    the_execution->observe(name, value);
}

void gauntlet_require(bool holds, const char* rule) {
    if (holds || !checked()) return;
    InLibraryCall inside;
    the_execution->fail("requirement", rule, PC);
}
}
