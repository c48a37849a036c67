// How a kernel is called with the arguments of a plan, whatever the types of its parameters.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace gauntlet {

// One argument of a launch, as the plan has it; words of call.bin.
struct Argument {
    enum Kind : std::uint64_t { kPointer, kWhole, kReal } kind;
    union {
        void* pointer;
        long long whole;
        double real;
    };
    template <class T>
    T as() const {
        if constexpr (std::is_pointer_v<T>)
            return kind == kPointer ? static_cast<T>(pointer) : reinterpret_cast<T>(whole);
        else if (kind == kPointer)
            return static_cast<T>(reinterpret_cast<std::uintptr_t>(pointer));
        else
            return kind == kReal ? static_cast<T>(real) : static_cast<T>(whole);
    }
};

template <class... T, std::size_t... I>
void call(void (*kernel)(T...), const Argument* given, std::index_sequence<I...>) {
    kernel(given[I].as<std::remove_cv_t<T>>()...);
}
template <class... T>
void call(void (*kernel)(T...), const Argument* given) {
    call(kernel, given, std::index_sequence_for<T...>{});
}

struct Entry {
    void (*run)(void* arguments);
};

}  // namespace gauntlet
