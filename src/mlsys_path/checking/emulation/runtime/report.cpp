// The report: one JSON document, written when the program ends or when something is wrong.
#include "errors.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <execinfo.h>

#include "memory.h"
#include "streams.h"

namespace mlsys {

const std::map<std::string, Kernel> &all_kernels();
const std::string &launches_as_json();

namespace {

std::string notes;
size_t notes_count = 0;
bool is_written = false;
constexpr size_t most_notes = 200;

const char *text_of(int word)
{
    static const char *const words[] = {"read", "write", "atomic", "read", "write"};
    return words[word];
}

}  // namespace

const char *access_word(Access access) { return text_of((int)access); }

std::string quoted(const char *text)
{
    std::string out = "\"";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            out += '\\', out += *text;
        else if (c < 0x20)
            out += ' ';
        else
            out += *text;
    }
    return out + "\"";
}

Json &Json::raw(const char *key, const std::string &value)
{
    body += (body.empty() ? "" : ",") + quoted(key) + ":" + value;
    return *this;
}
Json &Json::put(const char *key, const char *value) { return raw(key, quoted(value)); }
Json &Json::put(const char *key, unsigned long long value) { return raw(key, std::to_string(value)); }
Json &Json::put(const char *key, long long value) { return raw(key, std::to_string(value)); }
Json &Json::put(const char *key, uint3 v)
{
    return raw(key, "[" + std::to_string(v.x) + "," + std::to_string(v.y) + "," + std::to_string(v.z) + "]");
}
Json &Json::put(const char *key, Site at)
{
    if (!at.file)
        return *this;
    const char *slash = strrchr(at.file, '/');
    return raw(key, "[" + quoted(slash ? slash + 1 : at.file) + "," + std::to_string(at.line) + "]");
}

void describe(Json &json, const Thread &t)
{
    json.put("kernel", running->kernel->name).put("launched", running->at);
    json.put("block", t.block->index).put("thread", t.id);
    json.put("grid", uint3(running->grid)).put("threads_of_block", uint3(running->block));
}

std::string described(uint32_t who, uint32_t pc, Access access)
{
    uint32_t linear = who >> 10, index = who & 1023;
    dim3 grid = running->grid, block = running->block;
    Json json;
    json.put("block", uint3(linear % grid.x, linear / grid.x % grid.y, linear / grid.x / grid.y));
    json.put("thread", uint3(index % block.x, index / block.x % block.y, index / block.x / block.y));
    return json.put("access", access_word(access)).put("pc", pc).text();
}

void describe_place(Json &json, uintptr_t address, size_t size)
{
    if (in_block_memory(address)) {
        uint32_t offset = (uint32_t)(address - (uintptr_t)block_memory.base);
        json.put("space", "shared");
        if (offset >= dynamic_base)
            json.put("name", "").put("offset", (long long)offset - dynamic_base).put("extent", running ? running->dynamic : 0);
        else if (Slot *slot = slot_at(offset))
            json.put("name", slot->name).put("offset", (long long)offset - slot->offset).put("extent", slot->size).put("element", slot->extent);
        return;
    }
    if (Section *section = section_of(address)) {
        json.put("space", section->constant ? "constant" : "variable");
        return;
    }
    if (!in_arena(address)) {
        json.put("space", pinned_at(address, size) ? "pinned" : "host");
        return;
    }
    json.put("space", "global");
    uint32_t offset = (uint32_t)(address - (uintptr_t)device.base);
    Allocation *found = allocation_at(offset);
    if (!found)
        return;
    json.put("extent", (unsigned long long)found->size).put("offset", (long long)offset - (long long)found->offset);
    json.put("made", found->made);
    if (!found->live)
        json.put("freed", found->gone);
    // which of the kernel's parameters points into it: the nearest below the address
    const char *base = device.base + found->offset, *best = nullptr;
    unsigned parameter = 0;
    if (running)
        for (unsigned i = 0; i < running->pointers.size(); i++) {
            const char *pointer = (const char *)running->pointers[i];
            if (!pointer || pointer < base || pointer > base + found->size)
                continue;
            bool better = !best || ((uintptr_t)pointer <= address && (pointer > best || (uintptr_t)best > address));
            if (better)
                best = pointer, parameter = i;
        }
    if (best)
        json.put("parameter", parameter).put("from_parameter", (long long)(address - (uintptr_t)best))
            .put("after_parameter", (unsigned long long)(base + found->size - best));
}

