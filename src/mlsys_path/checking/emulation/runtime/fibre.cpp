#include "fibre.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

namespace mlsys {

char *new_stack()
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) {
        fprintf(stderr, "the emulation has no memory for the stacks of this many threads\n");
        _exit(88);
    }
    return (char *)memory + page;
}

}  // namespace mlsys

#if defined(__x86_64__)

asm(R"(
    .text
    .p2align 4
    .globl mlsys_switch
    .type mlsys_switch, @function
mlsys_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size mlsys_switch, .-mlsys_switch
)");
extern "C" void mlsys_switch(void **save, void *restore);

namespace mlsys {

void prepare(Context &context, char *stack, void (*entry)())
{
    // at its first instruction a function finds a stack that is 8 bytes off a multiple of 16
    void **top = (void **)(stack + stack_bytes - 8);
    *top = nullptr;
    *--top = (void *)entry;
    for (int i = 0; i < 6; i++)
        *--top = nullptr;
    context.stack_pointer = top;
}

void switch_to(Context &from, Context &to) { mlsys_switch(&from.stack_pointer, to.stack_pointer); }

}  // namespace mlsys

#elif defined(__aarch64__)

asm(R"(
    .text
    .p2align 4
    .globl mlsys_switch
    .type mlsys_switch, @function
mlsys_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size mlsys_switch, .-mlsys_switch
)");
extern "C" void mlsys_switch(void **save, void *restore);

namespace mlsys {

void prepare(Context &context, char *stack, void (*entry)())
{
    void **top = (void **)(stack + stack_bytes - 160);
    for (int i = 0; i < 20; i++)
        top[i] = nullptr;
    top[11] = (void *)entry;  // the link register
    context.stack_pointer = top;
}

void switch_to(Context &from, Context &to) { mlsys_switch(&from.stack_pointer, to.stack_pointer); }

}  // namespace mlsys

#else

namespace mlsys {

void prepare(Context &context, char *stack, void (*entry)())
{
    if (!context.portable)
        context.portable = calloc(1, sizeof(ucontext_t));
    ucontext_t *made = (ucontext_t *)context.portable;
    getcontext(made);
    made->uc_stack.ss_sp = stack;
    made->uc_stack.ss_size = stack_bytes;
    made->uc_link = nullptr;
    makecontext(made, entry, 0);
}

void switch_to(Context &from, Context &to)
{
    if (!from.portable)
        from.portable = calloc(1, sizeof(ucontext_t));
    swapcontext((ucontext_t *)from.portable, (ucontext_t *)to.portable);
}

}  // namespace mlsys

#endif
