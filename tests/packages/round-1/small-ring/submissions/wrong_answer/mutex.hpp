#include <cstddef>
#include <deque>
#include <mutex>

template <class T, std::size_t Capacity>
struct Queue {
    bool try_push(const T& item) {
        const std::lock_guard held(mutex);
        if (items.size() == Capacity) return false;
        items.push_back(item);
        return true;
    }

    bool try_pop(T& item) {
        const std::lock_guard held(mutex);
        if (items.empty()) return false;
        item = items.front();
        items.pop_front();
        return true;
    }

  private:
    std::mutex mutex;
    std::deque<T> items;
};