void note(const char *kind, Json details)
{
    if (notes_count++ < most_notes)
        notes += (notes.empty() ? "" : ",") + details.put("kind", kind).text();
}

namespace {

std::string totals_as_json(const Totals &t)
{
    Json json;
    json.put("pc", t.pc).put("access", text_of(t.access)).put("size", (unsigned)t.size);
    json.put("space", t.shared ? "shared" : "global");
    json.put("requests", (unsigned long long)t.requests).put("lanes", (unsigned long long)t.lanes);
    json.put("bytes", (unsigned long long)t.bytes).put("used", (unsigned long long)t.used).put("ways", t.ways);
    if (t.shared)
        json.put("wavefronts", (unsigned long long)t.wavefronts).put("least", (unsigned long long)t.least_wavefronts);
    else
        json.put("sectors", (unsigned long long)t.sectors).put("least", (unsigned long long)t.least_sectors);
    return json.text();
}

std::string kernels_as_json()
{
    std::string all;
    for (const auto &[name, kernel] : all_kernels()) {
        std::string sites;
        for (const Totals &totals : kernel.sites)
            if (totals.requests)
                sites += (sites.empty() ? "" : ",") + totals_as_json(totals);
        Json json;
        json.put("name", name).put("launches", (unsigned long long)kernel.launches);
        json.put("blocks", (unsigned long long)kernel.blocks).put("threads", (unsigned long long)kernel.threads);
        json.put("barriers", (unsigned long long)kernel.barriers).put("warp_calls", (unsigned long long)kernel.warp_calls);
        json.put("static_shared", kernel.static_shared).raw("sites", "[" + sites + "]");
        all += (all.empty() ? "" : ",") + json.text();
    }
    return all;
}

std::string operations_as_json()
{
    static const char *const words[] = {"kernel", "copy", "set", "host", "event"};
    std::string all;
    for (const Operation &operation : operations()) {
        std::string clock;
        for (uint32_t tick : operation.clock)
            clock += (clock.empty() ? "" : ",") + std::to_string(tick);
        Json json;
        json.put("number", operation.number).put("work", words[(int)operation.work]).put("name", operation.name);
        json.put("stream", operation.stream).put("tick", operation.tick).put("bytes", (unsigned long long)operation.bytes);
        json.put("at", operation.at).raw("clock", "[" + clock + "]");
        all += (all.empty() ? "" : ",") + json.text();
    }
    return all;
}

}  // namespace

void write_report(const std::string &error)
{
    const char *path = getenv("MLSYS_REPORT");
    if (!path || is_written)
        return;
    is_written = true;
    Json json;
    json.raw("error", error.empty() ? "null" : error);
    json.raw("launches", "[" + launches_as_json() + "]").raw("kernels", "[" + kernels_as_json() + "]");
    json.raw("operations", "[" + operations_as_json() + "]").raw("notes", "[" + notes + "]");
    std::string text = json.text();
    int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (size_t at = 0; file >= 0 && at < text.size();) {
        ssize_t done = write(file, text.data() + at, text.size() - at);
        if (done <= 0)
            break;
        at += (size_t)done;
    }
    close(file);
}

extern "C" void __real__exit(int) __attribute__((noreturn));

