// The report: one JSON document, written when the program ends or when something is wrong.
#include "errors.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <unistd.h>

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
        json.put("async_copies", (unsigned long long)kernel.async_copies);
        json.put("async_bytes", (unsigned long long)kernel.async_bytes).put("under_way", (unsigned long long)kernel.under_way);
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
