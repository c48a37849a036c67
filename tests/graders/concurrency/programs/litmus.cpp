// Litmus programs. What each may show is listed in test_litmus.py.
#include <atomic>
#include <mutex>

#include "check.h"

namespace {

std::atomic<int> x, y, z;
int r1, r2, r3, r4;
int data;
std::mutex mutex;

constexpr auto rlx = std::memory_order_relaxed;
constexpr auto acq = std::memory_order_acquire;
constexpr auto rel = std::memory_order_release;
constexpr auto ar = std::memory_order_acq_rel;
constexpr auto sc = std::memory_order_seq_cst;

void fence(std::memory_order order) { std::atomic_thread_fence(order); }

void two() {
    check::observe("r1", r1);
    check::observe("r2", r2);
}
void three() {
    two();
    check::observe("r3", r3);
}
void four() {
    three();
    check::observe("r4", r4);
}
void stores() {
    check::observe("x", x.load(rlx));
    check::observe("y", y.load(rlx));
}
void read_and_x() {
    check::observe("r1", r1);
    check::observe("x", x.load(rlx));
}

template <std::memory_order Store, std::memory_order Load>
constexpr check::Scenario sb(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, Store); r1 = y.load(Load); },
                        [] { y.store(1, Store); r2 = x.load(Load); }},
            .finish = two};
}

template <std::memory_order First, std::memory_order Second>
constexpr check::Scenario sb_fences(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, rlx); fence(First); r1 = y.load(rlx); },
                        [] { y.store(1, rlx); fence(Second); r2 = x.load(rlx); }},
            .finish = two};
}

template <std::memory_order Store, std::memory_order Load>
constexpr check::Scenario mp_plain(const char* name) {
    return {.name = name,
            .threads = {[] { data = 1; x.store(1, Store); },
                        [] { r1 = x.load(Load); if (r1) r2 = data; }},
            .finish = two};
}

template <std::memory_order Data, std::memory_order Store, std::memory_order Load,
          std::memory_order Last>
constexpr check::Scenario mp(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, Data); y.store(1, Store); },
                        [] { r1 = y.load(Load); r2 = x.load(Last); }},
            .finish = two};
}

template <std::memory_order Load, std::memory_order Store>
constexpr check::Scenario lb(const char* name) {
    return {.name = name,
            .threads = {[] { r1 = x.load(Load); y.store(1, Store); },
                        [] { r2 = y.load(Load); x.store(1, Store); }},
            .finish = two};
}

template <std::memory_order Store, std::memory_order Load>
constexpr check::Scenario iriw(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, Store); }, [] { y.store(1, Store); },
                        [] { r1 = x.load(Load); r2 = y.load(Load); },
                        [] { r3 = y.load(Load); r4 = x.load(Load); }},
            .finish = four};
}

template <std::memory_order Store>
constexpr check::Scenario two_plus_two(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, Store); y.store(2, Store); },
                        [] { y.store(1, Store); x.store(2, Store); }},
            .finish = stores};
}

template <std::memory_order Load, std::memory_order Store, std::memory_order Last>
constexpr check::Scenario wrc(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, rlx); }, [] { r1 = x.load(Load); y.store(1, Store); },
                        [] { r2 = y.load(Last); r3 = x.load(rlx); }},
            .finish = three};
}

// A write, conditional on what was read: `WRC+dep` of GenMC's tests.
void dependent_store() {
    r1 = x.load(rlx);
    y.store(r1 ? 1 : 2, rlx);
}

template <std::memory_order Store, std::memory_order Load>
constexpr check::Scenario rwc(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, Store); }, [] { r1 = x.load(Load); r2 = y.load(Load); },
                        [] { y.store(1, Store); r3 = x.load(Load); }},
            .finish = three};
}

template <std::memory_order Order>
constexpr check::Scenario dekker(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, Order); if (!y.load(Order)) ++data; },
                        [] { y.store(1, Order); if (!x.load(Order)) ++data; }},
            .finish = [] { check::observe("data", data); }};
}

template <std::memory_order Order>
constexpr check::Scenario shape_r(const char* name) {
    return {.name = name,
            .threads = {[] { x.store(1, Order); y.store(1, Order); },
                        [] { y.store(2, Order); r1 = x.load(Order); }},
            .finish = [] { check::observe("r1", r1); check::observe("y", y.load(rlx)); }};
}

void increment_locked() {
    std::lock_guard guard(mutex);
    ++data;
}

}  // namespace

