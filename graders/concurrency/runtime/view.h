// Views: for each location the newest message that a thread (or a message) knows of.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "base.h"

namespace gauntlet {

using MessageId = std::uint32_t;
constexpr MessageId kNoMessage = ~0u;

// Memory that is given out piece by piece and taken back all at once.
class Pool {
  public:
    std::uint32_t* words(std::size_t count) {
        if (count > kChunkWords) count = kChunkWords;  // more locations than any execution has
        if (used_ + count > kChunkWords) {
            ++chunk_;
            used_ = 0;
        }
        if (chunk_ == chunks_.size())
            chunks_.push_back(std::make_unique<std::uint32_t[]>(kChunkWords));
        std::uint32_t* const piece = chunks_[chunk_].get() + used_;
        used_ += count;
        return piece;
    }
    void clear() { chunk_ = used_ = 0; }

  private:
    static constexpr std::size_t kChunkWords = 1 << 16;
    std::vector<std::unique_ptr<std::uint32_t[]>> chunks_;
    std::size_t chunk_ = 0;
    std::size_t used_ = 0;
};

// Entry `l` is the message known of location `l`; beyond the end, and where it is kNoMessage,
// nothing is known and the initial value may be read.
class View {
  public:
    MessageId operator[](std::uint32_t location) const {
        return location < size_ ? seen_[location] : kNoMessage;
    }

    void set(Pool& pool, std::uint32_t location, MessageId message) {
        if (location >= size_) grow(pool, location + 1);
        seen_[location] = message;
    }

    // Keeps the later message of each location; `later(a, b)` says that a is after b.
    template <class Later>
    void join(Pool& pool, const View& other, Later later) {
        if (other.size_ > size_) grow(pool, other.size_);
        for (std::uint32_t l = 0; l < other.size_; ++l) {
            const MessageId theirs = other.seen_[l];
            if (theirs == kNoMessage) continue;
            if (seen_[l] == kNoMessage || later(theirs, seen_[l])) seen_[l] = theirs;
        }
    }

    View copy(Pool& pool) const {
        View result;
        result.grow(pool, size_);
        return result.size_ ? (std::memcpy(result.seen_, seen_, size_ * sizeof *seen_), result)
                            : result;
    }

  private:
    void grow(Pool& pool, std::uint32_t size) {
        if (size > capacity_) {
            capacity_ = std::max(size + size / 2, 8u);
            std::uint32_t* const larger = pool.words(capacity_);
            if (size_) std::memcpy(larger, seen_, size_ * sizeof *seen_);
            seen_ = larger;
        }
        // The pool's words hold whatever an earlier execution left there.
        for (std::uint32_t l = size_; l < size; ++l) seen_[l] = kNoMessage;
        size_ = size;
    }

    std::uint32_t* seen_ = nullptr;
    std::uint32_t size_ = 0;
    std::uint32_t capacity_ = 0;
};

}  // namespace gauntlet
