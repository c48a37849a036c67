// Writes JSON text, piece by piece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gauntlet {

class Json {
  public:
    Json& object() { return open('{'); }
    Json& array() { return open('['); }
    Json& end_object() { return close('}'); }
    Json& end_array() { return close(']'); }
    Json& key(std::string_view name);
    Json& value(std::string_view text);
    Json& value(const char* text) { return value(std::string_view(text)); }
    Json& value(const std::string& text) { return value(std::string_view(text)); }
    Json& value(bool truth) { return raw(truth ? "true" : "false"); }
    Json& null() { return raw("null"); }
    template <class Number>
    Json& value(Number number) {
        return raw(std::to_string(number));
    }
    template <class T>
    Json& member(std::string_view name, const T& content) {
        key(name);
        return value(content);
    }
    const std::string& text() const { return text_; }

  private:
    Json& raw(std::string_view text);
    Json& open(char bracket);
    Json& close(char bracket);
    void separate();

    std::string text_;
    bool first_ = true;
};

// Sends one message to the grader: a length, then what graders.harness.wire calls the inside of a
// frame (the length of the JSON text, the text, no blobs). `object` is a JSON object without its
// "blobs" key. False when the grader has hung up.
bool send_message(int descriptor, const Json& object);

}  // namespace gauntlet
