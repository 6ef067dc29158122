/* A program of one loop: it reads a command from the serial port, obeys, and answers, all through the learner's
 * driver. It decides nothing: it reports what it saw.
 *
 *   line                     the port's LCR, IER and the FIFO bits of IIR, as uart_init left them
 *   rev TEXT                 the length of the whole line, and TEXT backwards
 *   ticks N INTERVAL         timer_start, timer_wait: the ticks counted and the time that passed
 *   stop INTERVAL            one tick, timer_stop, five intervals more: the ticks counted
 *   work SEED N INTERVAL     N intervals of work in registers: their sum, and the ticks counted
 *   off CODE                 power_off
 *   halt                     the end, without the learner's power_off
 */
#include "board.h"

#ifndef BANNER
#define BANNER "hello"
#endif

enum { SIZE = 64, GUARD = 16, FILLER = 0x5a };

uint64_t spin_with_registers(uint64_t seed, uint64_t until);

static char line[SIZE + GUARD];
static char answer[SIZE + 64];

static int starts_with(const char *word)
{
    const char *p = line;
    while (*word)
        if (*p++ != *word++)
            return 0;
    return 1;
}

static void say_numbers(const char *name, uint64_t first, uint64_t second)
{
    char *end = answer;
    while (*name)
        *end++ = *name++;
    *end++ = ' ';
    end = board_format(end, first);
    *end++ = ' ';
    end = board_format(end, second);
    end[0] = '\n';
    end[1] = 0;
    uart_puts(UART0, answer);
}

static void reverse(size_t length)
{
    char *end = board_format(answer, length);
    *end++ = ' ';
    for (size_t i = length; i > 4; i--)
        *end++ = line[i - 1];
    end[0] = '\n';
    end[1] = 0;
    uart_puts(UART0, answer);
}

static void count_ticks(const char *p)
{
    uint64_t n = board_parse(&p), interval = board_parse(&p), began = MTIME;
    timer_start(interval);
    timer_wait(n);
    uint64_t passed = MTIME - began, ticks = timer_ticks();
    timer_stop();
    say_numbers("ticks", ticks, passed);
}

static void stop_ticking(const char *p)
{
    uint64_t interval = board_parse(&p);
    timer_start(interval);
    timer_wait(1);
    timer_stop();
    uint64_t at_stop = timer_ticks();
    for (uint64_t until = MTIME + 5 * interval; MTIME < until;)
        ;
    say_numbers("stop", at_stop, timer_ticks());
}

static void work(const char *p)
{
    uint64_t seed = board_parse(&p), n = board_parse(&p), interval = board_parse(&p);
    uint64_t until = MTIME + n * interval + interval / 2;
    timer_start(interval);
    uint64_t sum = spin_with_registers(seed, until);
    timer_stop();
    say_numbers("work", sum, timer_ticks());
}

int main(void)
{
    volatile uint8_t *port = (volatile uint8_t *)UART0;
    port[3] = 0;  // as bad as it can be found: 5 data bits
    uart_init(UART0);
    // What came before uart_init is lost with the FIFOs' old content, so what is sent begins with filler. QEMU does
    // not notice by itself that the port is free again: a timer event makes it look.
    MTIMECMP = MTIME + 1000;
    while (board_getc() != '>')
        ;
    MTIMECMP = UINT64_MAX;
    uart_puts(UART0, "ready " BANNER "\n");
    for (int empty = 0; empty < 3;) {
        for (int i = 0; i < SIZE + GUARD; i++)
            line[i] = FILLER;
        size_t length = uart_getline(UART0, line, SIZE);
        for (int i = SIZE; i < SIZE + GUARD; i++)
            if (line[i] != FILLER)
                board_halt(96);
        if (length >= SIZE || line[length] != 0)
            board_halt(95);
        empty = length ? 0 : empty + 1;
        const char *p = line;
        while (*p && *p != ' ')
            p++;
        if (starts_with("rev "))
            reverse(length);
        else if (starts_with("line"))
            say_numbers("line", port[3], (uint64_t)port[1] << 8 | (port[2] & 0xc0));
        else if (starts_with("ticks "))
            count_ticks(p);
        else if (starts_with("stop "))
            stop_ticking(p);
        else if (starts_with("work "))
            work(p);
        else if (starts_with("off ")) {
            power_off((uint16_t)board_parse(&p));
            board_halt(94);
        } else if (starts_with("halt"))
            board_halt(0);
    }
    board_halt(97);
}
