// Boost's ring for one producer and one consumer, unmodified.
#include <cstddef>

#include <boost/lockfree/spsc_queue.hpp>

template <class T, std::size_t N>
struct Queue {
    boost::lockfree::spsc_queue<T, boost::lockfree::capacity<N>> queue;
    bool try_push(const T& item) { return queue.push(item); }
    bool try_pop(T& item) { return queue.pop(item); }
};

#include "queue_scenarios.h"

SCENARIOS(queue_scenario("alone", push_three_pop_one),
          queue_scenario("three-each", push_three, pop_three))
