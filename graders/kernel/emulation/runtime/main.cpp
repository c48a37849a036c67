// Runs the steps of one recorded call on given buffers: reads call.bin, writes result.bin.
//
// Both files are little-endian 64-bit words and, where said, bytes. graders/kernel/emulation writes
// and reads them; what comes out is believed by nobody, it is compared with what should have.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <vector>

#include "entry.h"
#include "machine.h"
#include "watch.h"

extern const gauntlet::Entry gauntlet_entries[];

namespace {

using gauntlet::Argument;
using gauntlet::Buffer;

std::FILE* call;

// In the program's image, where a kernel may read.
constexpr std::uint64_t kMostArguments = 256;
Argument arguments[kMostArguments];

void take(void* to, std::uint64_t n_bytes) {
    if (n_bytes > 0 && std::fread(to, 1, n_bytes, call) != n_bytes) std::abort();
}

std::uint64_t word() {
    std::uint64_t value;
    take(&value, sizeof value);
    return value;
}

gauntlet::Extent extent() {
    const unsigned x = unsigned(word()), y = unsigned(word()), z = unsigned(word());
    return {x, y, z};
}

enum Step : std::uint64_t { kEnd, kLaunch, kFill, kCopy };

}  // namespace

int main() {
    call = std::fopen("call.bin", "rb");
    if (call == nullptr) std::abort();
    std::vector<Buffer> buffers(word());
    for (Buffer& one : buffers) {
        one.n_bytes = word();
        one.is_input = word() != 0;
    }
    gauntlet::lay_out(buffers.data(), unsigned(buffers.size()));
    for (Buffer& one : buffers) {
        if (!one.is_input) continue;
        take(one.data, one.n_bytes);
        gauntlet::host_wrote(one.data, one.n_bytes);
    }
    for (std::uint64_t step = word(); step != kEnd; step = word()) {
        if (step == kLaunch) {
            const gauntlet::Entry entry = gauntlet_entries[word()];
            const gauntlet::Extent grid = extent(), block = extent();
            const std::uint64_t shared_bytes = word();
            const std::uint64_t n_arguments = word();
            if (n_arguments > kMostArguments) std::abort();
            for (std::uint64_t i = 0; i < n_arguments; ++i) {
                Argument& one = arguments[i];
                one.kind = Argument::Kind(word());
                if (one.kind == Argument::kPointer) {
                    unsigned char* base = buffers[word()].data;
                    one.pointer = base + word();
                } else {
                    one.whole = (long long)word();  // the bits of a double, where it is one
                }
            }
            gauntlet::begin_launch();
            gauntlet::launch(grid, block, shared_bytes, entry.run, arguments);
        } else if (step == kFill) {
            unsigned char* at = buffers[word()].data;
            at += word();
            const std::uint64_t n_bytes = word();
            std::vector<unsigned char> pattern(word());
            take(pattern.data(), pattern.size());
            for (std::uint64_t i = 0; i < n_bytes; ++i) at[i] = pattern[i % pattern.size()];
            gauntlet::host_wrote(at, n_bytes);
        } else {
            unsigned char* to = buffers[word()].data;
            to += word();
            const unsigned char* from = buffers[word()].data;
            from += word();
            const std::uint64_t n_bytes = word();
            std::memcpy(to, from, n_bytes);
            gauntlet::host_wrote(to, n_bytes);
        }
    }
    std::FILE* result = std::fopen("result.bin", "wb");
    if (result == nullptr) std::abort();
    for (const Buffer& one : buffers) {
        if (one.is_input) continue;
        std::fwrite(one.data, 1, one.n_bytes, result);
        std::fwrite(gauntlet::written_of(one), 1, one.n_bytes, result);
    }
    std::fclose(result);
    std::fflush(stdout);
    _exit(0);
}
