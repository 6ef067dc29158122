// What is wrong, told once: the report is written and the program ends.
#pragma once

#include <cstdint>
#include <string>

#include "machine.h"

namespace mlsys {

// A JSON object in the making.
class Json {
  public:
    Json &put(const char *key, const char *value);
    Json &put(const char *key, const std::string &value) { return put(key, value.c_str()); }
    Json &put(const char *key, unsigned long long value);
    Json &put(const char *key, unsigned long value) { return put(key, (unsigned long long)value); }
    Json &put(const char *key, unsigned value) { return put(key, (unsigned long long)value); }
    Json &put(const char *key, long long value);
    Json &put(const char *key, int value) { return put(key, (long long)value); }
    Json &put(const char *key, bool value) { return raw(key, value ? "true" : "false"); }
    Json &put(const char *key, uint3 value);
    Json &put(const char *key, Site value);
    Json &raw(const char *key, const std::string &value);
    std::string text() const { return "{" + body + "}"; }

  private:
    std::string body;
};
std::string quoted(const char *text);

constexpr int exit_with_error = 87;
extern volatile int time_is_over;  // set by a signal, and looked at where it is safe to say so

// An error of a kind, with who met it filled in. Ends the program.
[[noreturn]] void fail(const char *kind, Json details);
[[noreturn]] void fail_as_told(const std::string &json);  // one that was described before
void describe(Json &json, const Thread &thread);
// The same for a thread of the running launch that is known by its number.
std::string described(uint32_t who, uint32_t pc, Access access);
void describe_place(Json &json, uintptr_t address, size_t size);

void note(const char *kind, Json details);  // something worth knowing that is not wrong
void write_report(const std::string &error);
const char *access_word(Access access);

// a place of the program that called the runtime
#define MLSYS_PC() ((uint32_t)(uintptr_t)__builtin_return_address(0))

}  // namespace mlsys

extern "C" void __real__exit(int) __attribute__((noreturn));
