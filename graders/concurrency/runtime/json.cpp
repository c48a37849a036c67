#include "json.h"

#include <unistd.h>

namespace gauntlet {

void Json::separate() {
    if (!first_) text_ += ',';
    first_ = false;
}

Json& Json::open(char bracket) {
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
}

Json& Json::close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
}

Json& Json::raw(std::string_view text) {
    separate();
    text_ += text;
    return *this;
}

Json& Json::key(std::string_view name) {
    value(name);
    text_ += ':';
    first_ = true;
    return *this;
}

Json& Json::value(std::string_view text) {
    separate();
    text_ += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += c;
        } else if (byte < 0x20 || byte > 0x7e) {
            constexpr char digits[] = "0123456789abcdef";
            text_ += "\\u00";
            text_ += digits[byte >> 4];
            text_ += digits[byte & 15];
        } else {
            text_ += c;
        }
    }
    text_ += '"';
    return *this;
}

bool send_message(int descriptor, const Json& object) {
    std::string json = object.text();
    json.pop_back();
    json += json.size() > 1 ? ",\"blobs\":[]}" : "\"blobs\":[]}";
    const auto length = [](std::size_t n) {
        std::string bytes(4, '\0');
        for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(n >> 8 * i & 0xff);
        return bytes;
    };
    const std::string frame = length(json.size() + 4) + length(json.size()) + json;
    for (std::size_t sent = 0; sent < frame.size();) {
        const ssize_t n = write(descriptor, frame.data() + sent, frame.size() - sent);
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
    }
    return true;
}

}  // namespace gauntlet
