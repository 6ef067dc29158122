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

void timer_start(uint64_t every)
{
    interval = every;
    ticks = 0;
    MTIMECMP = MTIME + interval;
}

static void look(void)
{
    while (interval && MTIME >= MTIMECMP) {
        MTIMECMP += interval;
        ticks = ticks + 1;
    }
}

uint64_t timer_ticks(void)
{
    look();
    return ticks;
}

void timer_wait(uint64_t n)
{
    for (uint64_t until = ticks + n; ticks < until;)
        look();
}

// No ticks from here on.
void timer_stop(void) { interval = 0; }
