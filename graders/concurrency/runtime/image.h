// The program: a shared object whose writable memory is put back before every execution.
#pragma once

#include <string>
#include <vector>

#include "check.h"
#include "heap.h"
#include "shadow.h"

namespace gauntlet {

class Image {
  public:
    // Opens the program; none of its code runs before the first execution. Empty, or what is wrong.
    std::string load(const char* path, const Heap& heap, Shadow& shadow);
    void restore();
    // Fresh thread_local variables for a thread.
    void prepare_thread(unsigned thread, Heap& heap);

    bool has_thread_locals(unsigned long module) const { return module == tls_module_; }
    check::Scenarios scenarios() const { return scenarios_; }
    // Addresses of the functions that construct its globals, in order; each execution begins with
    // them.
    const std::vector<Address>& initialisers() const { return initialisers_; }
    std::size_t thread_local_bytes() const { return tls_bytes_; }
    Address base() const { return base_; }
    bool contains_code(Address pc) const { return pc >= base_ && pc < end_; }
    // Addresses of the program's writable memory, a pointer's width apart.
    template <class Visit>
    void for_each_word(Visit visit) const {
        for (const Segment& segment : segments_)
            for (Address at = (segment.address + 7) & ~Address{7};
                 at + 8 <= segment.address + segment.bytes.size(); at += 8)
                visit(at);
    }

  private:
    struct Segment {
        Address address;
        std::vector<char> bytes;
    };

    void find_segments(const char* path, Shadow& shadow);

    std::vector<Segment> segments_;
    check::Scenarios scenarios_{};
    std::vector<Address> initialisers_;
    Address base_ = 0;
    Address end_ = 0;
    unsigned long tls_module_ = ~0ul;
    const char* tls_image_ = nullptr;
    std::size_t tls_image_bytes_ = 0;
    std::size_t tls_bytes_ = 0;
};

}  // namespace gauntlet
