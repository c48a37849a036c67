// Does a number of operations with one thread a side whenever a frame asks for it.
//
// The grader holds the clock: it sends the number, and counts until the answer comes. Between two
// batches both threads sleep, so that the other program has the cores for itself.
#include <atomic>
#include <cstdlib>
#include <thread>

#include "calls.h"
#include "frames.h"

extern "C" void gauntlet_make_0();

#if defined(STRUCTURE_QUEUE) || defined(STRUCTURE_STACK)
extern "C" bool gauntlet_push_0(long);
extern "C" bool gauntlet_pop_0(long*);

namespace {

void run_writer(long n) {
    for (long i = 1; i <= n; ++i)
        for (int tries = 0; !gauntlet_push_0(i);)
            if (++tries % 256 == 0) std::this_thread::yield();
}

void run_reader(long n) {
    long item = 0;
    for (long i = 1; i <= n; ++i)
        for (int tries = 0; !gauntlet_pop_0(&item);)
            if (++tries % 256 == 0) std::this_thread::yield();
}

}  // namespace

#elif defined(STRUCTURE_POOL)
extern "C" void* gauntlet_allocate_0();
extern "C" void gauntlet_release_0(void*);

namespace {

void run_writer(long n) {
    for (long i = 1; i <= n; ++i) {
        void* block = nullptr;
        for (int tries = 0; !(block = gauntlet_allocate_0());)
            if (++tries % 256 == 0) std::this_thread::yield();
        *static_cast<volatile long*>(block) = i;
        gauntlet_release_0(block);
    }
}

void run_reader(long n) { run_writer(n); }

}  // namespace

#else
extern "C" void gauntlet_write_0(long);
extern "C" bool gauntlet_read_0(long*);

namespace {

void run_writer(long n) {
    for (long i = 1; i <= n; ++i) gauntlet_write_0(i);
}

void run_reader(long n) {
    long value = 0;
    for (long i = 1; i <= n; ++i)
        for (int tries = 0; !gauntlet_read_0(&value);)
            if (++tries % 256 == 0) std::this_thread::yield();
}

}  // namespace

#endif

namespace {

std::atomic<int> round_number{0};
std::atomic<int> rounds_read{0};
long batch = 0;

void reader() {
    for (int round = 1;; ++round) {
        while (round_number.load(std::memory_order_acquire) < round)
            round_number.wait(round - 1, std::memory_order_acquire);
        run_reader(batch);
        rounds_read.store(round, std::memory_order_release);
        rounds_read.notify_one();
    }
}

}  // namespace

int main() {
    gauntlet_make_0();
    std::thread(reader).detach();
    std::string asked;
    for (int round = 1; frames::receive(asked); ++round) {
        batch = std::strtol(asked.c_str(), nullptr, 10);
        round_number.store(round, std::memory_order_release);
        round_number.notify_one();
        run_writer(batch);
        while (rounds_read.load(std::memory_order_acquire) < round)
            rounds_read.wait(round - 1, std::memory_order_acquire);
        frames::send(asked);
    }
    ::_exit(0);
}
