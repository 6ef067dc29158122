// Every access of a kernel passes here: is it allowed, does it race, what does it cost.
#pragma once

#include "errors.h"
#include "memory.h"

namespace mlsys {

void note_read(Thread &t, Space &space, Cell &cell, Access access, uint32_t pc, uintptr_t address, unsigned size);
void note_write(Thread &t, Space &space, Cell &cell, Access access, uint32_t pc, uintptr_t address, unsigned size);
void settle(Thread &t, uintptr_t address, bool is_atomic);
void take_knowledge(Thread &t, uintptr_t address);  // of what was released there
void give_knowledge(Thread &t, uintptr_t address);
void preempt(Thread &t, uint32_t pc);
void poll(Thread &t, uintptr_t address, uint64_t value);

// Judges one access; the caller makes it afterwards. A wide access of unknown alignment comes in numbered parts.
void access(uintptr_t address, unsigned size, Access access, uint32_t pc, unsigned part = 0);
void access_range(uintptr_t address, size_t size, Access access, uint32_t pc);

}  // namespace mlsys
