#include "exceptions.h"

#include <algorithm>
#include <dlfcn.h>
#include <string_view>
#include <unwind.h>

#include "boundary.h"
#include "entry.h"
#include "execution.h"

using namespace gauntlet;

#define PC reinterpret_cast<Address>(__builtin_return_address(0))

namespace gauntlet {

Exceptions exceptions;

namespace {

// Itanium C++ ABI, 2.2: libstdc++'s __cxa_refcounted_exception ends where the object begins, and
// ends itself with the unwinder's part.
constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kUnwindersBytes = sizeof(_Unwind_Exception);

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The library follows a type to its bases, through tables of virtual functions. So the type must be
// one that the compiler made: its table the library's, and itself where nothing can be written.
bool is_genuine(Address type, unsigned depth = 0) {
    constexpr unsigned kMostBases = 16;
    if (depth > kMostBases || !boundary.is_constant(type, 16)) return false;
    const auto table = static_cast<Address>(load_bytes(type, 8));
    Dl_info found{};
    if (!dladdr(reinterpret_cast<void*>(table), &found) || !found.dli_sname) return false;
    const std::string_view name = found.dli_sname;
    if (!name.starts_with("_ZTVN10__cxxabiv1") || !boundary.is_a_librarys(table) ||
        table != reinterpret_cast<Address>(found.dli_saddr) + 16)
        return false;
    const auto base = [&](std::size_t offset) {
        return boundary.is_constant(type + offset, 8) &&
               is_genuine(static_cast<Address>(load_bytes(type + offset, 8)), depth + 1);
    };
    if (name == "_ZTVN10__cxxabiv120__si_class_type_infoE") return base(16);
    if (name == "_ZTVN10__cxxabiv119__pointer_type_infoE") return base(24);
    if (name == "_ZTVN10__cxxabiv121__vmi_class_type_infoE") {
        const auto bases = static_cast<unsigned>(load_bytes(type + 20, 4));
        if (bases > kMostBases) return false;
        for (unsigned i = 0; i < bases; ++i)
            if (!base(24 + 16 * i)) return false;
        return true;
    }
    return name == "_ZTVN10__cxxabiv117__class_type_infoE" ||
           name == "_ZTVN10__cxxabiv123__fundamental_type_infoE" ||
           name == "_ZTVN10__cxxabiv116__enum_type_infoE";
}

// The standard exceptions with a text: a table of functions and a counted string. The library's
// destructor counts down in front of the text, which must therefore be the program's own.
bool is_textual_destructor(Address destroy, Address object) {
    Dl_info found{};
    if (!dladdr(reinterpret_cast<void*>(destroy), &found) || !found.dli_sname ||
        reinterpret_cast<Address>(found.dli_saddr) != destroy)
        return false;
    constexpr std::string_view classes[] = {
        "11logic_error", "12domain_error", "16invalid_argument", "12length_error", "12out_of_range",
        "13runtime_error", "11range_error", "14overflow_error", "15underflow_error"};
    const bool known = std::any_of(std::begin(classes), std::end(classes), [&](auto name) {
        const std::string start = "_ZNSt" + std::string(name) + "D";
        return found.dli_sname == start + "1Ev" || found.dli_sname == start + "2Ev";
    });
    if (!known || !boundary.owns(object, 16)) return false;
    constexpr std::size_t kCountBytes = 24;
    const auto text = static_cast<Address>(load_bytes(object + 8, 8));
    if (boundary.owns(text - kCountBytes, kCountBytes)) return true;
    return dladdr(reinterpret_cast<void*>(text), &found) && found.dli_sname &&
           std::string_view(found.dli_sname) == "_ZNSs4_Rep20_S_empty_rep_storageE";
}

// What the library is told to call when it destroys an exception.
void destroy_object(void* object) { exceptions.destroy(reinterpret_cast<Address>(object)); }

[[noreturn]] void refuse(const char* what, Address pc) {
    the_execution->fail("foreign_jump",
                        std::string("An exception must be thrown and caught by the language's own "
                                    "words: ") +
                            what + " is no exception of this program's.",
                        pc);
}

}  // namespace

void Exceptions::made(Address object, std::size_t size) { objects_.push_back({object, size}); }

void Exceptions::freed(Address object) {
    std::erase_if(objects_, [object](const Object& one) { return one.at == object; });
}

void Exceptions::thrown(Address object, void (*destroy)(void*)) {
    for (Object& one : objects_)
        if (one.at == object) one.destroy = destroy;
}

void Exceptions::seal(Address object) {
    for (Object& one : objects_)
        if (one.at == object) one.sealed = true;
}

bool Exceptions::knows_object(Address object) const {
    return std::any_of(objects_.begin(), objects_.end(),
                       [object](const Object& one) { return one.at == object; });
}

bool Exceptions::knows_unwinders(Address part) const {
    return knows_object(part + kUnwindersBytes);
}

bool Exceptions::are_the_librarys(Address at, std::size_t size) const {
    return std::any_of(objects_.begin(), objects_.end(), [at, size](const Object& one) {
        return at < one.at + (one.sealed ? one.size : 0) && at + size > one.at - kHeaderBytes;
    });
}

void Exceptions::destroy(Address object) const {
    for (const Object& one : objects_) {
        if (one.at != object || !one.destroy) continue;
        const auto destroy = one.destroy;
        call_program(destroy, reinterpret_cast<void*>(object));
        return;
    }
}

}  // namespace gauntlet

