/* A serial port made of eight bytes of RAM. A timer interrupt plays the hardware: it changes the line status after
 * a delay, so that a driver that does not wait, or does not look again, is seen.
 *
 * Each request is a line "p|g byte before noise delay" and gets a line:
 *   "p early byte touched": what lay in the data register after uart_putc, and whether it lay there too early
 *   "g early byte touched": what uart_getc returned, and whether it returned too early
 *   "p hang": it never noticed that the status had changed
 * `touched` is the lowest other register that was written, 8 for none. A line "e" ends the program.
 */
#include "board.h"

enum { DATA = 0, LSR = 5, NONE = 8 };
enum { RECEIVED = 0x01, CAN_SEND = 0x20 };

static volatile uint8_t port[8] __attribute__((aligned(8)));
static volatile uint8_t kind, byte, before;
static volatile int rang, early;

static uint8_t filler(int i) { return (uint8_t)(0xa1 + 13 * i); }

__attribute__((interrupt("machine"), aligned(4))) static void play_hardware(void)
{
    if (rang) {  // it has had its time
        board_putc((char)kind);
        board_print(" hang\n");
        board_halt(0);
    }
    rang = 1;
    if (kind == 'p') {
        early = port[DATA] != before;
        port[LSR] |= CAN_SEND;
    } else {
        port[DATA] = byte;
        port[LSR] |= RECEIVED;
    }
    MTIMECMP = MTIME + 50000;
}

static int touched(uint8_t status)
{
    for (int i = 1; i < NONE; i++)
        if (port[i] != (i == LSR ? status : filler(i)))
            return i;
    return NONE;
}

int main(void)
{
    __asm__ volatile("csrw mtvec, %0" ::"r"(play_hardware));
    for (;;) {
        kind = (uint8_t)board_getc();
        board_getc();
        if (kind == 'e')
            return 0;
        byte = (uint8_t)board_read_number();
        before = (uint8_t)board_read_number();
        uint8_t flag = kind == 'p' ? CAN_SEND : RECEIVED;
        uint8_t status = (uint8_t)(board_read_number() & ~(unsigned)flag);
        uint64_t delay = board_read_number();
        for (int i = 1; i < NONE; i++)
            port[i] = filler(i);
        port[DATA] = before;
        port[LSR] = status;
        rang = early = 0;
        MTIMECMP = MTIME + delay;
        __asm__ volatile("csrs mie, %0" ::"r"(1 << 7));
        __asm__ volatile("csrsi mstatus, 8");
        uint8_t seen;
        if (kind == 'p') {
            uart_putc((uintptr_t)port, (char)byte);
            seen = port[DATA];
        } else {
            seen = (uint8_t)uart_getc((uintptr_t)port);
        }
        __asm__ volatile("csrci mstatus, 8");
        board_putc((char)kind);
        board_putc(' ');
        board_print_number((uint64_t)(early || !rang));
        board_putc(' ');
        board_print_number(seen);
        board_putc(' ');
        board_print_number((uint64_t)touched(rang ? status | flag : status));
        board_putc('\n');
    }
}
