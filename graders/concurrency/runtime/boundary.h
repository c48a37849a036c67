// What a program may touch, and where it may jump: it shares the process with its checker.
//
// Its memory accesses come through hooks, and gcc's retpoline options turn its indirect calls and
// its returns into jumps to functions of ours (boundary.cpp). So a wild pointer is a finding of the
// model checker, and no way into its data.
#pragma once

#include <string>
#include <vector>

#include "base.h"

namespace gauntlet {

class Boundary {
  public:
    // Takes down what is loaded now. `program` is any address inside the program, `arena` its heap,
    // stacks and thread_local variables.
    void draw(const std::string& path, Address program, Address arena, std::size_t arena_bytes);

    bool owns(Address at, std::size_t size) const {
        return arena_.contains(at, size) || program_.contains(at, size);
    }
    // What others' code keeps for everybody to read: tables of virtual functions, type names.
    bool may_read(Address at, std::size_t size) const;
    // A function of the program's, or one of the few of a library that a pointer may well lead to.
    bool may_call(Address target) const;
    bool may_return_to(Address target) const;

  private:
    struct Range {
        Address begin = 0;
        Address end = 0;
        bool contains(Address at, std::size_t size) const {
            return at >= begin && at < end && size <= end - at;
        }
    };

    Range arena_;
    Range program_;
    std::vector<Range> readable_;     // of libraries
    std::vector<Range> callers_;      // code that calls the program's: the runner and libstdc++
    std::vector<Address> functions_;  // entries of the program's own, sorted
};

extern Boundary boundary;

// Fails the execution if the program must not touch this memory.
void guard(Address at, std::size_t size, bool writes, Address pc);

}  // namespace gauntlet
