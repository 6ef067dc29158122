// The serial port of QEMU's `virt` board: an NS16550A, eight registers of one byte each.
// `base` is the address of register 0: 0x10000000 on this board, something else on the next.

#include <stddef.h>
#include <stdint.h>

enum {
    RBR = 0, THR = 0,  // the same address: reading takes a received byte, writing sends one
    IER = 1,           // interrupt enable
    FCR = 2,           // FIFO control
    LCR = 3,           // line control
    LSR = 5,           // line status
};
enum { LSR_RECEIVED = 0x01, LSR_CAN_SEND = 0x20 };

// 8 data bits, no parity, 1 stop bit; FIFOs on; no interrupts.
void uart_init(uintptr_t base)
{
    (void)base;  // TODO: three registers
}

// Wait until a byte can be sent, then send it.
void uart_putc(uintptr_t base, char byte)
{
    (void)base, (void)byte;  // TODO: poll LSR, write THR
}

// Wait until a byte has come, and return it.
char uart_getc(uintptr_t base)
{
    (void)base;  // TODO: poll LSR, read RBR
    return 0;
}

// Send every byte of a string, without the 0 at its end.
void uart_puts(uintptr_t base, const char *text)
{
    (void)base, (void)text;  // TODO
}

// Read up to '\n', which is not stored; '\r' is dropped. At most size - 1 bytes and a 0 go into `line`: the rest of
// a longer line is read and dropped. Returns the number of bytes stored.
size_t uart_getline(uintptr_t base, char *line, size_t size)
{
    (void)base, (void)size;  // TODO
    line[0] = 0;
    return 0;
}