SCENARIOS(
    sb<rlx, rlx>("sb_relaxed"), sb<rel, acq>("sb_release_acquire"), sb<sc, sc>("sb_seq_cst"),
    sb<rlx, sc>("sb_relaxed_stores"), sb<sc, acq>("sb_acquire_loads"),
    sb_fences<sc, sc>("sb_seq_cst_fences"), sb_fences<sc, ar>("sb_one_seq_cst_fence"),
    sb_fences<ar, ar>("sb_acq_rel_fences"),
    mp_plain<rel, acq>("mp_plain_release_acquire"), mp_plain<rlx, rlx>("mp_plain_relaxed"),
    mp_plain<rel, rlx>("mp_plain_relaxed_load"), mp_plain<rlx, acq>("mp_plain_relaxed_store"),
    mp<rlx, rlx, rlx, rlx>("mp_relaxed"), mp<rlx, rel, acq, rlx>("mp_release_acquire"),
    mp<sc, rlx, rlx, sc>("mp_seq_cst_data_only"),
    {.name = "mp_fences",
     .threads = {[] { x.store(1, rlx); fence(rel); y.store(1, rlx); },
                 [] { r1 = y.load(rlx); fence(acq); r2 = x.load(rlx); }},
     .finish = two},
    {.name = "mp_release_fence_only",
     .threads = {[] { x.store(1, rlx); fence(rel); y.store(1, rlx); },
                 [] { r1 = y.load(rlx); r2 = x.load(rlx); }},
     .finish = two},
    {.name = "mp_plain_fences",
     .threads = {[] { data = 1; fence(rel); y.store(1, rlx); },
                 [] { r1 = y.load(rlx); fence(acq); if (r1) r2 = data; }},
     .finish = two},
    lb<rlx, rlx>("lb_relaxed"), lb<acq, rel>("lb_acquire_release"),
    iriw<rel, acq>("iriw_release_acquire"), iriw<sc, sc>("iriw_seq_cst"),
    {.name = "iriw_seq_cst_fences",
     .threads = {[] { x.store(1, rlx); }, [] { y.store(1, rlx); },
                 [] { r1 = x.load(rlx); fence(sc); r2 = y.load(rlx); },
                 [] { r3 = y.load(rlx); fence(sc); r4 = x.load(rlx); }},
     .finish = four},
    two_plus_two<rlx>("2+2w_relaxed"), two_plus_two<rel>("2+2w_release"),
    two_plus_two<sc>("2+2w_seq_cst"),
    {.name = "corr",
     .threads = {[] { x.store(1, rlx); x.store(2, rlx); },
                 [] { r1 = x.load(rlx); r2 = x.load(rlx); }},
     .finish = two},
    {.name = "corr_two_writers",
     .threads = {[] { x.store(1, rlx); }, [] { x.store(2, rlx); },
                 [] { r1 = x.load(rlx); r2 = x.load(rlx); },
                 [] { r3 = x.load(rlx); r4 = x.load(rlx); }},
     .finish = four},
    {.name = "cowr",
     .threads = {[] { x.store(1, rlx); r1 = x.load(rlx); }, [] { x.store(2, rlx); }},
     .finish = read_and_x},
    {.name = "corw",
     .threads = {[] { r1 = x.load(rlx); x.store(1, rlx); }, [] { x.store(2, rlx); }},
     .finish = read_and_x},
    wrc<acq, rel, acq>("wrc_release_acquire"), wrc<rlx, rel, acq>("wrc_relaxed_first"),
    {.name = "wrc_relaxed_dependent",
     .threads = {[] { x.store(1, rlx); }, dependent_store,
                 [] { r2 = y.load(rlx); if (r2 == 1) r3 = x.load(rlx); }},
     .finish = three},
    wrc<rlx, rlx, rlx>("wrc_relaxed"), wrc<sc, sc, sc>("wrc_seq_cst_last"),
    {.name = "isa2",
     .threads = {[] { x.store(1, rlx); y.store(1, rel); }, [] { r1 = y.load(acq); z.store(1, rel); },
                 [] { r2 = z.load(acq); r3 = x.load(rlx); }},
     .finish = three},
    {.name = "release_sequence_by_update",
     .threads = {[] { x.store(1, rlx); y.store(1, rel); }, [] { y.fetch_add(10, rlx); },
                 [] { r1 = y.load(acq); r2 = x.load(rlx); }},
     .finish = two},
    {.name = "release_sequence_ends_at_own_store",
     .threads = {[] { x.store(1, rlx); y.store(1, rel); y.store(2, rlx); },
                 [] { r1 = y.load(acq); r2 = x.load(rlx); }},
     .finish = two},
    {.name = "z6u",
     .threads = {[] { x.store(1, sc); y.store(1, rel); },
                 [] { r1 = y.fetch_add(1, sc); r2 = y.load(rlx); },
                 [] { y.store(3, sc); r3 = x.load(sc); }},
     .finish = three},
    {.name = "two_updates",
     .threads = {[] { r1 = x.fetch_add(1, rlx); }, [] { r2 = x.fetch_add(1, rlx); }},
     .finish = two},
    {.name = "three_updates",
     .threads = {[] { r1 = x.fetch_add(1, rlx); }, [] { r2 = x.fetch_add(1, rlx); },
                 [] { r3 = x.fetch_add(1, rlx); }},
     .finish = three},
    {.name = "two_compare_exchanges",
     .threads = {[] { r1 = 0; x.compare_exchange_strong(r1, 1, ar, rlx); },
                 [] { r2 = 0; x.compare_exchange_strong(r2, 2, ar, rlx); }},
     .finish = two},
    {.name = "weak_compare_exchange",
     .threads = {[] { int e = 0; r1 = x.compare_exchange_weak(e, 1, rlx); }},
     .finish = read_and_x},
    {.name = "shape_s",
     .threads = {[] { x.store(2, rlx); y.store(1, rel); }, [] { r1 = y.load(acq); x.store(1, rlx); }},
     .finish = read_and_x},
    shape_r<rlx>("r_relaxed"), shape_r<sc>("r_seq_cst"), rwc<rel, acq>("rwc_release_acquire"),
    rwc<sc, sc>("rwc_seq_cst"),
    {.name = "rwc_seq_cst_fences",
     .threads = {[] { x.store(1, rlx); }, [] { r1 = x.load(rlx); fence(sc); r2 = y.load(rlx); },
                 [] { y.store(1, rlx); fence(sc); r3 = x.load(rlx); }},
     .finish = three},
    dekker<rlx>("dekker_relaxed"), dekker<sc>("dekker_seq_cst"),
    {.name = "mutex_counter",
     .threads = {increment_locked, increment_locked},
     .finish = [] { check::observe("data", data); }},
    {.name = "await_flag",
     .threads = {[] { data = 1; x.store(1, rel); }, [] { while (!x.load(acq)) {} r1 = data; }},
     .finish = [] { check::observe("r1", r1); }})
