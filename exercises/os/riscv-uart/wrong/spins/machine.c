// The timer interrupt of a RISC-V hart in machine mode, and the switch that turns QEMU's `virt` board off.

#include <stdint.h>

#define TEST_FINISHER (*(volatile uint32_t *)0x00100000)
#define MTIMECMP (*(volatile uint64_t *)0x02004000)  // hart 0: the interrupt is pending while mtime >= mtimecmp
#define MTIME (*(volatile uint64_t *)0x0200bff8)     // counts 10 million a second

#define csr_read(csr) ({ uint64_t v; __asm__ volatile("csrr %0, " #csr : "=r"(v)); v; })
#define csr_write(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"r"(v) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" ::"r"(bits) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " #csr ", %0" ::"r"(bits) : "memory")

#define MSTATUS_MIE (1 << 3)  // the hart takes interrupts
#define MIE_MTIE (1 << 7)     // ... those of its timer too
#define MCAUSE_TIMER (1ull << 63 | 7)

static volatile uint64_t ticks;
static uint64_t interval;

// End the emulator: its exit code is `code`.
void power_off(uint16_t code)
{
    TEST_FINISHER = code ? (uint32_t)code << 16 | 0x3333 : 0x5555;
    for (;;)
        ;
}

// `interrupt` makes the compiler save every register that is used here, and return by mret.
__attribute__((interrupt("machine"), aligned(4))) static void trap(void)
{
    if (csr_read(mcause) != MCAUSE_TIMER)
        power_off(1);
    MTIMECMP += interval;  // from the last deadline and not from now: lateness must not add up
    ticks = ticks + 1;
}

// Tick every `every` units of mtime, the first time one interval from now; the count starts at 0.
void timer_start(uint64_t every)
{
    interval = every;
    ticks = 0;
    MTIMECMP = MTIME + interval;
    csr_write(mtvec, trap);
    csr_set(mie, MIE_MTIE);
    csr_set(mstatus, MSTATUS_MIE);
}

// The ticks since timer_start.
uint64_t timer_ticks(void) { return ticks; }

// Return when `n` more ticks have come; the hart sleeps meanwhile.
void timer_wait(uint64_t n)
{
    for (uint64_t until = ticks + n; ticks < until;)
        ;
}

// No ticks from here on.
void timer_stop(void) { csr_clear(mie, MIE_MTIE); }
