// JSON, and threads and places of memory in it.
#include <cstring>

#include "errors.h"
#include "memory.h"

namespace mlsys {

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

}  // namespace mlsys
