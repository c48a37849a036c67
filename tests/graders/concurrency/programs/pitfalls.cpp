// What once went wrong, or could, in checkers of this kind. test_pitfalls.py says what must come.
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

namespace {

constexpr auto rlx = std::memory_order_relaxed;
constexpr auto acq = std::memory_order_acquire;
constexpr auto rel = std::memory_order_release;

std::atomic<int> x, y;
std::atomic<int> many[24];
std::atomic<bool> taken;
std::mutex mutex, other_mutex;
std::condition_variable condition;
int data;
int r1, r2;

void two() {
    check::observe("r1", r1);
    check::observe("r2", r2);
}

void locked_increment() {
    while (taken.exchange(true, acq)) std::this_thread::yield();
    ++data;
    taken.store(false, rel);
}

void futex(int operation, int value) { syscall(SYS_futex, &x, operation, value, nullptr); }

struct Counted {
    explicit Counted(int n) : value(n) { ++constructed; }
    ~Counted() { --constructed; }
    int value;
    static inline std::atomic<int> constructed{0};
};

int read_static() {
    static Counted once(7);
    return once.value;
}

thread_local int own = 5;

std::shared_ptr<int> shared;
int* pointer;

void throw_and_catch(int value) {
    try {
        try {
            throw std::runtime_error("first");
        } catch (const std::exception&) {
            x.fetch_add(1, rlx);  // another thread may go on while this catch block is open
            throw;
        }
    } catch (const std::exception&) {
        y.fetch_add(value, rlx);
    }
}

}  // namespace

// Copies of a size that gcc knows, which it would write into the code.
template <int Bytes>
struct Bytewise {
    unsigned char bytes[Bytes];
};
Bytewise<24> shared_24;
Bytewise<64> shared_64;
template <class T>
void copy_in(T& shared) {
    T own{};
    own.bytes[0] = 1;
    std::memcpy(&shared, &own, sizeof own);
}
template <class T>
void copy_out(T& shared) {
    T own;
    std::memcpy(&own, &shared, sizeof own);
    check::observe("first", own.bytes[0]);
}

// Its initialiser belongs to each execution: what it stores happens before all threads.
int runs = 0;
struct CountsRuns {
    CountsRuns() { ++runs; }
} counts_runs;

