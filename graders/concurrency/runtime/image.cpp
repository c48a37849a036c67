#include "image.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <ios>
#include <iterator>
#include <link.h>

#include "boundary.h"

namespace gauntlet {

namespace {

// Standard streams are made here, once: a program that includes <iostream> must not be what makes
// them, in the memory of one of its executions.
std::ios_base::Init streams;

// Whether the loader would run code of this shared object while it opens it. program.ld leaves
// nothing of the kind; a program for which that is not so is not opened.
bool runs_when_opened(const char* path) {
    std::ifstream input(path, std::ios::binary);
    const std::string file((std::istreambuf_iterator<char>(input)), {});
    const auto read = [&file]<class T>(T& value, std::size_t offset) {
        if (offset > file.size() || sizeof value > file.size() - offset) return false;
        std::memcpy(&value, file.data() + offset, sizeof value);
        return true;
    };
    ElfW(Ehdr) header{};
    if (!read(header, 0)) return true;
    const auto relocates_by_code = [&](std::size_t offset, std::size_t bytes) {
        ElfW(Rela) one{};
        for (std::size_t at = 0; at + sizeof one <= bytes; at += sizeof one)
            if (!read(one, offset + at) || ELF64_R_TYPE(one.r_info) == R_X86_64_IRELATIVE)
                return true;
        return false;
    };
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        ElfW(Shdr) section{};
        if (!read(section, header.e_shoff + i * sizeof section)) return true;
        if (section.sh_type == SHT_RELA && (section.sh_flags & SHF_ALLOC) &&
            relocates_by_code(section.sh_offset, section.sh_size))
            return true;
    }
    bool has_dynamic = false;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        ElfW(Phdr) segment{};
        if (!read(segment, header.e_phoff + i * sizeof segment)) return true;
        if (segment.p_type != PT_DYNAMIC) continue;
        has_dynamic = true;
        ElfW(Dyn) entry{};
        for (std::size_t at = 0; at < segment.p_filesz; at += sizeof entry) {
            if (!read(entry, segment.p_offset + at)) return true;
            switch (entry.d_tag) {
                case DT_INIT:
                case DT_INIT_ARRAY:
                case DT_PREINIT_ARRAY:
                    return true;
            }
        }
    }
    return !has_dynamic;
}

}  // namespace

std::string Image::load(const char* path, const Heap& heap, Shadow& shadow) {
    // dlopen looks for a name without a slash in the system's directories.
    char* real = realpath(path, nullptr);
    if (real && runs_when_opened(real)) return "the program would run code before it is checked";
    void* handle = dlopen(real ? real : path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return dlerror();
    auto* scenarios = reinterpret_cast<check::Scenarios (*)()>(dlsym(handle, "gauntlet_scenarios"));
    if (!scenarios) return "the program defines no scenarios";
    link_map* map = nullptr;
    dlinfo(handle, RTLD_DI_LINKMAP, &map);
    base_ = map->l_addr;
    find_segments(map->l_name, shadow);
    boundary.draw(map->l_name, reinterpret_cast<Address>(scenarios), heap);
    scenarios_ = scenarios();
    const auto* end = static_cast<const Address*>(dlsym(handle, "gauntlet_initialisers_end"));
    for (const auto* at = static_cast<const Address*>(dlsym(handle, "gauntlet_initialisers_begin"));
         at && at < end; ++at)
        initialisers_.push_back(*at);
    for (Segment& segment : segments_)
        std::memcpy(segment.bytes.data(), reinterpret_cast<const void*>(segment.address),
                    segment.bytes.size());
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
