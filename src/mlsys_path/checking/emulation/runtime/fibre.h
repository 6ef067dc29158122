// Fibres: each thread of a block has a stack of its own, and goes on where it stopped.
#pragma once

#include <cstddef>

namespace mlsys {

// What a stopped fibre, or the scheduler, needs to go on.
struct Context {
    void *stack_pointer = nullptr;
    void *portable = nullptr;  // a ucontext, on processors without a switch of our own
};

constexpr size_t stack_bytes = 64 << 10;

// A stack with a page below that nobody may touch; returns its lowest usable address.
char *new_stack();

// Have `context` begin with `entry()` on a stack. `entry` never returns.
void prepare(Context &context, char *stack, void (*entry)());

// Stop here and go on there.
void switch_to(Context &from, Context &to);

}  // namespace mlsys