SCENARIOS(
    // A view that is joined with a longer one must know nothing of the new places but what it is told.
    {.name = "views-grow",
     .threads = {[] { for (int i = 0; i < 6; ++i) many[i].store(1, rlx); y.store(1, rel); },
                 [] {
                     for (int i = 10; i < 13; ++i) many[i].store(2, rlx);
                     if (!y.load(acq)) return;
                     for (int i = 0; i < 6; ++i) check::require(many[i].load(rlx) == 1, "seen");
                     for (int i = 6; i < 10; ++i) check::require(many[i].load(rlx) == 0, "new");
                 }}},
    // A lock that spins by exchange(true) is not stuck, and its critical section is one.
    {.name = "spin-by-exchange",
     .threads = {locked_increment, locked_increment},
     .finish = [] { check::observe("data", data); }},
    // Waiting for each other for ever is told as such.
    {.name = "mutual-wait",
     .threads = {[] { while (!x.load(acq)) {} y.store(1, rel); },
                 [] { while (!y.load(acq)) {} x.store(1, rel); }}},
    {.name = "deadlock",
     .threads = {[] { std::lock_guard a(mutex); std::lock_guard b(other_mutex); },
                 [] { std::lock_guard b(other_mutex); std::lock_guard a(mutex); }}},
    // A spin lock that is never released keeps the next one out.
    {.name = "never-released",
     .threads = {[] { while (taken.exchange(true, acq)) {} }, [] { while (taken.exchange(true, acq)) {} }}},
    // A bounded loop is no spin loop: it may well read the same value each time.
    {.name = "bounded-retries",
     .threads = {[] { x.store(1, rlx); },
                 [] { for (r1 = 0; r1 < 3; ++r1) if (x.load(rlx)) break; }},
     .finish = [] { check::observe("r1", r1); }},
    // A spinning thread that counts is in another state each time round, and still gets out.
    {.name = "counting-spin",
     .threads = {[] { x.store(1, rel); }, [] { int n = 0; while (!x.load(acq) && ++n < 4) {} r1 = n; }},
     .finish = [] { check::observe("r1", r1); }},
    // Two places are waited for in one loop.
    {.name = "waits-for-two",
     .threads = {[] { x.store(1, rel); }, [] { y.store(1, rel); },
                 [] { while (!x.load(acq) || !y.load(acq)) {} r1 = 1; }},
     .finish = [] { check::observe("r1", r1); }},
    // try_lock in a loop is spinning too.
    {.name = "spin-by-try-lock",
     .threads = {[] { std::lock_guard a(mutex); ++data; },
                 [] { while (!mutex.try_lock()) {} ++data; mutex.unlock(); }},
     .finish = [] { check::observe("data", data); }},
    // shared_ptr must count with atomics although there is one OS thread only.
    {.name = "shared-pointer",
     .setup = [] { shared = std::make_shared<int>(1); },
     .threads = {[] { std::shared_ptr<int> copy = shared; r1 = *copy; },
                 [] { std::shared_ptr<int> copy = shared; r2 = *copy; }},
     .finish = [] { two(); check::observe("count", shared.use_count()); shared.reset(); }},
    {.name = "static-guard",
     .threads = {[] { r1 = read_static(); }, [] { r2 = read_static(); }},
     .finish = [] { two(); check::observe("constructed", Counted::constructed); }},
    {.name = "thread-local",
     .threads = {[] { own += 1; x.fetch_add(1, rlx); r1 = own; },
                 [] { own += 2; x.fetch_add(1, rlx); r2 = own; }},
     .finish = two},
    {.name = "futex",
     .threads = {[] { data = 3; x.store(1, rel); futex(FUTEX_WAKE_PRIVATE, 1); },
                 [] { while (!x.load(acq)) futex(FUTEX_WAIT_PRIVATE, 0); r1 = data; }},
     .finish = [] { check::observe("r1", r1); }},
    {.name = "futex-never-woken",
     .threads = {[] { x.store(1, rlx); }, [] { futex(FUTEX_WAIT_PRIVATE, 0); }}},
    {.name = "atomic-wait",
     .threads = {[] { x.store(1); x.notify_one(); }, [] { x.wait(0); r1 = 1; }},
     .finish = [] { check::observe("r1", r1); }},
    {.name = "condition-variable",
     .threads = {[] { { std::lock_guard a(mutex); data = 1; } condition.notify_one(); },
                 [] { std::unique_lock a(mutex); condition.wait(a, [] { return data == 1; }); r1 = data; }},
     .finish = [] { check::observe("r1", r1); }},
    {.name = "lost-wake-up",
     .threads = {[] { x.store(1, rlx); condition.notify_one(); },
                 [] { std::unique_lock a(mutex); if (!x.load(rlx)) condition.wait(a); }}},
    {.name = "exceptions",
     .threads = {[] { throw_and_catch(1); }, [] { throw_and_catch(2); }},
     .finish = [] { check::observe("x", x.load()); check::observe("y", y.load()); }},
    {.name = "copy-of-24-bytes",
     .threads = {[] { copy_in(shared_24); }, [] { copy_out(shared_24); }}},
    {.name = "copy-of-64-bytes",
     .threads = {[] { copy_in(shared_64); }, [] { copy_out(shared_64); }}},
    {.name = "initialised-once", .threads = {[] { check::observe("runs", runs); }}},
    {.name = "uncaught-exception", .threads = {[] { throw 1; }}},
    {.name = "null-pointer", .threads = {[] { volatile int* volatile nothing = nullptr; *nothing = 1; }}},
    {.name = "ends-the-process", .threads = {[] { std::exit(0); }}},
    {.name = "aborts", .threads = {[] { std::abort(); }}},
    {.name = "mixed-sizes",
     .threads = {[] { x.store(1, rlx); },
                 [] { reinterpret_cast<std::atomic<short>&>(x).store(1, rlx); }}},
    {.name = "starts-a-thread", .threads = {[] { std::thread([] {}).join(); }}},
    {.name = "use-after-free",
     .threads = {[] { int* p = new int(1); delete p; int* volatile q = p; r1 = *q; }}},
    {.name = "double-free", .threads = {[] { int* p = new int(1); int* volatile q = p; delete p; delete q; }}},
    {.name = "out-of-bounds",
     .threads = {[] { volatile char* p = new char[13]; p[13] = 1; delete[] p; }}},
    {.name = "last-byte", .threads = {[] { volatile char* p = new char[13]; p[12] = 1; delete[] p; }}},
    {.name = "wrong-delete", .threads = {[] { int* volatile p = new int[2]; delete p; }}},
    {.name = "leak", .threads = {[] { int* volatile p = new int(1); (void)p; }}},
    {.name = "free-races-with-use",
     .setup = [] { pointer = new int(1); },
     .threads = {[] { x.store(*pointer, rlx); y.store(1, rlx); }, [] { if (y.load(rlx)) delete pointer; }}},
    // What a global still leads to is no leak.
    {.name = "kept-by-a-global", .threads = {[] { pointer = new int(2); }}},
    // One byte of a word is free of races with its neighbours.
    {.name = "neighbouring-bytes",
     .threads = {[] { reinterpret_cast<char*>(&data)[0] = 1; }, [] { reinterpret_cast<char*>(&data)[1] = 1; }},
     .finish = [] { check::observe("data", data); }},
    {.name = "plain-and-atomic",
     .threads = {[] { x.store(1, rlx); }, [] { r1 = reinterpret_cast<volatile int&>(x); }}},
    // The heap and the globals are as at the beginning in every execution.
    {.name = "memory-is-restored",
     .threads = {[] { check::require(data == 0 && ++data == 1, "globals are restored"); x.store(1, rlx); },
                 [] { r1 = x.load(rlx); }}})
