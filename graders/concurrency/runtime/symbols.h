// Names of the program's variables and places of its functions, from the symbol table of its shared object.
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
    // Where functions begin, as offsets.
    const std::vector<Address>& functions() const { return functions_; }

  private:
    struct Variable {
        Address offset;
        Address bytes;
        std::string name;
    };
    std::vector<Variable> variables_;
    std::vector<Address> functions_;
};

}  // namespace gauntlet
