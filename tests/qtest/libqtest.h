/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test's hold on emulator processes: start them, make the guest's accesses,
 * talk QMP, see interrupts.  Every wait has a limit; what goes wrong ends the
 * test with what was said last.  docs/devel/testing.md has an example.
 */
#ifndef TESTS_LIBQTEST_H
#define TESTS_LIBQTEST_H

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

#include <json-glib/json-glib.h>

#define QTEST_LIMIT_MS 30000

typedef struct QTestState QTestState;

/* -- Processes ------------------------------------------------------------ */

/**
 * qtest_spawn - start the emulator that $QTEST_QEMU_BINARY names.
 * @drive: with the qtest and QMP connections (false: neither)
 * @fds: descriptors that it inherits, with the same numbers; ends with -1; or
 *       NULL
 * @fmt: its arguments, separated by spaces
 */
QTestState *qtest_spawn(bool drive, const int *fds, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/* "-accel qtest -display none -nodefaults" and @fmt. */
QTestState *qtest_init(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* The guest's CPU runs, and makes the accesses to interrupt chips. */
struct Hands;
void qtest_set_hands(QTestState *s, struct Hands *hands);
struct Hands *qtest_hands(QTestState *s);
/* A line with these words is awaited on standard error, and no other is let
 * pass. */
void qtest_expect_stderr(QTestState *s, const char *words);
/* Waits for the process to end; returns its exit status.  Checks its standard
 * error.  Frees @s. */
int qtest_wait(QTestState *s);
/* Ends it by QMP, checks that it went in peace, frees @s. */
void qtest_quit(QTestState *s);
pid_t qtest_pid(QTestState *s);
/* Ends it by SIGKILL, frees @s. */
void qtest_kill(QTestState *s);
/* Stops the process and lets it go on, by signals. */
void qtest_stop(QTestState *s);
void qtest_continue(QTestState *s);
/* What it has said on standard error up to now; g_free. */
char *qtest_stderr(QTestState *s);

/* How many descriptors it has open. */
int qtest_open_fds(QTestState *s);

/* -- What a guest does ----------------------------------------------------- */

/* An access of 1, 2, 4 (or 8, memory only) bytes. */
uint64_t qtest_in(QTestState *s, uint16_t port, unsigned size);
void qtest_out(QTestState *s, uint16_t port, uint32_t val, unsigned size);
uint64_t qtest_read(QTestState *s, uint64_t addr, unsigned size);
void qtest_write(QTestState *s, uint64_t addr, uint64_t val, unsigned size);
void qtest_memread(QTestState *s, uint64_t addr, void *buf, size_t size);
void qtest_memwrite(QTestState *s, uint64_t addr, const void *buf,
                    size_t size);
void qtest_memset(QTestState *s, uint64_t addr, uint8_t c, size_t size);
/* The answer to any command, without its "OK "; g_free. */
char *qtest_command(QTestState *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* The whole answer, whatever it is. */
char *qtest_raw(QTestState *s, const char *line);

int64_t qtest_clock_step(QTestState *s, int64_t ns);
int64_t qtest_clock_set(QTestState *s, int64_t ns);

void qtest_irq_intercept_in(QTestState *s, const char *path);
/* Level of the intercepted line, from what has arrived. */
bool qtest_get_irq(QTestState *s, int n);
void qtest_wait_irq(QTestState *s, int n, bool level);

/* Until @cond holds, or the limit is over. */
#define qtest_until(s, cond)                                                \
    do {                                                                    \
        gint64 until_end = g_get_monotonic_time() + QTEST_LIMIT_MS * 1000;  \
        while (!(cond)) {                                                   \
            if (g_get_monotonic_time() > until_end) {                       \
                g_error("%s:%d: never: %s", __FILE__, __LINE__, #cond);     \
            }                                                               \
            g_usleep(50);                                                   \
        }                                                                   \
    } while (0)

/* -- QMP ------------------------------------------------------------------ */

/* The "return" of a command; an error ends the test.  json_node_unref. */
JsonNode *qtest_qmp(QTestState *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
void qtest_qmp_ok(QTestState *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* How many events of that name have come; @wait: at least one. */
unsigned qtest_qmp_events(QTestState *s, const char *name, bool wait);

/* -- PCI ------------------------------------------------------------------ */

typedef struct QPCIDevice {
    QTestState *s;
    uint8_t bus, devfn;
} QPCIDevice;

#define QPCI_DEVFN(slot, fn) ((slot) << 3 | (fn))

uint32_t qpci_read(QPCIDevice *d, uint8_t offset, unsigned size);
void qpci_write(QPCIDevice *d, uint8_t offset, uint32_t val, unsigned size);
/* What BAR @nr (6: the ROM) decodes: 0 if there is none; @type: its low bits. */
uint64_t qpci_bar_size(QPCIDevice *d, int nr, uint8_t *type);
void qpci_set_bar(QPCIDevice *d, int nr, uint64_t addr);
/* I/O, memory, bus master. */
void qpci_enable(QPCIDevice *d);

/* -- A device, in a remote process or in the machine itself ---------------- */

typedef struct QWorldConfig {
    const char *name;
    const char *machine;        /* "q35" or "pc" */
    const char *memory;         /* "64M" */
    const char *device;         /* "edu,dma_mask=..." */
    const char *backend;        /* options that the device needs, or NULL */
    const char *children;       /* options after the device, which is d1 */
    const char *extra;          /* for the main process, or NULL */
    const char *device2;        /* a second device in slot 8, or NULL */
    const char *proxy;          /* properties of the proxies, ",timeout=100" */
    bool remote;
    bool only_remote;           /* qworld_add_tests() makes no local case */
    bool kvm;                   /* with a CPU that runs: see hands.h */
} QWorldConfig;

typedef struct QWorld {
    const QWorldConfig *config;
    QTestState *main, *remote;  /* @remote: NULL if the devices are local */
    QPCIDevice dev, dev2;       /* slots 4 and 8 of the root bus */
} QWorld;

QWorld *qworld_new(const QWorldConfig *config);
void qworld_free(QWorld *w);

/* Both the local and the remote case of a test: "/edu/local/dma".  With @kvm
 * they are skipped where no guest can run. */
void qworld_add_tests(const char *suite, const char *name,
                      const QWorldConfig *config, void (*fn)(QWorld *w));

/* -- Interrupt chips -------------------------------------------------------- */

/*
 * Under KVM they are the kernel's.  A CPU that takes an interrupt of an APIC
 * may have ended it by that (KVMs that interpret a guest do so), so the CPU takes
 * it in apic_end(); until then apic_in_service() is what the CPU would take.
 */
void pic_init(QTestState *s);           /* all masked, vectors 20h and 28h */
void pic_unmask(QTestState *s, int irq, bool level);
int pic_take(QTestState *s);            /* the next interrupt, or -1 */
void pic_end(QTestState *s, int irq);

void apic_init(QTestState *s);
void apic_route(QTestState *s, int pin, uint8_t vector, bool level);
void apic_mask(QTestState *s, int pin);
bool apic_in_service(QTestState *s, uint8_t vector);
bool apic_waiting(QTestState *s, uint8_t vector);       /* held back */
bool apic_remote_irr(QTestState *s, int pin);
void apic_end(QTestState *s);

#endif
