// Make this right for one thread that stores and any number of threads that load, without locks. As
// it stands it is right for one thread.
#pragma once

#include <atomic>
#include <cstdint>

template <class T>
struct SeqLock {
    void store(const T& value) { current = value; }

    bool try_load(T& value) const {
        value = current;
        return true;
    }

  private:
    T current{};
};
