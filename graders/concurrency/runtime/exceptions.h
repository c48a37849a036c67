// Exceptions of the program. The C++ library keeps its own data in front of each: where the object's
// destructor is, what its type is, who is to be called next. The program may touch the object only.
#pragma once

#include <vector>

#include "base.h"

namespace gauntlet {

class Exceptions {
  public:
    // `object` has room behind a header of the library's.
    void made(Address object, std::size_t size);
    void freed(Address object);
    // Takes down what destroys the object, which is called by us and not by the library.
    void thrown(Address object, void (*destroy)(void*));
    // The library threw it, and destroys it: what is inside is the library's too.
    void seal(Address object);
    bool knows_object(Address object) const;
    // The unwinder's part of a header, which is how libgcc names an exception.
    bool knows_unwinders(Address part) const;
    bool are_the_librarys(Address at, std::size_t size) const;
    void destroy(Address object) const;
    void clear() { objects_.clear(); }

  private:
    struct Object {
        Address at;
        std::size_t size;
        void (*destroy)(void*) = nullptr;
        bool sealed = false;
    };

    std::vector<Object> objects_;  // of this execution, thrown or not
};

extern Exceptions exceptions;

}  // namespace gauntlet
