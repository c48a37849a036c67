#include "symbols.h"

#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <elf.h>
#include <fstream>
#include <iterator>

namespace gauntlet {

namespace {

template <class T>
T read_at(const std::string& file, std::size_t offset) {
    T value{};
    if (offset + sizeof value <= file.size()) std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

std::string demangled(const char* name) {
    int status = 0;
    char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
    const std::string result = status == 0 ? text : name;
    std::free(text);
    return result;
}

}  // namespace

Symbols::Symbols(const std::string& path) {
    std::ifstream input(path, std::ios::binary);
    const std::string file((std::istreambuf_iterator<char>(input)), {});
    const auto header = read_at<Elf64_Ehdr>(file, 0);
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        const auto table = read_at<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
        if (table.sh_type != SHT_SYMTAB) continue;
        const auto names =
            read_at<Elf64_Shdr>(file, header.e_shoff + table.sh_link * sizeof(Elf64_Shdr));
        for (std::size_t at = 0; at < table.sh_size; at += sizeof(Elf64_Sym)) {
            const auto symbol = read_at<Elf64_Sym>(file, table.sh_offset + at);
            if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF)
                functions_.push_back(symbol.st_value);
            const std::size_t name = names.sh_offset + symbol.st_name;
            if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || name >= file.size()) continue;
            variables_.push_back({symbol.st_value, symbol.st_size, demangled(file.c_str() + name)});
        }
    }
}

std::string Symbols::variable(Address offset) const {
    for (const Variable& v : variables_)
        if (offset - v.offset < v.bytes)
            return offset == v.offset ? v.name : v.name + "+" + std::to_string(offset - v.offset);
    return "";
}

}  // namespace gauntlet
