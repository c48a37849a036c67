#include "image.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>

#include "boundary.h"

namespace gauntlet {

std::string Image::load(const char* path, Heap& heap, Shadow& shadow) {
    // dlopen looks for a name without a slash in the system's directories.
    char* real = realpath(path, nullptr);
    void* handle = dlopen(real ? real : path, RTLD_NOW | RTLD_LOCAL);
    in_program = false;  // __tsan_init, the first static initialiser, set it
    if (!handle) return dlerror();
    auto* scenarios = reinterpret_cast<check::Scenarios (*)()>(dlsym(handle, "gauntlet_scenarios"));
    if (!scenarios) return "the program defines no scenarios";
    link_map* map = nullptr;
    dlinfo(handle, RTLD_DI_LINKMAP, &map);
    base_ = map->l_addr;
    find_segments(map->l_name, shadow);
    boundary.draw(map->l_name, reinterpret_cast<Address>(scenarios), heap.base(), heap.bytes());
    scenarios_ = scenarios();
    for (Segment& segment : segments_)
        std::memcpy(segment.bytes.data(), reinterpret_cast<const void*>(segment.address),
                    segment.bytes.size());
    heap.remember();
    if (tls_bytes_ > Heap::kThreadLocalBytes) return "the program's thread_local data is too large";
    return "";
}

void Image::find_segments(const char* path, Shadow& shadow) {
    struct Search {
        const char* path;
        Image* image;
        Shadow* shadow;
    } search{path, this, &shadow};
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            auto& search = *static_cast<Search*>(data);
            Image& image = *search.image;
            if (std::strcmp(info->dlpi_name, search.path) != 0) return 0;
            Address relro_end = 0;
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const auto& header = info->dlpi_phdr[i];
                // The loader makes whole pages of it read-only after relocation.
                if (header.p_type == PT_GNU_RELRO)
                    relro_end = (info->dlpi_addr + header.p_vaddr + header.p_memsz) & ~Address{4095};
                if (header.p_type != PT_TLS) continue;
                image.tls_module_ = info->dlpi_tls_modid;
                image.tls_image_ =
                    reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
                image.tls_image_bytes_ = header.p_filesz;
                image.tls_bytes_ = header.p_memsz;
            }
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const auto& header = info->dlpi_phdr[i];
                if (header.p_type == PT_LOAD)
                    image.end_ = std::max(
                        image.end_, info->dlpi_addr + header.p_vaddr + header.p_memsz);
                if (header.p_type != PT_LOAD || !(header.p_flags & PF_W)) continue;
                const Address start = std::max(info->dlpi_addr + header.p_vaddr, relro_end);
                const Address end = info->dlpi_addr + header.p_vaddr + header.p_memsz;
                if (start >= end) continue;
                image.segments_.push_back({start, std::vector<char>(end - start)});
                search.shadow->watch(start, end - start);
            }
            return 1;
        },
        &search);
}

void Image::restore() {
    for (const Segment& segment : segments_)
        std::memcpy(reinterpret_cast<void*>(segment.address), segment.bytes.data(),
                    segment.bytes.size());
}

void Image::prepare_thread(unsigned thread, Heap& heap) {
    char* block = heap.thread_local_block(thread);
    std::memcpy(block, tls_image_, tls_image_bytes_);
    std::memset(block + tls_image_bytes_, 0, tls_bytes_ - tls_image_bytes_);
}

}  // namespace gauntlet
