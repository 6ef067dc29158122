// The timer interrupt of a RISC-V hart in machine mode, and the switch that turns QEMU's `virt` board off.

#include <stdint.h>

#define TEST_FINISHER (*(volatile uint32_t *)0x00100000)
#define MTIMECMP (*(volatile uint64_t *)0x02004000)  // hart 0: the interrupt is pending while mtime >= mtimecmp
#define MTIME (*(volatile uint64_t *)0x0200bff8)     // counts 10 million a second

// csr_read(mcause), csr_write(mtvec, address), csr_set(mie, bits), csr_clear(mie, bits)
#define csr_read(csr) ({ uint64_t v; __asm__ volatile("csrr %0, " #csr : "=r"(v)); v; })
#define csr_write(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"(v) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" ::"r"(bits) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " #csr ", %0" ::"r"(bits) : "memory")

// End the emulator: its exit code is `code`.
void power_off(uint16_t code)
{
    (void)code;  // TODO: one store to TEST_FINISHER
}

// TODO: a function that the hart jumps to when the timer rings. It is not called like a function of C: it may
// interrupt anything, so every register must be as before when it returns, and it returns by mret.

// Tick every `every` units of mtime, the first time one interval from now; the count starts at 0.
void timer_start(uint64_t every)
{
    (void)every;  // TODO: the deadline, mtvec, mie, mstatus
}

// The ticks since timer_start.
uint64_t timer_ticks(void)
{
    return 0;  // TODO
}

// Return when `n` more ticks have come; the hart sleeps meanwhile.
void timer_wait(uint64_t n)
{
    (void)n;  // TODO: wfi
}

// No ticks from here on.
void timer_stop(void)
{
    // TODO
}
