// The serial port of QEMU's `virt` board: an NS16550A, eight registers of one byte each.

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
enum { FCR_ENABLE_AND_CLEAR = 0x07, LCR_8N1 = 0x03 };

static volatile uint8_t *reg(uintptr_t base, int number) { return (volatile uint8_t *)(base + (uintptr_t)number); }

void uart_init(uintptr_t base)
{
    *reg(base, IER) = 0;  // we ask; it does not interrupt
    *reg(base, LCR) = LCR_8N1;
    *reg(base, FCR) = FCR_ENABLE_AND_CLEAR;
}

void uart_putc(uintptr_t base, char byte)
{
    while (!(*reg(base, LSR) & LSR_CAN_SEND))
        ;
    *reg(base, THR) = (uint8_t)byte;
}

char uart_getc(uintptr_t base)
{
    while (!(*reg(base, LSR) & LSR_RECEIVED))
        ;
    return (char)*reg(base, RBR);
}

void uart_puts(uintptr_t base, const char *text)
{
    while (*text)
        uart_putc(base, *text++);
}

// Read up to '\n', which is not stored; '\r' is dropped. At most size - 1 bytes and a 0 go into `line`: the rest of
// a longer line is read and dropped. Returns the number of bytes stored.
size_t uart_getline(uintptr_t base, char *line, size_t size)
{
    size_t length = 0;
    for (char c; (c = uart_getc(base)) != '\n';)
        if (c != '\r' && length < size)
            line[length++] = c;
    line[length] = 0;
    return length;
}
