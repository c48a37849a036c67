#include <cstddef>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T&) { return false; }
    bool try_pop(T&) { return false; }
};
