// Names of the program's variables, from the symbol table of its shared object.
#pragma once

#include <string>
#include <vector>

#include "base.h"

namespace gauntlet {

class Symbols {
  public:
    explicit Symbols(const std::string& path);
    // "name", "name+8", or empty; `offset` is relative to where the object was loaded.
    std::string variable(Address offset) const;

  private:
    struct Variable {
        Address offset;
        Address bytes;
        std::string name;
    };
    std::vector<Variable> variables_;
};

}  // namespace gauntlet
