// Make this pool right for any number of threads, without locks. As it stands it is right for one
// thread.
#pragma once

#include <atomic>
#include <cstddef>

template <std::size_t BlockBytes, std::size_t Blocks>
struct Pool {
    void* allocate() {
        for (std::size_t i = 0; i < Blocks; ++i) {
            if (used[i]) continue;
            used[i] = true;
            return memory + i * stride;
        }
        return nullptr;
    }

    void deallocate(void* block) {
        const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - memory);
        used[offset / stride] = false;
    }

  private:
    static constexpr std::size_t stride = (BlockBytes + 15) / 16 * 16;
    alignas(16) std::byte memory[Blocks * stride];
    bool used[Blocks] = {};
};
