// Real threads call the object for a while; afterwards everything must be accounted for.
//
// Built with the sanitizers, which end the program where memory is misused. Macros say what and how
// much: STRUCTURE_*, WRITERS, READERS, OPERATIONS (of each writer), CAPACITY, EXACT_CAPACITY,
// KEEPS_ITEM (a pop that fails leaves its item alone), BLOCK_BYTES, ALIGNMENT.
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

// What interface.cpp says of an item whose words differ, and of one that nobody wrote to.
constexpr long kTorn = -1;
constexpr long kUntouched = -2;

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
    if (!gauntlet_pop_0(&item)) {
        if (KEEPS_ITEM && item != kUntouched) complain("touched", 0, 0);
        return false;
    }
    if (item == kTorn) complain("parts", 0, 0);
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
    // Alone now, so nothing excuses a failure: it must hold its capacity, and give it back in order.
    for (long i = 1; i <= CAPACITY; ++i)
        if (!gauntlet_push_0(i)) complain("room", CAPACITY, i - 1);
    if (EXACT_CAPACITY && gauntlet_push_0(CAPACITY + 1)) complain("room", CAPACITY, CAPACITY + 1);
    for (long i = 1; i <= CAPACITY; ++i) {
#ifdef STRUCTURE_QUEUE
        const long wanted = i;
#else
        const long wanted = CAPACITY + 1 - i;
#endif
        long item = 0;
        if (!gauntlet_pop_0(&item)) complain("lost", CAPACITY, i - 1);
        if (item != wanted) complain("next", wanted, item);
    }
}

}  // namespace

#elif defined(STRUCTURE_POOL)

extern "C" void* gauntlet_allocate_0();
extern "C" void gauntlet_release_0(void*);

namespace {

// A block that is out, each of its bytes made of its number.
struct Block {
    unsigned char* bytes;
    unsigned long number;

    static Block fill(void* taken, unsigned long number) {
        if (reinterpret_cast<unsigned long>(taken) % ALIGNMENT) complain("alignment", ALIGNMENT, 0);
        const Block block{static_cast<unsigned char*>(taken), number};
        for (int i = 0; i < BLOCK_BYTES; ++i) block.bytes[i] = block.byte(i);
        return block;
    }
    unsigned char byte(int i) const { return static_cast<unsigned char>(number >> 8 * (i % 8)); }
    void release() const {
        for (int i = 0; i < BLOCK_BYTES; ++i)
            if (bytes[i] != byte(i)) complain("overlap", static_cast<long>(number), i);
        gauntlet_release_0(bytes);
    }
};

// On their way from who allocates to who frees.
std::mutex mutex;
std::deque<Block> waiting;

void run_writer(int writer) {
    Patience patience;
    for (long i = 1; i <= OPERATIONS; ++i) {
        void* block = nullptr;
        while (!(block = gauntlet_allocate_0())) patience.lose();
        done.fetch_add(1, std::memory_order_relaxed);
        const auto number = static_cast<unsigned long>(writer * long{OPERATIONS} + i);
        const Block filled = Block::fill(block, number);
        const std::lock_guard held(mutex);
        waiting.push_back(filled);
    }
}

void run_reader() {
    keep_reading([] {
        std::unique_lock held(mutex);
        if (waiting.empty()) return false;
        const Block block = waiting.front();
        waiting.pop_front();
        held.unlock();
        block.release();
        return true;
    });
}

// All blocks are back, and nobody else is there: each can be out, beside all the others, once.
void account() {
    std::vector<Block> out;
    while (out.size() <= CAPACITY) {
        void* const block = gauntlet_allocate_0();
        if (!block) break;
        out.push_back(Block::fill(block, out.size() + 1));
    }
    if (out.size() != CAPACITY) complain("blocks", CAPACITY, static_cast<long>(out.size()));
    for (const Block& block : out) block.release();
}

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
