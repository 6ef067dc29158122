#include "board.h"

static volatile uint8_t *const uart = (volatile uint8_t *)UART0;

void board_putc(char byte)
{
    while (!(uart[5] & 0x20))
        ;
    uart[0] = (uint8_t)byte;
}

char board_getc(void)
{
    while (!(uart[5] & 0x01))
        ;
    return (char)uart[0];
}

void board_print(const char *text)
{
    while (*text)
        board_putc(*text++);
}

char *board_format(char *to, uint64_t n)
{
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + n % 10);
    while (n /= 10);
    while (count)
        *to++ = digits[--count];
    *to = 0;
    return to;
}

void board_print_number(uint64_t n)
{
    char text[24];
    board_format(text, n);
    board_print(text);
}

uint64_t board_parse(const char **text)
{
    uint64_t n = 0;
    while (**text == ' ')
        ++*text;
    for (; **text >= '0' && **text <= '9'; ++*text)
        n = n * 10 + (uint64_t)(**text - '0');
    return n;
}

uint64_t board_read_number(void)
{
    uint64_t n = 0;
    char c = board_getc();
    for (; c >= '0' && c <= '9'; c = board_getc())
        n = n * 10 + (uint64_t)(c - '0');
    return n;
}

/* End the emulator; the exit code is `code`. */
_Noreturn void board_halt(unsigned code)
{
    *(volatile uint32_t *)0x100000 = code ? code << 16 | 0x3333 : 0x5555;
    for (;;)
        ;
}

_Noreturn void board_stray_trap(uint64_t cause, uint64_t pc, uint64_t value)
{
    board_print("\nstray ");
    board_print_number(cause);
    board_putc(' ');
    board_print_number(pc);
    board_putc(' ');
    board_print_number(value);
    board_putc('\n');
    board_halt(98);
}

/* The compiler may ask for these, and there is no C library. */
void *memset(void *to, int byte, size_t n)
{
    for (char *p = to; n--;)
        *p++ = (char)byte;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (t < f)
        while (n--)
            *t++ = *f++;
    else
        while (n--)
            t[n] = f[n];
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) { return memmove(to, from, n); }
