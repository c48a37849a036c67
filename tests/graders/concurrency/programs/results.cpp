// Functions that store their result directly where the caller wants it, which gcc tells no hook of.
// test_results.py says what must come.
#include <atomic>
#include <new>

#include "check.h"

namespace {

constexpr auto rlx = std::memory_order_relaxed;
constexpr auto acq = std::memory_order_acquire;
constexpr auto rel = std::memory_order_release;

template <int Size>
struct Bytes {
    char bytes[Size];
};

template <int Size>
[[gnu::noinline]] Bytes<Size> result(char byte) {
    Bytes<Size> made{};
    for (char& one : made.bytes) one = byte;
    return made;
}

template <class T>
[[gnu::noinline]] void fill(T* cell, char byte) {
    ::new (cell) T(result<sizeof(T)>(byte));
}

template <int Size>
Bytes<Size> cells[2];
std::atomic<int> there, seen;
volatile int sum;  // so that what is read is not left out

template <int Size>
void publish(std::memory_order order) {
    fill(&cells<Size>[0], 1);
    there.store(1, order);
}

template <int Size>
void take() {
    if (there.load(acq)) sum = cells<Size>[0].bytes[Size - 1];
}

[[gnu::noinline]] void fill_all(int i) {
    fill(&cells<1>[i], 1);
    fill(&cells<3>[i], 1);
    fill(&cells<7>[i], 1);
    fill(&cells<12>[i], 1);
    fill(&cells<15>[i], 1);
    fill(&cells<17>[i], 1);
    fill(&cells<24>[i], 1);
    fill(&cells<31>[i], 1);
    fill(&cells<100>[i], 1);
}

struct Floats {
    float x;
    double y, z;
};
struct Long {
    long double x, y;
};
[[gnu::noinline]] Floats floats(float x) { return {x, x, x}; }
[[gnu::noinline]] Long long_double(long double x) { return {x, x}; }
template <class T>
T numbers[2];

// On a stack that another thread is shown.
std::atomic<Bytes<24>*> shown;

void show(std::memory_order order) {
    alignas(8) char room[24];
    auto* here = reinterpret_cast<Bytes<24>*>(room);
    fill(here, 1);
    shown.store(here, order);
    while (!seen.load(acq)) {}
}

void look() {
    if (Bytes<24>* const there = shown.load(acq)) sum = there->bytes[23];
    seen.store(1, rel);
}

// Its destructor stores the pointer to its virtual functions which is there already.
struct Base {
    virtual int number() { return 1; }
    [[gnu::noinline]] virtual ~Base() { there.fetch_add(number(), rlx); }
};
alignas(Base) char room[sizeof(Base)];
Base* base;

[[gnu::noinline]] void destroy(Base* object) { object->Base::~Base(); }

// And one that stores another.
struct Derived : Base {
    int number() override { return 2; }
};

Bytes<24>* block;

}  // namespace

SCENARIOS(
    {.name = "published", .threads = {[] { publish<24>(rel); }, take<24>}},
    {.name = "published-in-registers", .threads = {[] { publish<16>(rel); }, take<16>}},
    {.name = "relaxed", .threads = {[] { publish<24>(rlx); }, take<24>}},
    {.name = "relaxed-in-registers", .threads = {[] { publish<16>(rlx); }, take<16>}},
    {.name = "relaxed-large", .threads = {[] { publish<1000>(rlx); }, take<1000>}},
    {.name = "neighbours", .threads = {[] { fill_all(0); }, [] { fill_all(1); }}},
    {.name = "neighbouring-numbers",
     .threads = {[] {
                     ::new (&numbers<Floats>[0]) Floats(floats(1));
                     ::new (&numbers<Long>[0]) Long(long_double(1));
                 },
                 [] {
                     ::new (&numbers<Floats>[1]) Floats(floats(2));
                     ::new (&numbers<Long>[1]) Long(long_double(2));
                 }},
     .finish = [] { sum = static_cast<int>(numbers<Floats>[1].z + numbers<Floats>[0].x + static_cast<double>(numbers<Long>[0].y)); }},
    {.name = "the-same-number",
     .threads = {[] { ::new (&numbers<Long>[0]) Long(long_double(1)); },
                 [] { ::new (&numbers<Long>[0]) Long(long_double(2)); }},
     .finish = [] { sum = static_cast<int>(numbers<Long>[0].y); }},
    {.name = "shown", .threads = {[] { show(rel); show(rel); }, look}},
    {.name = "shown-relaxed", .threads = {[] { show(rlx); }, look}},
    {.name = "restored-pointer",
     .setup = [] { base = ::new (room) Base; },
     .threads = {[] { destroy(base); }, [] { sum = base->number(); }}},
    {.name = "another-pointer",
     .setup = [] { base = ::new (room) Derived; },
     .threads = {[] { destroy(base); }, [] { sum = base->number(); }}},
    {.name = "after-its-end",
     .setup = [] { block = new Bytes<24>; },
     .threads = {[] { Bytes<24>* volatile gone = block; delete block; fill(gone, 1); }}})