// Defined for the whole process: the C++ library throws and frees on the program's behalf.
extern "C" {

// Headers of the library declare it with other types.
[[noreturn]] void gauntlet_throw(void*, const void*, void (*)(void*)) asm("__cxa_throw");

void* __cxa_allocate_exception(std::size_t size) noexcept {
    void* object = next<void*(std::size_t)>("__cxa_allocate_exception")(size);
    if (checked()) {
        InRuntime inside;
        exceptions.made(reinterpret_cast<Address>(object), size);
    }
    return object;
}

void __cxa_free_exception(void* object) noexcept {
    if (checked()) {
        InRuntime inside;
        if (!exceptions.knows_object(reinterpret_cast<Address>(object))) refuse("what is freed", PC);
        exceptions.freed(reinterpret_cast<Address>(object));
    }
    next<void(void*)>("__cxa_free_exception")(object);
}

void gauntlet_throw(void* object, const void* type, void (*destroy)(void*)) {
    const auto at = reinterpret_cast<Address>(object);
    if (checked() && !the_execution->is_program_code(PC)) {
        exceptions.seal(at);
    } else if (checked()) {
        InRuntime inside;
        if (!exceptions.knows_object(at)) refuse("what is thrown", PC);
        if (!is_genuine(reinterpret_cast<Address>(type))) refuse("the type thrown", PC);
        if (destroy && is_textual_destructor(reinterpret_cast<Address>(destroy), at)) {
            exceptions.seal(at);
        } else if (destroy) {
            guard_call(reinterpret_cast<Address>(destroy), PC);
            exceptions.thrown(at, destroy);
            destroy = destroy_object;
        }
    }
    next<void(void*, const void*, void (*)(void*))>("__cxa_throw")(object, type, destroy);
    __builtin_unreachable();
}

void* __cxa_begin_catch(void* part) noexcept {
    if (checked() && the_execution->is_program_code(PC)) {
        InRuntime inside;
        if (!exceptions.knows_unwinders(reinterpret_cast<Address>(part))) refuse("what is caught", PC);
    }
    return next<void*(void*)>("__cxa_begin_catch")(part);
}

void* __cxa_get_exception_ptr(void* part) noexcept {
    if (checked() && the_execution->is_program_code(PC)) {
        InRuntime inside;
        if (!exceptions.knows_unwinders(reinterpret_cast<Address>(part))) refuse("what is caught", PC);
    }
    return next<void*(void*)>("__cxa_get_exception_ptr")(part);
}

// A jump to the unwinder's own, since that begins with the frame of its caller.
bool gauntlet_may_resume(void* part, Address pc) {
    if (!checked() || !the_execution->is_program_code(pc)) return true;
    InRuntime inside;
    if (!exceptions.knows_unwinders(reinterpret_cast<Address>(part))) refuse("what goes on", pc);
    return true;
}

void* gauntlet_next_resume() {
    static auto* const real = next<void(_Unwind_Exception*)>("_Unwind_Resume");
    return reinterpret_cast<void*>(real);
}
}

asm(R"(
    .text
    .globl _Unwind_Resume
    .type _Unwind_Resume, @function
_Unwind_Resume:
    .cfi_startproc
    push %rdi
    .cfi_adjust_cfa_offset 8
    mov 8(%rsp), %rsi
    call gauntlet_may_resume
    call gauntlet_next_resume
    pop %rdi
    .cfi_adjust_cfa_offset -8
    jmp *%rax
    .cfi_endproc
    .size _Unwind_Resume, . - _Unwind_Resume
)");
