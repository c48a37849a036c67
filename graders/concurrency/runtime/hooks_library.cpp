// Functions of libstdc++ that work on the program's objects and are compiled without hooks: the links
// of std::list, the hash of a string, the growth of a hash table, exceptions with a text. Wrapped for
// the program itself.
#include <list>
#include <unordered_map>

#include "boundary.h"
#include "execution.h"

using namespace gauntlet;

#define PC reinterpret_cast<Address>(__builtin_return_address(0))

namespace {

void touch(const void* at, std::size_t size, bool writes, Address pc) {
    if (!checked() || size == 0) return;
    InRuntime inside;
    guard(reinterpret_cast<Address>(at), size, writes, pc);
    the_execution->plain(reinterpret_cast<Address>(at), size, writes, pc);
}

using Node = std::__detail::_List_node_base;
using Policy = std::__detail::_Prime_rehash_policy;

Node* next_of(Node* node, Address pc) {
    touch(&node->_M_next, sizeof node, false, pc);
    return node->_M_next;
}

Node* previous_of(Node* node, Address pc) {
    touch(&node->_M_prev, sizeof node, false, pc);
    return node->_M_prev;
}

void link(Node* before, Node* after, Address pc) {
    touch(&before->_M_next, sizeof after, true, pc);
    before->_M_next = after;
    touch(&after->_M_prev, sizeof before, true, pc);
    after->_M_prev = before;
}

}  // namespace

extern "C" {

// void _List_node_base::_M_hook(_List_node_base* position)
void __wrap__ZNSt8__detail15_List_node_base7_M_hookEPS0_(Node* node, Node* position) {
    Node* const before = previous_of(position, PC);
    link(before, node, PC);
    link(node, position, PC);
}

// void _List_node_base::_M_unhook()
void __wrap__ZNSt8__detail15_List_node_base9_M_unhookEv(Node* node) {
    Node* const after = next_of(node, PC);
    link(previous_of(node, PC), after, PC);
}

// void _List_node_base::_M_transfer(_List_node_base* first, _List_node_base* last): before `node`
void __wrap__ZNSt8__detail15_List_node_base11_M_transferEPS0_S1_(Node* node, Node* first, Node* last) {
    if (node == last) return;
    Node* const last_moved = previous_of(last, PC);
    Node* const before_first = previous_of(first, PC);
    Node* const before_node = previous_of(node, PC);
    link(before_first, last, PC);
    link(before_node, first, PC);
    link(last_moved, node, PC);
}

std::size_t __wrap__ZSt11_Hash_bytesPKvmm(const void* bytes, std::size_t size, std::size_t seed) {
    touch(bytes, size, false, PC);
    return std::_Hash_bytes(bytes, size, seed);
}

std::size_t __wrap__ZNKSt8__detail20_Prime_rehash_policy11_M_next_bktEm(const Policy* policy,
                                                                       std::size_t least) {
    touch(policy, sizeof *policy, true, PC);
    return policy->_M_next_bkt(least);
}

// pair<bool, size_t> as the ABI returns it: in two registers.
struct Growth {
    bool needed;
    std::size_t buckets;
};

Growth __wrap__ZNKSt8__detail20_Prime_rehash_policy14_M_need_rehashEmmm(const Policy* policy,
                                                                      std::size_t buckets,
                                                                      std::size_t elements,
                                                                      std::size_t more) {
    touch(policy, sizeof *policy, true, PC);
    const auto [needed, count] = policy->_M_need_rehash(buckets, elements, more);
    return {needed, count};
}

// Constructors from a text, which exceptions are thrown with: a table of functions, and a string.
#define TEXTUAL(name)                                                            \
    void gauntlet_make_##name(void*, const char*) asm("_ZNSt" #name "C1EPKc");    \
    void __wrap__ZNSt##name##C1EPKc(void* object, const char* text) {             \
        touch(object, 2 * sizeof(void*), true, PC);                               \
        touch(text, 1, false, PC);                                                \
        gauntlet_make_##name(object, text);                                       \
    }

TEXTUAL(11logic_error)
TEXTUAL(12domain_error)
TEXTUAL(16invalid_argument)
TEXTUAL(12length_error)
TEXTUAL(12out_of_range)
TEXTUAL(13runtime_error)
TEXTUAL(11range_error)
TEXTUAL(14overflow_error)
TEXTUAL(15underflow_error)
}
