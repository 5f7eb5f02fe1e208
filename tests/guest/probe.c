/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does what it is told on the serial port, a line a time, so that a test can
 * decide what guests do and in which order.  Numbers are hexadecimal.
 *
 *   r ADDR                 a 32-bit read of memory space
 *   w ADDR VALUE           a 32-bit write
 *   c DEVFN ADDR SIZE      a read of config space, bus 0
 *   C DEVFN ADDR SIZE VALUE
 *   d BAR SRC DST COUNT CMD    a transfer of the edu at BAR, to its end
 *   o PORT VALUE           a 32-bit write to a port
 *   t ADDR COUNT           cycles that COUNT reads take
 *   q                      ends
 *
 * Each is answered by a line "= VALUE".
 */
#include "edu.h"

#define WORDS 6

void line_interrupt(int via, unsigned line)
{
}

/* Reads a line: its letter, and the numbers after it. */
static char read_line(uint32_t numbers[WORDS])
{
    unsigned n = 0;
    bool in_number = false;
    char command = 0, c;

    for (unsigned i = 0; i < WORDS; i++) {
        numbers[i] = 0;
    }
    while ((c = get_char()) != '\n') {
        if (!command) {
            command = c;
        } else if (c == ' ') {
            n += in_number;
            in_number = false;
        } else if (n < WORDS) {
            in_number = true;
            numbers[n] = numbers[n] << 4 |
                         (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
    }
    return command;
}

static uint32_t dma(const uint32_t *n)
{
    unsigned tries = 1000000;

    mmio_write32(n[0] + EDU_DMA_SRC, n[1]);
    mmio_write32(n[0] + EDU_DMA_DST, n[2]);
    mmio_write32(n[0] + EDU_DMA_COUNT, n[3]);
    mmio_write32(n[0] + EDU_DMA_CMD, n[4]);
    while (mmio_read32(n[0] + EDU_DMA_CMD) & 1) {
        if (!--tries) {
            give_up("a transfer does not end");
        }
    }
    return 0;
}

static uint32_t cycles(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low;
}

static uint32_t time_reads(const uint32_t *n)
{
    uint32_t start = cycles();

    for (uint32_t i = 0; i < n[1]; i++) {
        mmio_read32(n[0]);
    }
    return cycles() - start;
}

void payload(void)
{
    static Edu edus[EDU_MAX];
    unsigned count = edu_find(edus);
    uint32_t n[WORDS], val;
    char command;

    print("@@ devices %u\n", count);
    while ((command = read_line(n)) != 'q') {
        val = 0;
        switch (command) {
        case 'r':
            val = mmio_read32(n[0]);
            break;
        case 'w':
            mmio_write32(n[0], n[1]);
            break;
        case 'c':
            val = pci_read(n[0], n[1], n[2]);
            break;
        case 'C':
            pci_write(n[0], n[1], n[2], n[3]);
            break;
        case 'd':
            val = dma(n);
            break;
        case 'o':
            outl(n[0], n[1]);
            break;
        case 't':
            val = time_reads(n);
            break;
        default:
            give_up("command %c", command);
        }
        print("= %x\n", val);
    }
}
