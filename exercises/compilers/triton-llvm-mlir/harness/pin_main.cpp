// Reads one request from stdin, calls read_pin or distance, prints what came back. It judges nothing.
//
//   read COUNT, then for each file: PATH SIZE, newline, the bytes                 -> "ok HASH"
//   distance PIN MAJOR COUNT, then for each commit: HASH DATE TAGS, with , or -   -> "ok COMMITS DAYS"
//
// An exception is "error WHAT".
#include <exception>
#include <iostream>
#include <sstream>

#include "pin.h"

static void answer() {
    std::string what;
    size_t count = 0;
    std::cin >> what;
    if (what == "read") {
        std::cin >> count;
        std::map<std::string, std::string> files;
        while (count--) {
            std::string path;
            size_t size = 0;
            std::cin >> path >> size;
            std::cin.get();
            std::string text(size, '\0');
            std::cin.read(text.data(), static_cast<std::streamsize>(size));
            files[path] = text;
        }
        const std::string pin = read_pin(files);  // before anything is printed: it may throw
        std::cout << "ok " << pin << "\n";
        return;
    }
    std::string pin, word, tag;
    int major = 0;
    std::cin >> pin >> major >> count;
    std::vector<Commit> log(count);
    for (Commit &commit : log) {
        std::cin >> commit.hash >> commit.date >> word;
        std::istringstream tags(word == "-" ? "" : word);
        while (std::getline(tags, tag, ',')) commit.tags.push_back(tag);
    }
    const Distance d = distance(pin, major, log);
    std::cout << "ok " << d.commits << " " << d.days << "\n";
}

int main() {
    try {
        answer();
    } catch (const std::exception &error) {
        std::cout << "error " << error.what() << "\n";
    }
}
