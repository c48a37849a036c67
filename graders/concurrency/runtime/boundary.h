// What a program may touch, and where it may jump: it shares the process with its checker.
//
// Its memory accesses come through hooks, and gcc's retpoline options turn its indirect calls and
// its returns into jumps to functions of ours (boundary.cpp). So a wild pointer is a finding of the
// model checker, and no way into its data. On the stacks, what belongs to the runner is not the
// program's either: the frames below its own, and above them those of a hook that has not returned.
#pragma once

#include <string>
#include <vector>

#include "base.h"
#include "heap.h"

namespace gauntlet {

class Boundary {
  public:
    // Takes down what is loaded now. `program` is any address inside the program.
    void draw(const std::string& path, Address program, const Heap& heap);

    bool owns(Address at, std::size_t size) const {
        return arena_.contains(at, size) || program_.contains(at, size);
    }
    // What others' code keeps for everybody to read: tables of virtual functions, type names.
    bool may_read(Address at, std::size_t size) const;
    // What neither the program nor anybody else can write: tables and types made by a compiler.
    bool is_constant(Address at, std::size_t size) const;
    bool is_a_librarys(Address at) const;
    // A function of the program's, or one of the few of a library that a pointer may well lead to.
    bool may_call(Address target) const;
    // Whether `at` lies in the stacks of the program's threads.
    bool in_stacks(Address at) const { return stacks_.contains(at, 1); }

  private:
    struct Range {
        Address begin = 0;
        Address end = 0;
        bool contains(Address at, std::size_t size) const {
            return at >= begin && at < end && size <= end - at;
        }
    };

    Range arena_;
    Range stacks_;
    Range program_;
    std::vector<Range> readable_;     // of libraries
    std::vector<Range> constant_;     // of the program
    std::vector<Address> functions_;  // entries of the program's own, sorted
};

extern Boundary boundary;

// Fails the execution if the program must not touch this memory.
void guard(Address at, std::size_t size, bool writes, Address pc);

// Fails it if `target` is nothing that the program may have called.
void guard_call(Address target, Address pc);

}  // namespace gauntlet
