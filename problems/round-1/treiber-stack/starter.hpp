// Make this stack right for any number of threads, without locks. As it stands it is right for one
// thread.
#pragma once

#include <atomic>
#include <cstddef>

template <class T, std::size_t Capacity>
struct Stack {
    bool push(const T& item) {
        if (size == Capacity) return false;
        items[size++] = item;
        return true;
    }

    bool pop(T& item) {
        if (size == 0) return false;
        item = items[--size];
        return true;
    }

  private:
    T items[Capacity];
    std::size_t size = 0;
};