void fail(const char *kind, Json details)
{
    // an error that may follow from a read of nothing: that read is what to tell of
    if (running && running->suspect.open && strcmp(kind, "race") != 0)
        fail_as_told(running->suspect.told);
    fail_as_told(details.put("kind", kind).text());
}

void fail_as_told(const std::string &json)
{
    // what was printed before belongs to what is known
    Thread *t = now;
    now = nullptr;
    if (t && running)
        for (Warp *warp : t->block->warps)
            finish_interval(*warp);
    fflush(stdout);
    write_report(json);
    __real__exit(exit_with_error);
}

namespace {

void on_signal(int number, siginfo_t *info, void *raw)
{
    ucontext_t *at = (ucontext_t *)raw;
    uintptr_t pc = 0;
#if defined(__x86_64__)
    pc = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    pc = at->uc_mcontext.pc;
#endif
    Thread *t = now;
    Json json;
    if (t && running)
        describe(json, *t);
    json.put("pc", (unsigned)(pc < 0xffffffff ? pc + 1 : 0)).put("signal", number);
    uintptr_t address = (uintptr_t)info->si_addr;
    const char *kind = "crash";
    if (number == SIGALRM) {
        kind = "timeout";
        if (!running || !t) {
            // the host's own time is the checker's to watch
            return;
        }
    } else if (t && address - ((uintptr_t)t->stack - 4096) < 4096) {
        kind = "stack-overflow";
    } else if (!t && in_arena(address)) {
        kind = "device-pointer-on-host";
    }
    if (pc >= 0xffffffff || !pc) {
        // in a library: the nearest of its callers that is in the program
        void *frames[32];
        int count = backtrace(frames, 32);
        for (int i = 0; i < count; i++)
            if ((uintptr_t)frames[i] < 0xffffffff) {
                json = Json();
                if (t && running)
                    describe(json, *t);
                json.put("pc", (unsigned)(uintptr_t)frames[i]).put("signal", number);
                break;
            }
    }
    fail(kind, json);
}

// After the program's own destructors, before ours: nothing of what the report tells is gone yet.
void at_end(int code, void *)
{
    write_report("");
    fflush(nullptr);
    __real__exit(code);
}

// The last of the runtime's initialisers, and the runtime is linked before the program: all is ready when the program's run.
bool begin()
{
    set_up_memory();
    static char other_stack[64 << 10];
    stack_t stack{};
    stack.ss_sp = other_stack, stack.ss_size = sizeof other_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM})
        sigaction(number, &action, nullptr);
    if (const char *seconds = getenv("MLSYS_SECONDS")) {
        double left = strtod(seconds, nullptr);
        itimerval timer{};
        timer.it_value.tv_sec = (time_t)left, timer.it_value.tv_usec = (suseconds_t)((left - (double)(time_t)left) * 1e6);
        // once it is over, a kernel that begins is stopped soon
        timer.it_interval.tv_usec = 50000;
        if (left > 0)
            setitimer(ITIMER_REAL, &timer, nullptr);
    }
    on_exit(at_end, nullptr);
    return true;
}
const bool begun = begin();

}  // namespace

}  // namespace mlsys

using namespace mlsys;

extern "C" {

void __real__Exit(int) __attribute__((noreturn));

void __wrap__exit(int code)
{
    write_report("");
    __real__exit(code);
}
void __wrap__Exit(int code)
{
    write_report("");
    __real__Exit(code);
}

void mlsys_trap(const char *what, Site at)
{
    if (!now)
        abort();
    Json json;
    describe(json, *now);
    fail("trap", json.put("what", what).put("at", at));
}

void __wrap___assert_fail(const char *expression, const char *file, unsigned line, const char *)
{
    if (!now) {
        fflush(stdout);
        fprintf(stderr, "%s:%u: assertion failed: %s\n", file, line, expression);
        abort();
    }
    Json json;
    describe(json, *now);
    fail("assert", json.put("what", expression).put("at", Site{file, line}));
}
}
