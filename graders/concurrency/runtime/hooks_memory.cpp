// Allocation and memory blocks. The runner defines the allocation functions for the whole process,
// since libstdc++ allocates on the program's behalf; mem* only as wrappers for the program itself.
#include <cerrno>
#include <cstring>
#include <new>

#include "boundary.h"
#include "execution.h"

using namespace gauntlet;

extern "C" {
void* __libc_malloc(std::size_t size);
void __libc_free(void* block);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

#define PC reinterpret_cast<Address>(__builtin_return_address(0))

namespace {

void* allocate(std::size_t size, std::size_t alignment, Allocator allocator, Address pc) {
    if (!in_program) return __libc_memalign(std::max<std::size_t>(alignment, 16), size);
    InRuntime inside;
    return reinterpret_cast<void*>(the_execution->allocate(size, alignment, allocator, pc));
}

void* allocate_or_throw(std::size_t size, std::size_t alignment, Allocator allocator, Address pc) {
    void* block = allocate(size, alignment, allocator, pc);
    if (!block) throw std::bad_alloc();
    return block;
}

void release(void* block, Allocator allocator, Address pc) {
    if (!block) return;
    const auto at = reinterpret_cast<Address>(block);
    if (!checked()) {
        // What the runner lets go of may be what an execution left to it, such as an exception.
        if (!the_execution || !the_execution->owns(at)) __libc_free(block);
        return;
    }
    InRuntime inside;
    the_execution->release(at, allocator, pc);
}

void touch(const void* at, std::size_t size, bool writes, Address pc) {
    if (!checked() || size == 0) return;
    InRuntime inside;
    guard(reinterpret_cast<Address>(at), size, writes, pc);
    the_execution->plain(reinterpret_cast<Address>(at), size, writes, pc);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
    if (!in_program) return __libc_malloc(size);
    return allocate(size, 16, Allocator::malloc, PC);
}

void free(void* block) { release(block, Allocator::malloc, PC); }

void* calloc(std::size_t count, std::size_t size) {
    if (!in_program) return __libc_calloc(count, size);
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
    void* block = allocate(bytes, 16, Allocator::malloc, PC);
    return block ? std::memset(block, 0, bytes) : nullptr;
}

void* realloc(void* old, std::size_t size) {
    if (!in_program) return __libc_realloc(old, size);
    void* block = allocate(size, 16, Allocator::malloc, PC);
    if (!block || !old) return block;
    // Nothing is copied from what is no block, and then it cannot be released either.
    const std::size_t kept = std::min(size, the_execution->block_size(reinterpret_cast<Address>(old)));
    touch(old, kept, false, PC);
    std::memcpy(block, old, kept);
    release(old, Allocator::malloc, PC);
    return block;
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return allocate(size, alignment, Allocator::malloc, PC);
}

void* memalign(std::size_t alignment, std::size_t size) {
    return allocate(size, alignment, Allocator::malloc, PC);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
    touch(block, sizeof *block, true, PC);
    *block = allocate(size, alignment, Allocator::malloc, PC);
    return *block ? 0 : ENOMEM;
}

void* __wrap_memcpy(void* to, const void* from, std::size_t size) {
    touch(from, size, false, PC);
    touch(to, size, true, PC);
    return std::memcpy(to, from, size);
}

void* __wrap_memmove(void* to, const void* from, std::size_t size) {
    touch(from, size, false, PC);
    touch(to, size, true, PC);
    return std::memmove(to, from, size);
}

void* __wrap_memset(void* to, int byte, std::size_t size) {
    touch(to, size, true, PC);
    return std::memset(to, byte, size);
}

// These two are read as far as a zero goes, which is looked for in the program's memory only.
std::size_t __wrap_strlen(const char* text) {
    std::size_t length = 0;
    do touch(text + length, 1, false, PC);
    while (text[length++]);
    return length - 1;
}

int __wrap_strcmp(const char* a, const char* b) {
    for (std::size_t i = 0;; ++i) {
        touch(a + i, 1, false, PC);
        touch(b + i, 1, false, PC);
        const auto x = static_cast<unsigned char>(a[i]), y = static_cast<unsigned char>(b[i]);
        if (x != y || !x) return x - y;
    }
}

int __wrap_memcmp(const void* a, const void* b, std::size_t size) {
    touch(a, size, false, PC);
    touch(b, size, false, PC);
    return std::memcmp(a, b, size);
}
}

void* operator new(std::size_t size) {
    return allocate_or_throw(size, 16, Allocator::scalar_new, PC);
}
void* operator new[](std::size_t size) {
    return allocate_or_throw(size, 16, Allocator::array_new, PC);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, std::size_t(alignment), Allocator::scalar_new, PC);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, std::size_t(alignment), Allocator::array_new, PC);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size, 16, Allocator::scalar_new, PC);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size, 16, Allocator::array_new, PC);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, std::size_t(alignment), Allocator::scalar_new, PC);
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, std::size_t(alignment), Allocator::array_new, PC);
}

void operator delete(void* block) noexcept { release(block, Allocator::scalar_new, PC); }
void operator delete[](void* block) noexcept { release(block, Allocator::array_new, PC); }
void operator delete(void* block, std::size_t) noexcept {
    release(block, Allocator::scalar_new, PC);
}
void operator delete[](void* block, std::size_t) noexcept {
    release(block, Allocator::array_new, PC);
}
void operator delete(void* block, std::align_val_t) noexcept {
    release(block, Allocator::scalar_new, PC);
}
void operator delete[](void* block, std::align_val_t) noexcept {
    release(block, Allocator::array_new, PC);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    release(block, Allocator::scalar_new, PC);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
    release(block, Allocator::array_new, PC);
}
