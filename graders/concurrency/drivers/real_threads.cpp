// Real threads call the object for a while; afterwards everything must be accounted for.
//
// Built with the sanitizers, which end the program where memory is misused. Macros say what and how
// much: STRUCTURE_*, WRITERS, READERS, OPERATIONS (of each writer), BLOCK_BYTES, ALIGNMENT.
// The only frame sent says what was wrong, in a word and two numbers, or "right".
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "calls.h"
#include "frames.h"

extern "C" const char* __asan_default_options() {
    // The model checker finds leaks, and finding them here needs rights that a sandbox has not.
    return "detect_leaks=0:exitcode=99:allocator_may_return_null=1";
}

namespace {

constexpr long kTotal = long{WRITERS} * OPERATIONS;
constexpr int kPatience = 1000;  // failures in a row after the writers' end, then a reader gives up
constexpr int kStuckS = 5;

std::atomic<int> writing{WRITERS};
std::atomic<bool> told{false};

void complain(const char* what, long first, long second) {
    if (told.exchange(true)) return;
    frames::send(std::string(what) + " " + std::to_string(first) + " " + std::to_string(second));
    ::_exit(0);
}

// For loops that try again: complains when nobody has got anything done for a while.
std::atomic<long> done{0};

class Patience {
  public:
    void lose() {
        std::this_thread::yield();
        if (++losses_ % 256) return;
        const auto now = std::chrono::steady_clock::now();
        if (done.load(std::memory_order_relaxed) != seen_) {
            seen_ = done.load(std::memory_order_relaxed);
            since_ = now;
        }
        if (now - since_ > std::chrono::seconds(kStuckS)) complain("stuck", kStuckS, seen_);
    }

  private:
    long losses_ = 0;
    long seen_ = -1;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

// Runs `read` until the writers have ended and it has failed often enough to be done.
template <class Read>
void keep_reading(Read read) {
    for (int failures = 0; failures < kPatience;) {
        const bool over = writing.load(std::memory_order_acquire) == 0;
        if (read()) {
            failures = 0;
        } else {
            failures += over;
            std::this_thread::yield();
        }
    }
}

}  // namespace

#if defined(STRUCTURE_QUEUE) || defined(STRUCTURE_STACK)

extern "C" bool gauntlet_push_0(long);
extern "C" bool gauntlet_pop_0(long*);

namespace {

std::vector<std::atomic<unsigned char>> seen(kTotal + 1);
std::atomic<long> popped{0};

void run_writer(int writer) {
    Patience patience;
    for (long i = 1; i <= OPERATIONS; ++i) {
        while (!gauntlet_push_0(writer * long{OPERATIONS} + i)) patience.lose();
        done.fetch_add(1, std::memory_order_relaxed);
    }
}

bool take(std::vector<long>& last) {
    long item = 0;
    if (!gauntlet_pop_0(&item)) return false;
    if (item < 1 || item > kTotal) complain("invented", item, kTotal);
    if (seen[static_cast<std::size_t>(item)].fetch_add(1)) complain("duplicate", item, 2);
#ifdef STRUCTURE_QUEUE
    long& before = last[static_cast<std::size_t>((item - 1) / OPERATIONS)];
    if (item < before) complain("order", before, item);
    before = item;
#else
    (void)last;
#endif
    popped.fetch_add(1);
    done.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void run_reader() {
    std::vector<long> last(WRITERS);
    keep_reading([&] { return take(last); });
}

void account() {
    std::vector<long> last(WRITERS);
    while (take(last)) {
    }
    if (popped != kTotal) complain("lost", kTotal, popped);
}

}  // namespace

#elif defined(STRUCTURE_POOL)

extern "C" void* gauntlet_allocate_0();
extern "C" void gauntlet_release_0(void*);

namespace {

// Blocks on their way from who allocates to who frees, each filled with its own number.
std::mutex mutex;
std::deque<std::pair<unsigned long*, unsigned long>> waiting;

void run_writer(int writer) {
    Patience patience;
    for (long i = 1; i <= OPERATIONS; ++i) {
        void* block = nullptr;
        while (!(block = gauntlet_allocate_0())) patience.lose();
        done.fetch_add(1, std::memory_order_relaxed);
        if (reinterpret_cast<unsigned long>(block) % ALIGNMENT) complain("alignment", ALIGNMENT, 0);
        const auto number = static_cast<unsigned long>(writer * long{OPERATIONS} + i);
        auto* words = static_cast<unsigned long*>(block);
        for (int w = 0; w < BLOCK_BYTES / 8; ++w) words[w] = number;
        const std::lock_guard held(mutex);
        waiting.emplace_back(words, number);
    }
}

void run_reader() {
    keep_reading([] {
        std::unique_lock held(mutex);
        if (waiting.empty()) return false;
        const auto [words, number] = waiting.front();
        waiting.pop_front();
        held.unlock();
        for (int w = 0; w < BLOCK_BYTES / 8; ++w)
            if (words[w] != number) complain("overlap", static_cast<long>(number), static_cast<long>(words[w]));
        gauntlet_release_0(words);
        return true;
    });
}

void account() {}

}  // namespace

#else

extern "C" void gauntlet_write_0(long);
extern "C" bool gauntlet_read_0(long*);

namespace {

void run_writer(int) {
    for (long i = 1; i <= kTotal; ++i) {
        gauntlet_write_0(i);
        if (i % 64 == 0) std::this_thread::yield();
    }
}

void run_reader() {
    long before = 0;
    keep_reading([&] {
        long value = 0;
        if (!gauntlet_read_0(&value)) return false;
        if (value == -1) complain("torn", before, 0);
        if (value < before || value > kTotal) complain("order", before, value);
        const bool is_new = value != before;
        before = value;
        return is_new;
    });
}

void account() {
    long value = 0;
    if (!gauntlet_read_0(&value) || value != kTotal) complain("lost", kTotal, value);
}

}  // namespace

#endif

extern "C" void gauntlet_make_0();
extern "C" void gauntlet_destroy_0();

int main() {
    gauntlet_make_0();
    std::vector<std::thread> threads;
    for (int reader = 0; reader < READERS; ++reader) threads.emplace_back(run_reader);
    for (int writer = 0; writer < WRITERS; ++writer)
        threads.emplace_back([writer] {
            run_writer(writer);
            writing.fetch_sub(1, std::memory_order_release);
        });
    for (std::thread& thread : threads) thread.join();
    account();
    gauntlet_destroy_0();
    complain("right", kTotal, 0);
}
