/* What the programs of this folder share: a serial port of their own, a clock and a way to stop. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define UART0 ((uintptr_t)0x10000000)
#define MTIME (*(volatile uint64_t *)0x0200bff8)
#define MTIMECMP (*(volatile uint64_t *)0x02004000)

/* The learner's uart.c */
void uart_init(uintptr_t base);
void uart_putc(uintptr_t base, char byte);
char uart_getc(uintptr_t base);
void uart_puts(uintptr_t base, const char *text);
size_t uart_getline(uintptr_t base, char *line, size_t size);

/* The learner's machine.c */
void power_off(uint16_t code);
void timer_start(uint64_t interval);
uint64_t timer_ticks(void);
void timer_wait(uint64_t n);
void timer_stop(void);

/* board.c: independent of the learner's driver */
void board_putc(char byte);
char board_getc(void);
void board_print(const char *text);
void board_print_number(uint64_t n);
uint64_t board_read_number(void);
_Noreturn void board_halt(unsigned code);
char *board_format(char *to, uint64_t n);
uint64_t board_parse(const char **text);
