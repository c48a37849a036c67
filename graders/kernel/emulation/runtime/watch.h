// Every access of a kernel to memory is looked at before it happens: gcc's -fsanitize=thread makes
// a call of each, and watch.cpp supplies the functions that are called.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gauntlet {

// A piece of global memory. Its cells remember who wrote and read each byte in this launch.
struct Buffer {
    unsigned char* data;
    std::uint64_t n_bytes;
    bool is_input;
};

// Lays the buffers out, apart from each other; `n_bytes` and `is_input` are set, `data` is not.
void lay_out(Buffer* buffers, unsigned n_buffers);
void begin_launch();
void begin_block(std::uint64_t dynamic_shared_bytes);
// Marks bytes as written by the host between launches.
void host_wrote(const unsigned char* at, std::uint64_t n_bytes);
// Whether a byte of a buffer was written since the beginning; n_bytes marks, 0 or 1.
const unsigned char* written_of(const Buffer& buffer);

void* dynamic_shared();

// For the language: reads and writes that the compiler does not make calls of.
void watch_atomic(void* address, unsigned bytes, const void* from);
void fence();

// Ends the program: threads of a warp wait for some that never come.
[[noreturn]] void never_meet();
// Ends the program with a fault; fields are JSON without the braces.
[[noreturn]] void fault(const char* fields, ...);

}  // namespace gauntlet
